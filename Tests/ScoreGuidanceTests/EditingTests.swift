import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Image to image: samples that are noised part of the way and carried back.
@Suite struct EditingTests {
  private static let (mean, deviation) = (0.5, 0.7)

  private static func oracle(_ process: any LinearProcess) throws -> GaussianOracle<Double> {
    try GaussianOracle(process: process, mean: mean, deviation: deviation, sampleShape: [1])
  }

  /// On N(m, s²) the flow takes x_s to m + s (x_s − α m)/√(α² s² + σ²), of each sample on its own.
  @Test(arguments: ["vp", "subvp", "ve", "cosine", "flow", "edm", "ou"])
  func theFlowCarriesBackWhatWasNoised(name: String) throws {
    let process = try ProcessSpec.process(name)
    let start = process.time(halfLogSNR: -log(0.8))
    let kernel = process.marginal(at: start)
    #expect(abs(kernel.sigma / kernel.alpha - 0.8) < 1e-9)
    let samples: Tensor<Double> = Tensor([50, 1], (0..<50).map { Double($0) / 10 - 2 })
    let epsilon = process.time(halfLogSNR: -log(0.02))
    let sampler = try Sampler(
      try Self.oracle(process), SolverSpec("ode:rtol=1e-9,atol=1e-9"), steps: 1, from: start,
      epsilon: epsilon)
    let result = try sampler.sample(editing: samples, key: RandomKey(3), first: 7).samples
    let noised = process.perturb(
      samples, at: .shared(start), key: RandomKey(3).folded("edit"),
      samples: .consecutive(first: 7))
    func standard(_ x: Double, at t: Double) -> Double {
      let kernel = process.marginal(at: t)
      let spread = kernel.alpha * Self.deviation
      return (x - kernel.alpha * Self.mean)
        / (spread * spread + kernel.sigma * kernel.sigma).squareRoot()
    }
    for row in 0..<50 {
      let difference = standard(result[row, 0], at: epsilon) - standard(noised[row, 0], at: start)
      #expect(abs(difference) < 1e-7, "\(name), sample \(row): \(difference)")
    }
  }

  /// The reverse SDE forgets part of x_s: of edits of one x, mean and variance are m + k α (x − m) and v + (k σ)², where
  /// k = α s²/(α² s² + σ²) and v = s² σ²/(α² s² + σ²) are of the posterior of x_0 given x_s.
  ///
  /// False alarms: 5 standard errors of 20,000 samples, 1e-6; steps are short enough that their error is a tenth of one.
  @Test func theReverseSDEDrawsFromThePosterior() throws {
    let process = try VariancePreserving()
    let (count, x) = (20_000, 2.0)
    let start = process.time(halfLogSNR: -log(0.8))
    let kernel = process.marginal(at: start)
    let samples = Tensor<Double>([count, 1], repeating: x)
    let result = try Sampler(
      try Self.oracle(process), SolverSpec("sde-dpm-solver++"), steps: 200, from: start
    ).sample(editing: samples, key: RandomKey(5)).samples
    let variance = Self.deviation * Self.deviation
    let size = kernel.alpha * kernel.alpha * variance + kernel.sigma * kernel.sigma
    let k = kernel.alpha * variance / size
    let expected = (
      mean: Self.mean + k * kernel.alpha * (x - Self.mean),
      variance: variance * kernel.sigma * kernel.sigma / size + k * k * kernel.sigma * kernel.sigma
    )
    let mean = result.mean
    let spread =
      result.scalars.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    let error = (expected.variance / Double(count)).squareRoot()
    #expect(abs(mean - expected.mean) < 5 * error, "\(mean), \(expected.mean)")
    #expect(
      abs(spread / expected.variance - 1) < 5 * (2 / Double(count)).squareRoot(),
      "\(spread), \(expected.variance)")
  }

  @Test func anEditDependsOnItsSampleAlone() throws {
    let process = try VariancePreserving()
    let samples: Tensor<Double> = RandomKey(1).normal([9, 1])
    var sampler = try Sampler(
      try Self.oracle(process), SolverSpec("euler-maruyama"), steps: 20, from: 0.3)
    let whole = try sampler.sample(editing: samples, key: RandomKey(2))
    sampler.batchSize = 2
    #expect(try sampler.sample(editing: samples, key: RandomKey(2)).samples == whole.samples)
    let part = try sampler.sample(editing: samples.rows(4..<9), key: RandomKey(2), first: 4)
    #expect(part.samples == whole.samples.rows(4..<9))
    #expect(whole.isFinite)
  }

  @Test func whatCannotBeEditedIsRefused() throws {
    let process = try VariancePreserving()
    let field = try Self.oracle(process)
    let sampler = try Sampler(field, SolverSpec("ddim"), steps: 20, from: 0.3)
    for samples in [Tensor<Double>([2, 2]), Tensor<Double>([1, 1], [.nan])] {
      #expect(throws: SamplingError.self) {
        try sampler.sample(editing: samples, key: RandomKey(1))
      }
    }
    for start in [1.5, 1e-4] {
      #expect(throws: SamplingError.self) {
        try Sampler(field, SolverSpec("ddim"), steps: 20, from: start)
      }
    }
  }
}

extension SamplingResult {
  fileprivate var isFinite: Bool { samples.isFinite }
}
