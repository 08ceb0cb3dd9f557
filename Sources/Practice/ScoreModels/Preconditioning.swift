import ScoreProcesses

/// What a network's output F stands for: how it becomes the noise prediction ε̂.
///
/// ```
/// noise          ε̂ = F(u, c)                                        DDPM's, Ho et al. 2020
/// score          ε̂ = −σ F(u, c)
/// denoised       ε̂ = (x − α F(u, c))/σ                               x̂₀
/// velocity       ε̂ = (σ x + α F(u, c))/(α² + σ²)                     v = α ε̂ − σ x̂₀, Salimans & Ho 2022
/// edm            x̂₀ = c_skip y + c_out F(c_in y, c),  y = x/α        Karras et al. 2022, eq. 7, with σ/α for its σ
/// scaledScore    ε̂ = −F((x − μ)/s, c)                               σ times the score, NCSN++'s, Song et al. 2021
/// standardized   ε̂ = σ (x − αμ)/v + (α s/√v) F((x − αμ)/√v, c),  v = α² s² + σ²
/// ```
///
/// `denoised` wants a weight that falls with (α/σ)², such as `minSNR`: an error of x̂₀ is α/σ times as large in ε̂.
///
/// The first four see u = x/√(α² + σ²), of unit size for unit data under every process. `standardized` is the Gaussian
/// skip: its first term is the exact answer for data N(μ, s² I), so the network has only the rest to learn; without a mean
/// and with −F for F it is `edm`, whose c_noise is a quarter of the condition `log-snr`, negated. All are affine in F, so
/// that for the same field each has its own optimal F. The input of `scaledScore` grows as x does.
public enum Preconditioning: Sendable, Equatable {
  case noise
  case score
  case denoised
  case velocity
  case edm(deviation: Double)
  case scaledScore(mean: Double, deviation: Double)
  case standardized(mean: Double, deviation: Double)

  /// Checks the moments of the data, where there are some.
  func check() throws(ProcessError) {
    let (mean, deviation): (Double, Double)
    switch self {
    case .edm(let given): (mean, deviation) = (0, given)
    case .scaledScore(let center, let given), .standardized(let center, let given):
      (mean, deviation) = (center, given)
    default: return
    }
    guard mean.isFinite, deviation > 0, (deviation * deviation).isNormal else {
      throw ProcessError(
        "the preconditioning is for data of mean \(mean) and deviation \(deviation); expected a finite mean and a deviation above 0 whose square is a normal number"
      )
    }
  }

  /// The columns by which a formula applies the preconditioning: shift, input scale, skip, output scale.
  ///
  /// ```
  /// ε̂ = skip · (x − shift) + gain · F(scale · (x − shift), c)
  /// ```
  package func columns(
    _ marginal: Marginal
  ) -> (shift: Double, scale: Double, skip: Double, gain: Double) {
    let (alpha, sigma) = (marginal.alpha, marginal.sigma)
    let size = alpha * alpha + sigma * sigma
    let scale = 1 / size.squareRoot()
    switch self {
    case .noise: return (0, scale, 0, 1)
    case .score: return (0, scale, 0, -sigma)
    case .denoised: return (0, scale, 1 / sigma, -alpha / sigma)
    case .velocity: return (0, scale, sigma / size, alpha / size)
    case .edm(let deviation):
      let (_, scale, skip, gain) = Self.gaussianSkip(alpha, sigma, 0, deviation)
      return (0, scale, skip, -gain)
    case .scaledScore(let mean, let deviation): return (mean, 1 / deviation, 0, -1)
    case .standardized(let mean, let deviation):
      return Self.gaussianSkip(alpha, sigma, mean, deviation)
    }
  }

  private static func gaussianSkip(
    _ alpha: Double, _ sigma: Double, _ mean: Double, _ deviation: Double
  ) -> (Double, Double, Double, Double) {
    let spread = alpha * deviation
    let variance = spread * spread + sigma * sigma
    let root = variance.squareRoot()
    return (alpha * mean, 1 / root, sigma / variance, spread / root)
  }
}

extension Preconditioning {
  /// Whether an error of F is one of x̂₀ of the data's size at most, at every noise of a process, and F itself no larger: v is
  /// of the size of σ where that grows.
  public func isBoundedInData(under process: any LinearProcess) -> Bool {
    switch self {
    case .noise, .score, .scaledScore: return false
    case .velocity:
      let end = process.marginal(at: process.endTime)
      return end.alpha * end.alpha + end.sigma * end.sigma <= 2
    default: return true
    }
  }

  /// The names that are known: `epsilon`, `score`, `x0`, `v`, `edm`, `scaled-score` and `gaussian`.
  public static let names = ["epsilon", "score", "x0", "v", "edm", "scaled-score", "gaussian"]

  /// Reads a parametrisation, such as `v`, `edm:deviation=0.5` or `gaussian:mean=0.1,deviation=0.5`.
  ///
  /// - Parameters:
  ///   - mean: the mean where the text gives none: that of the data.
  ///   - deviation: the deviation where the text gives none.
  /// - Throws: `SpecError` that says what is known, or which value is out of range.
  public init(
    _ text: String, mean: Double = 0, deviation: Double = 1
  ) throws(SpecError) {
    let spec = try Spec(text, kind: "parametrization")
    func deviationGiven() throws(SpecError) -> Double {
      try spec.number("deviation", default: deviation, in: .positive)
    }
    switch spec.name {
    case "epsilon": self = .noise
    case "score": self = .score
    case "x0": self = .denoised
    case "v": self = .velocity
    case "edm":
      try spec.expect(keys: ["deviation"])
      self = .edm(deviation: try deviationGiven())
      return
    case "gaussian", "scaled-score":
      try spec.expect(keys: ["mean", "deviation"])
      let (mean, deviation) = (try spec.number("mean", default: mean), try deviationGiven())
      self =
        spec.name == "gaussian"
        ? .standardized(mean: mean, deviation: deviation)
        : .scaledScore(mean: mean, deviation: deviation)
      return
    default: throw spec.unknownName(known: Self.names)
    }
    try spec.expect(keys: [])
  }

  /// The text that reads back as this.
  public var text: String {
    switch self {
    case .noise: "epsilon"
    case .score: "score"
    case .denoised: "x0"
    case .velocity: "v"
    case .edm(let deviation): "edm:deviation=\(Spec.text(deviation))"
    case .scaledScore(let mean, let deviation):
      "scaled-score:mean=\(Spec.text(mean)),deviation=\(Spec.text(deviation))"
    case .standardized(let mean, let deviation):
      "gaussian:mean=\(Spec.text(mean)),deviation=\(Spec.text(deviation))"
    }
  }
}
