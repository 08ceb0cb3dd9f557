import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Every parametrisation carries the same field.
@Suite struct ParametrizationTests {
  private static let all: [Preconditioning] = [
    .noise, .score, .denoised, .velocity, .edm(deviation: 0.4),
    .scaledScore(mean: -0.2, deviation: 0.6), .standardized(mean: 0.5, deviation: 0.3),
  ]

  private static func processes() throws -> [any LinearProcess] {
    [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
      try CustomProcess(
        name: "cosine", alpha: { cos(0.49 * .pi * $0) }, sigma: { sin(0.49 * .pi * $0) }),
    ]
  }

  /// What the network must give so that the field is exact, by the definition of each parametrisation.
  private static func optimalOutput(
    _ preconditioning: Preconditioning, _ oracle: GaussianOracle<Double>, _ x: Tensor<Double>,
    _ t: Double
  ) throws -> Tensor<Double> {
    let kernel = oracle.process.marginal(at: t)
    let (alpha, sigma) = (kernel.alpha, kernel.sigma)
    let time = Times.shared(t)
    switch preconditioning {
    case .noise: return try oracle.noise(x, at: time)
    case .score: return try oracle.score(x, at: time)
    case .denoised: return try oracle.denoised(x, at: time)
    case .velocity:
      // v = α ε̂ − σ x̂₀
      return .combined(
        alpha, try oracle.noise(x, at: time), -sigma, try oracle.denoised(x, at: time))
    case .edm(let s):
      // x̂₀ = c_skip y + c_out F with y = x/α and the noise ratio for σ.
      let ratio = sigma / alpha
      let skip = s * s / (ratio * ratio + s * s)
      let out = ratio * s / (ratio * ratio + s * s).squareRoot()
      return .combined(1 / out, try oracle.denoised(x, at: time), -skip / (alpha * out), x)
    case .scaledScore: return try oracle.score(x, at: time).map { sigma * $0 }
    case .standardized(let mean, let s):
      let v = alpha * alpha * s * s + sigma * sigma
      let centred = x.map { $0 - alpha * mean }
      return .combined(
        v.squareRoot() / (alpha * s), try oracle.noise(x, at: time),
        -sigma / v.squareRoot() / (alpha * s), centred)
    }
  }

  @Test func theOptimalNetworkGivesTheSameField() throws {
    let x: Tensor<Double> = RandomKey(1).normal([40, 2])
    for process in try Self.processes() {
      let oracle = try GaussianOracle<Double>(
        process: process, mean: 0.5, deviation: 0.3, sampleShape: [2])
      for t in [0.01, 0.1, 0.5, 0.9] {
        let expected = try oracle.noise(x, at: .shared(t))
        for preconditioning in Self.all {
          let output = try Self.optimalOutput(preconditioning, oracle, x, t)
          let (shift, _, skip, gain) = preconditioning.columns(process.marginal(at: t))
          let found = Tensor.combined(skip, x.map { $0 - shift }, gain, output)
          // In units of what is added up: x̂₀ is two large terms less one another at small noise.
          let size = max(
            1, abs(skip) * 4 + abs(gain) * (output.scalars.map { abs($0) }.max() ?? 0))
          for (a, b) in zip(found.scalars, expected.scalars) {
            #expect(abs(a - b) < 1e-12 * size, "\(preconditioning.text), \(process.name), \(t)")
          }
          // The same in single precision.
          let single = Tensor<Float>.combined(
            Float(skip), Tensor<Float>(x.map { $0 - shift }), Float(gain), Tensor<Float>(output))
          for (a, b) in zip(single.scalars, expected.scalars) {
            #expect(abs(Double(a) - b) < 1e-6 * size)
          }
        }
      }
    }
  }

