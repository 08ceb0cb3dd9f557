import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Sample i depends on the key and on i alone, bit for bit.
@Suite struct InvarianceTests {
  static let specs = [
    "euler-maruyama", "reverse-diffusion", "ancestral", "ddim:eta=0.7", "heun",
    "pc:corrector-steps=2", "pc:predictor=none,corrector=ald", "ode:rtol=1e-4,atol=1e-4",
    "euler-maruyama:denoise=tweedie", "dpm-solver++:method=3m", "sde-dpm-solver++", "deis", "unipc",
    "sra1", "stochastic-heun", "edm:churn=5", "dpm-solver:order=3", "ode:method=dop853",
  ]

  @Test(arguments: specs)
  func bitsDoNotDependOnTheBatch(_ spec: String) throws {
    try check(spec, Float.self)
    try check(spec, Double.self)
  }

  private func check<Scalar: TensorScalar>(_ spec: String, _: Scalar.Type) throws {
    let field = BentField<Scalar>(process: try VariancePreserving())
    var sampler = try Sampler(field, SolverSpec(spec), steps: 8)
    let key = RandomKey(11)
    sampler.batchSize = 256
    let whole = try sampler.sample(40, key: key)
    for size in [1, 7] {
      sampler.batchSize = size
      let parts = try sampler.sample(40, key: key)
      #expect(parts.samples == whole.samples, "\(spec), batches of \(size)")
      #expect(parts.evaluations == whole.evaluations, "\(spec), batches of \(size)")
    }
    let tail = try sampler.sample(7, key: key, first: 31)
    #expect(tail.samples == whole.samples.rows(31..<38))
    let other = try sampler.sample(40, key: RandomKey(12))
    #expect(other.samples != whole.samples)
  }

  @Test func stepsDrawDifferentNumbers() throws {
    // Two draws of a step and two steps are independent: equal numbers would show as equal tensors.
    var context = SolverContext(
      field: GaussianField<Double>(process: try VariancePreserving()), key: RandomKey(3))
    let x = Tensor<Double>([5, 1])
    let (first, second) = (
      TimeStep(index: 0, time: 1, next: 0.9), TimeStep(index: 1, time: 0.9, next: 0.8)
    )
    let draws = [
      context.normal(like: x, in: first), context.normal(like: x, in: first),
      context.normal(like: x, in: second), context.normal(like: x, in: second),
    ]
    for i in draws.indices {
      for j in draws.indices where i != j { #expect(draws[i] != draws[j]) }
    }
  }

  @Test func floatAndDoubleDrawTheSameSamples() throws {
    let process = try VariancePreserving()
    for spec in ["euler-maruyama", "pc", "ode"] {
      let single = try Sampler(
        BentField<Float>(process: process), SolverSpec(spec), steps: 50
      ).sample(20, key: RandomKey(1))
      let double = try Sampler(
        BentField<Double>(process: process), SolverSpec(spec), steps: 50
      ).sample(20, key: RandomKey(1))
      for (a, b) in zip(single.samples.scalars, double.samples.scalars) {
        #expect(abs(Double(a) - b) < 1e-3)
      }
    }
  }
}
