import ScoreSDE
import Testing

/// Numbers that make no sense, and tensors of nothing, given to whatever of the public calls throws: a typed error of one
/// sentence, from each.
@Suite struct ArgumentTests {
  /// A call, and the values that it refuses.
  struct Refusal<Value: Sendable>: CustomTestStringConvertible, Sendable {
    let name: String
    let values: [Value]
    let call: @Sendable (Value) throws -> Void

    init(_ name: String, _ values: [Value], _ call: @escaping @Sendable (Value) throws -> Void) {
      (self.name, self.values, self.call) = (name, values, call)
    }

    var testDescription: String { name }

    func check() {
      for value in values {
        do {
          try call(value)
          Issue.record("\(name) of \(value): no error")
        } catch {
          let isTyped =
            error is SamplingError || error is ProcessError || error is TrainingError
            || error is SpecError || error is MetricsError
          #expect(isTyped && !"\(error)".contains("\n"), "\(name) of \(value): \(error)")
        }
      }
    }
  }

  static let key = RandomKey(1)
  static let process = try! VariancePreserving()
  static let field = try! GaussianOracle<Float>(
    process: process, mean: 0.5, deviation: 0.3, sampleShape: [2])
  static let pool = ThreadPool(threads: 1)
  static let x = Tensor<Float>([3, 2], repeating: 0.5)
  static let phase = try! PhaseOracle<Float>(
    process: CriticallyDampedLangevin(), mean: [0], covariance: [[1]])
  static let well = try! GeneralProcess(
    name: "well", drift: { x, _ in x.map { -$0 } }, diffusion: { _ in 1 })
  static let general = try! GeneralSampler<Float>(well) { x, _ in -x }
  static let seen = try! LinearObservation.entries([true, false], of: [2])
  static let posterior = try! PosteriorField(
    field, of: seen, observed: Tensor<Float>([1, 1]), noiseDeviation: 0.1)
  static let particles = try! ParticleSampler(posterior, particles: 4, steps: 2)
  static func sampler(_ solver: String = "ddim", steps: Int = 2) throws -> Sampler<Float> {
    try Sampler(field, SolverSpec(solver), steps: steps)
  }

  /// As many probes as are taken of a few numbers are too many of a million.
  @Test func probesOfLargeSamplesAreRefused() throws {
    let field = try GaussianOracle<Float>(
      process: Self.process, mean: 0, deviation: 1, sampleShape: [1 << 20])
    let x = Tensor<Float>([1, 1 << 20])
    for divergence in [
      Divergence.hutchinson(probes: Divergence.mostProbes),
      .hutchPlusPlus(sketch: Divergence.mostProbes),
    ] {
      Refusal("probes", [divergence]) {
        _ = try FlowLikelihood(field, divergence: $0).logDensity(of: x)
      }.check()
      Refusal("probes of a trace", [divergence]) {
        _ = try field.trace(at: x, .shared(0.5), by: $0)
      }.check()
    }
  }

  /// The sentences name what was found and the limit.
  @Test func sentences() throws {
    #expect(throws: SamplingError("the number of steps is \(Int.max); expected at most 10000000")) {
      try Self.sampler(steps: .max)
    }
    let error = #expect(throws: SamplingError.self) {
      try Self.sampler().sample(1 << 50, key: Self.key)
    }
    #expect(
      error?.description.hasPrefix(
        "1125899906842624 samples of shape [2] take more than a million GB")
        == true)
  }
}