  /// Networks see numbers of unit size: for data N(0, 1), or for the data that a parametrisation is told of, as Karras et
  /// al. 2022 choose c_in.
  @Test func theInputHasUnitVariance() throws {
    for process in try Self.processes() {
      for t in [0.01, 0.3, 0.9] {
        let kernel = process.marginal(at: t)
        for preconditioning in Self.all {
          // This one takes x as it is.
          if case .scaledScore(let mean, let deviation) = preconditioning {
            let columns = preconditioning.columns(kernel)
            #expect(columns.shift == mean && columns.scale == 1 / deviation)
            continue
          }
          let (mean, deviation) =
            switch preconditioning {
            case .edm(let deviation): (0.0, deviation)
            case .standardized(let mean, let deviation): (mean, deviation)
            default: (0.0, 1.0)
            }
          let variance = pow(kernel.alpha * deviation, 2) + kernel.sigma * kernel.sigma
          let columns = preconditioning.columns(kernel)
          #expect(abs(columns.scale * columns.scale * variance - 1) < 1e-12)
          #expect(abs(columns.shift - kernel.alpha * mean) < 1e-15)
        }
      }
    }
  }

  /// The formula of a model applies the columns around its network F, which the model of `noise` shows: there ε̂ is F of
  /// the scaled input alone.
  @Test func theFormulaAppliesTheColumns() throws {
    let network = NetworkSpec(.mlp, width: 12, depth: 2, frequencies: 4)
    let x: Tensor<Double> = RandomKey(2).normal([9, 3])
    for process in try Self.processes() {
      func noise(_ preconditioning: Preconditioning, _ x: Tensor<Double>) throws -> Tensor<Double> {
        let configuration = ModelConfiguration(
          sampleShape: [3], network: network, preconditioning: preconditioning)
        return try ScoreModel<Double>(
          configuration, process: process,
          parameters: Parameters(drawing: configuration.parameters, key: RandomKey(3)),
          pool: ThreadPool(threads: 1)
        ).noise(x, at: .shared(0.3))
      }
      let kernel = process.marginal(at: 0.3)
      let unit = (kernel.alpha * kernel.alpha + kernel.sigma * kernel.sigma).squareRoot()
      for preconditioning in Self.all where preconditioning != .noise {
        let columns = preconditioning.columns(kernel)
        let centred = x.map { $0 - columns.shift }
        let output = try noise(.noise, columns.scale * unit * centred)
        let expected = Tensor.combined(columns.skip, centred, columns.gain, output)
        for (a, b) in zip(try noise(preconditioning, x).scalars, expected.scalars) {
          #expect(abs(a - b) < 1e-10 * max(1, abs(b)), "\(preconditioning.text), \(process.name)")
        }
      }
    }
  }

  @Test func conditionsAreTheirDefinition() throws {
    for process in try Self.processes() {
      let kernel = process.marginal(at: 0.3)
      let expected: [(NetworkSpec.Condition, Double)] = [
        (.logSNR, log(kernel.alpha / kernel.sigma)), (.time, 0.3), (.discreteTime, 299.7),
        (.logSigma, log(kernel.sigma)), (.step, 299),
      ]
      #expect(expected.count == NetworkSpec.Condition.allCases.count)
      for (condition, value) in expected {
        let configuration = ModelConfiguration(
          sampleShape: [3], network: NetworkSpec(condition: condition), preconditioning: .velocity)
        var columns = [Double](repeating: 0, count: configuration.columns)
        columns.withUnsafeMutableBufferPointer {
          guard let base = $0.baseAddress else { return }
          configuration.fillColumns(kernel, at: 0.3, base)
        }
        let (shift, scale, skip, gain) = Preconditioning.velocity.columns(kernel)
        #expect(abs(columns[0] - value) < 1e-12, "\(condition) on \(process.name)")
        #expect(columns[1...] == [shift, scale, skip, gain])
      }
    }
  }

  @Test func textsReadBack() throws {
    for preconditioning in Self.all {
      #expect(try Preconditioning(preconditioning.text) == preconditioning)
    }
    let given = try Preconditioning("gaussian", mean: 0.1, deviation: 0.7)
    #expect(given == .standardized(mean: 0.1, deviation: 0.7))
    let edm = try Preconditioning("edm", mean: 0.1, deviation: 0.7)
    #expect(edm == .edm(deviation: 0.7))
    for bad in ["eps", "v:deviation=1", "edm:mean=1", "gaussian:deviation=0"] {
      #expect(throws: SpecError.self) { try Preconditioning(bad) }
    }
  }
}
