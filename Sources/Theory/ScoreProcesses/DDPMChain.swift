import Foundation

/// The discrete chain of DDPM, a view of the variance-preserving process (Ho et al. 2020).
///
/// ```
/// x_i = √(1 − β_i) x_{i−1} + √β_i z,   ᾱ_i = Π_{j ≤ i} (1 − β_j),   p(x_i | x_0) = N(√ᾱ_i x_0, (1 − ᾱ_i) I)
/// ```
///
/// Steps are counted from 0 as in published code: step i leads to the time (i + 1)/N. The chain is a process too: the
/// one whose β(t) is constant within each step, −N log(1 − β_i), and whose kernel at the times of the steps is that of
/// the chain to rounding. So every field, solver and likelihood serves it, those with steps of their own too, which do not
/// see the jumps of β(t); `TimeGrid.chain` has its steps.
public struct DDPMChain: LinearProcess {
  /// β_i.
  public let betas: [Double]
  /// ᾱ_i, the products in Double.
  public let cumulativeProducts: [Double]
  public var cutoffs: Cutoffs
  /// What its β_i follow, where they are published ones.
  let schedule: Schedule?
  // log α and 1 − α² at the times 0, 1/N, …, 1: sums of terms of one sign, so relatively accurate everywhere.
  private let logAlphas: [Double]
  private let variances: [Double]

  /// Creates the chain of given β_i; cutoffs are 1/N, the time of the first step.
  /// - Throws: `ProcessError` unless there are 2 to `mostSteps`, each at least 0 and below 1, and the first above 0: without noise
  ///   at the first step there is no score.
  public init(betas: [Double]) throws(ProcessError) {
    try self.init(betas: betas, mayBeginQuiet: false)
  }

  /// The published schedules, which texts name.
  enum Schedule: Sendable {
    case power(from: Double, to: Double, power: Double)
    case cosine(offset: Double, clip: Double)
  }

  /// The most steps of a chain.
  public static let mostSteps = 10_000_000

  private static func check(_ count: Int) throws(ProcessError) {
    guard count >= 2, count <= mostSteps else {
      throw ProcessError(
        "the DDPM chain has \(count) steps; expected \(count < 2 ? "2 or more" : "at most \(mostSteps)")"
      )
    }
  }

  private init(
    betas: [Double], mayBeginQuiet: Bool = false, schedule: Schedule? = nil
  ) throws(ProcessError) {
    try Self.check(betas.count)
    self.schedule = schedule
    var (logAlpha, product, variance) = (0.0, 1.0, 0.0)
    var (logAlphas, products, variances) = ([0.0], [Double](), [0.0])
    for (i, beta) in betas.enumerated() {
      let mayBeQuiet = i > 0 || mayBeginQuiet
      guard mayBeQuiet ? beta >= 0 : beta > 0, beta < 1 else {
        throw ProcessError(
          "the DDPM chain has beta \(beta) at step \(i) of \(betas.count); expected a number \(mayBeQuiet ? "of at least" : "above") 0 and below 1"
        )
      }
      variance += product * beta
      logAlpha += 0.5 * log1p(-beta)
      product *= 1 - beta
      logAlphas.append(logAlpha)
      products.append(product)
      variances.append(variance)
    }
    self.betas = betas
    self.logAlphas = logAlphas
    self.variances = variances
    cumulativeProducts = products
    let first = 1 / Double(betas.count)
    cutoffs = Cutoffs(sampling: first, training: first, likelihood: first)
  }

  /// The published linear chain: β_i even from 1e-4 to 0.02.
  ///
  /// With a `power` p it is β_i^(1/p) that are even; p = 2 is the chain of latent diffusion (Rombach et al. 2022), from 8.5e-4
  /// to 0.012 there.
  /// - Throws: `ProcessError` unless 2 ≤ N ≤ `mostSteps`, all β_i lie between 0 and 1, the first above 0, and the power is above 0.
  public static func linear(
    steps count: Int = 1000, from first: Double = 1e-4, to last: Double = 0.02, power: Double = 1
  ) throws(ProcessError) -> DDPMChain {
    try check(count)
    guard power > 0, power.isFinite else {
      throw ProcessError("the DDPM chain has power \(power); expected a finite number above 0")
    }
    let (low, high) = power == 1 ? (first, last) : (pow(first, 1 / power), pow(last, 1 / power))
    return try DDPMChain(
      betas: (0..<count).map {
        let root = low + (high - low) * Double($0) / Double(count - 1)
        return power == 1 ? root : pow(root, power)
      }, schedule: .power(from: first, to: last, power: power))
  }

  /// The published cosine chain: β_i = min(1 − ᾱ(t_{i+1})/ᾱ(t_i), 0.999) with ᾱ(t) = cos²(½π (t + s)/(1 + s)).
  /// - Throws: `ProcessError` unless 2 ≤ N ≤ `mostSteps` and all β_i lie between 0 and 1, the first above 0.
  public static func cosine(
    steps count: Int = 1000, offset: Double = 0.008, clip: Double = 0.999
  ) throws(ProcessError) -> DDPMChain {
    func signal(_ i: Int) -> Double {
      pow(cos((Double(i) / Double(count) + offset) / (1 + offset) * 0.5 * .pi), 2)
    }
    try check(count)
    guard offset >= 0, offset.isFinite, clip > 0, clip < 1 else {
      throw ProcessError(
        "the cosine chain has offset \(offset) and clip \(clip); expected an offset of at least 0, finite, and 0 < clip < 1"
      )
    }
    return try DDPMChain(
      betas: (0..<count).map { min(1 - signal($0 + 1) / signal($0), clip) },
      schedule: .cosine(offset: offset, clip: clip))
  }

