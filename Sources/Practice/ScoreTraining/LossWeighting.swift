/// The weight λ(t) of a time in the loss E λ(t) |ε̂ − z|².
public enum LossWeighting: Sendable, Equatable {
  /// λ = 1, which is σ² in terms of scores: DDPM's loss, best for the look of samples.
  case noise
  /// λ ∝ g²/σ²: bounds the likelihood (Song et al. 2021b, theorem 1). Scaled to mean 1 over [ε, T].
  case likelihood
  /// λ = min(1, 5 σ²/α²): min-SNR-5 on x̂₀ (Hang et al. 2023), written for ε̂.
  case minSNR
  /// λ = (1 + σ²/(α² d²)) p(t) for data of deviation d, with p log-normal: EDM's weight 1 on F (Karras et al. 2022).
  case edm
  /// The likelihood's and EDM's, one part to two: finest scales for log densities, coarse ones for the look of samples.
  case balanced
  /// One's own.
  case own(OwnTimeFunction)

  /// The density of times that is drawn from under the weighting where no other is asked for.
  public var usualTimes: TimeSampling {
    switch self {
    case .balanced: .balanced
    case .edm: .logNormal
    case .noise, .likelihood, .minSNR, .own: .importance
    }
  }

  /// A weight of one's own: a finite λ(t) ≥ 0 on [ε, T], and not 0 at all of them.
  ///
  /// It is that of the error of ε̂: a weight w on the error of x̂₀ is w σ²/α² here, one on a rectified flow's velocity w/(1 − t)².
  public static func own(
    _ name: String, _ weight: @escaping @Sendable (_ t: Double) -> Double
  ) -> LossWeighting {
    .own(OwnTimeFunction(name: name, function: weight))
  }
}

/// The density q(t) on [ε, T] that times are drawn from.
public enum TimeSampling: Sendable, Equatable {
  case uniform
  /// q ∝ g²/σ², under which the likelihood weighting has weight 1 everywhere.
  case importance
  /// log(σ/α) normal about the data's scale, as EDM draws it.
  case logNormal
  /// One draw in three by `importance`, two by `logNormal`; all by `importance` where no noise of the process is near the data's
  /// scale.
  case balanced
  /// One's own.
  case own(OwnTimeFunction)

  /// A density of one's own, of any scale: finite and ≥ 0 on [ε, T], and not 0 at all of them.
  ///
  /// Weights are divided by the density, so that it changes the variance of the loss alone; where it is 0 nothing is trained.
  public static func own(
    _ name: String, _ density: @escaping @Sendable (_ t: Double) -> Double
  ) -> TimeSampling {
    .own(OwnTimeFunction(name: name, function: density))
  }
}

/// A function of time of one's own, which is known by its name: two of one name are taken for the same.
///
/// A run's description holds the name alone, and who goes on with the run gives the function again.
public struct OwnTimeFunction: Sendable, Equatable {
  /// The name.
  public let name: String
  /// The function; nil where the name was read from a run.
  let function: (@Sendable (Double) -> Double)?

  private static let prefix = "own: "

  init(name: String, function: (@Sendable (Double) -> Double)?) {
    (self.name, self.function) = (name, function)
  }

  /// Reads what `text` writes.
  init?(text: String) {
    guard text.hasPrefix(Self.prefix) else { return nil }
    self.init(name: String(text.dropFirst(Self.prefix.count)), function: nil)
  }

  var text: String { Self.prefix + name }

  public static func == (a: OwnTimeFunction, b: OwnTimeFunction) -> Bool { a.name == b.name }

  /// The function, held to be finite, nowhere negative and somewhere positive at 1025 times even in log(σ/α).
  /// - Throws: `TrainingError` that names the function and the time.
  func checked(_ role: String, at times: (_ quantile: Double) -> Double) throws(TrainingError)
    -> @Sendable (Double) -> Double
  {
    guard let function else {
      throw TrainingError(
        "the \(role) is one's own, \(name), of which a run keeps the name alone; expected it to be given"
      )
    }
    let count = 1024
    var isPositive = false
    for place in 0...count {
      let t = times(Double(place) / Double(count))
      let value = function(t)
      guard value.isFinite, value >= 0 else {
        throw TrainingError(
          "the \(role) \(name) is \(value.inSentence) at t = \(t); expected a finite number, 0 or more"
        )
      }
      isPositive = isPositive || value > 0
    }
    guard isPositive else {
      throw TrainingError("the \(role) \(name) is 0 at all times; expected a positive number")
    }
    return function
  }
}

extension LossWeighting {
  /// The parts of the likelihood's and of EDM's in what is balanced.
  static func balance(_ likelihood: Double, _ edm: Double) -> Double { (likelihood + 2 * edm) / 3 }
}

extension LossWeighting: RawRepresentable, Codable, CaseIterable {
  /// The library's own.
  public static let allCases: [LossWeighting] = [.balanced, .likelihood, .noise, .minSNR, .edm]

  /// The name, that of `--weighting`; of one's own `own: ` and its name.
  public var rawValue: String {
    switch self {
    case .noise: "sigma2"
    case .likelihood: "likelihood"
    case .minSNR: "min-snr"
    case .edm: "edm"
    case .balanced: "balanced"
    case .own(let own): own.text
    }
  }

  public init?(rawValue: String) {
    let known = Self.allCases.first { $0.rawValue == rawValue }
    guard let found = known ?? OwnTimeFunction(text: rawValue).map(Self.own) else { return nil }
    self = found
  }
}

extension TimeSampling: RawRepresentable, Codable, CaseIterable {
  /// The library's own.
  public static let allCases: [TimeSampling] = [.balanced, .importance, .uniform, .logNormal]

  /// The name, that of `--times`; of one's own `own: ` and its name.
  public var rawValue: String {
    switch self {
    case .uniform: "uniform"
    case .importance: "importance"
    case .logNormal: "log-normal"
    case .balanced: "balanced"
    case .own(let own): own.text
    }
  }

  public init?(rawValue: String) {
    let known = Self.allCases.first { $0.rawValue == rawValue }
    guard let found = known ?? OwnTimeFunction(text: rawValue).map(Self.own) else { return nil }
    self = found
  }
}