  /// The chain that the reference code makes of VP: β_i even from β₀/N to β₁/N.
  /// - Throws: `ProcessError` unless 2 ≤ N ≤ `mostSteps` and all β_i lie between 0 and 1, the first above 0.
  public init(_ process: VariancePreserving, steps count: Int) throws(ProcessError) {
    try self.init(process, steps: count, mayBeginQuiet: false)
  }

  /// The same, with a first β_i of 0 where only transitions are wanted.
  package init(
    _ process: VariancePreserving, steps count: Int, mayBeginQuiet: Bool
  ) throws(ProcessError) {
    try Self.check(count)
    let (low, high) = (process.betaMin, process.betaMax)
    try self.init(
      betas: (0..<count).map {
        (low + (high - low) * Double($0) / Double(count - 1)) / Double(count)
      }, mayBeginQuiet: mayBeginQuiet)
  }

  /// `ddpm`, or `ddpm-cosine` where the published cosine makes its β_i.
  public var name: String { specName ?? Self.specNames[0] }
  public var endTime: Double { 1 }
  public var priorDeviation: Double { 1 }
  /// The number of steps N.
  public var count: Int { betas.count }

  /// The time (i + 1)/N to which step i leads.
  public func time(ofStep step: Int) -> Double { Double(step + 1) / Double(count) }

  /// The step whose time is nearest to t, the first one where t is no number.
  public func step(nearest t: Double) -> Int {
    t.isNaN ? 0 : Int(min(max((t * Double(count)).rounded() - 1, 0), Double(count - 1)))
  }

  // The step within which t lies, its end included, and the share of it that is done.
  private func place(_ t: Double) -> (step: Int, share: Double) {
    if t.isNaN { return (0, .nan) }
    let steps = min(max(t, 0), 1) * Double(count)
    let near = steps.rounded()
    // The time of a step is that step's however (i + 1)/N was rounded.
    if abs(steps - near) <= 4 * near.ulp, near > 0 { return (Int(near) - 1, 1) }
    let step = Int(steps.rounded(.down))
    return (step, steps - Double(step))
  }

  public func marginal(at t: Double) -> Marginal {
    let (step, share) = place(t)
    if share == 1 {
      return Marginal(logAlpha: logAlphas[step + 1], sigma: variances[step + 1].squareRoot())
    }
    let logAlpha = logAlphas[step] + share * (logAlphas[step + 1] - logAlphas[step])
    return Marginal(logAlpha: logAlpha, sigma: (0 - expm1(2 * logAlpha)).squareRoot())
  }

  /// Rates at t, those of the step that ends there at a step's time; g²/(2σ) grows like t^(−½) as t → 0.
  public func rates(at t: Double) -> Rates {
    let beta = -Double(count) * log1p(-betas[place(t).step])
    return Rates(
      drift: -0.5 * beta, squaredDiffusion: beta,
      noiseGain: beta == 0 ? 0 : beta / (2 * marginal(at: t).sigma))
  }

  public func time(halfLogSNR lambda: Double) -> Double {
    let x = -2 * lambda
    return time(logAlpha: -0.5 * (x > 0 ? x + log1p(exp(-x)) : log1p(exp(x))))
  }

  /// The time at which log α has a value; the nearer end where there is none.
  func time(logAlpha: Double) -> Double {
    if logAlpha <= logAlphas[count] { return 1 }
    // The last time of the chain whose α is not below.
    var (low, high) = (0, count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if logAlphas[middle] >= logAlpha { low = middle } else { high = middle }
    }
    let share = (logAlpha - logAlphas[low]) / (logAlphas[high] - logAlphas[low])
    return (Double(low) + share) / Double(count)
  }

  /// One of the steps' times, each for the same share of draws: DDPM's ε-loss on integer steps.
  public func trainingTime(at u: Double) -> Double {
    time(ofStep: min(max(Int(u * Double(count)), 0), count - 1))
  }
}

extension DDPMChain: SpelledProcess {
  static let specNames = ["ddpm", "ddpm-cosine"]
  static func keys(of name: String) -> [String] {
    ["steps"] + (name == specNames[1] ? ["offset", "clip"] : ["beta-start", "beta-end", "power"])
  }

  init(_ spec: Spec) throws {
    let count = try spec.integer(
      "steps", default: 1000, in: .between(2, Double(Self.mostSteps)))
    self =
      spec.name == Self.specNames[1]
      ? try .cosine(
        steps: count, offset: try spec.number("offset", default: 0.008),
        clip: try spec.number("clip", default: 0.999))
      : try .linear(
        steps: count, from: try spec.number("beta-start", default: 1e-4),
        to: try spec.number("beta-end", default: 0.02),
        power: try spec.number("power", default: 1))
  }

  var specName: String? {
    switch schedule {
    case .power: Self.specNames[0]
    case .cosine: Self.specNames[1]
    case nil: nil
    }
  }

  var parameters: [Spec.Parameter] {
    let steps = Double(count)
    return switch schedule {
    case .power(let first, let last, let power):
      Spec.numbers(["steps": steps, "beta-start": first, "beta-end": last, "power": power])
    case .cosine(let offset, let clip):
      Spec.numbers(["steps": steps, "offset": offset, "clip": clip])
    case nil: []
    }
  }

  var standardCutoffs: Cutoffs {
    let first = 1 / Double(count)
    return Cutoffs(sampling: first, training: first, likelihood: first)
  }
}
