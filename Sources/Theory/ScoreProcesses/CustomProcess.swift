import Foundation

/// A linear process of one's own: from its kernel (α, σ), or from its drift and diffusion (f, g²).
///
/// ```swift
/// let cosine = try CustomProcess(name: "cosine", alpha: { cos($0 * 1.55) }, sigma: { sin($0 * 1.55) })
/// let brownian = try CustomProcess(name: "brownian", drift: { _ in 0 }, squaredDiffusion: { _ in 1 })
/// let preserving = try CustomProcess(name: "mine", beta: { 0.1 + 20 * $0 * $0 })
/// ```
///
/// Whichever is given, the other is derived: rates from the kernel by forward-mode differentiation,
///
/// ```
/// f = (log α)′,   g²/(2σ) = σ′ − f σ,   g² = 2σ (σ′ − f σ)
/// ```
///
/// exact to rounding, and the kernel from the rates by quadrature, tabulated once, to about 10⁻¹⁴ relative. Where both
/// are given, each is used for what it says and the two are held against one another. Every way ends in
/// `checkConsistency(of:)`, so a process that exists is consistent.
///
/// Data are at t = 0, so α(0) should be 1 and σ(0) small. The prior is N(0, s² I) with s = σ(T) unless it is given,
/// which suits α(T) ≈ 0 or data that are small beside σ(T); where data are not, nothing here can know it, and the prior mismatch of a
/// likelihood's budget tells. A given s is no less than σ(T). Cutoffs are 10⁻³ T for sampling and 10⁻⁵ T for training and
/// likelihood unless given, and earlier where σ/α is above 0.02 or 0.002 there. Near t = 0 differences cancel: write `sqrt(-expm1(2 * a))`, not `sqrt(1 - exp(2 * a))`.
public struct CustomProcess: LinearProcess {
  public let name: String
  public let endTime: Double
  public var cutoffs: Cutoffs
  public let priorDeviation: Double
  /// The parameters that it was read from, of one that a text gave.
  var formulas: [Spec.Parameter]?
  /// The cutoffs that it has unless they are given.
  let standardCutoffs: Cutoffs
  private let kernel: @Sendable (Double) -> Marginal
  private let slopes: @Sendable (Double) -> Rates

  /// Creates a process from α(t) > 0 and σ(t) > 0.
  /// - Throws: `ProcessError` that says which formula is off, and at which t.
  public init(
    name: String, alpha: @escaping @Sendable (Dual) -> Dual,
    sigma: @escaping @Sendable (Dual) -> Dual, endTime: Double = 1, cutoffs: Cutoffs? = nil,
    priorDeviation: Double? = nil
  ) throws(ProcessError) {
    try self.init(
      name: name, endTime: endTime, cutoffs: cutoffs, priorDeviation: priorDeviation,
      kernel: { Self.kernel(alpha, sigma, $0) }, slopes: { Self.slopes(log(alpha($0)), sigma($0)) })
  }

  /// Creates a process from log α(t) and log σ(t), for kernels whose α or σ would underflow.
  /// - Throws: `ProcessError` that says which formula is off, and at which t.
  public init(
    name: String, logAlpha: @escaping @Sendable (Dual) -> Dual,
    logSigma: @escaping @Sendable (Dual) -> Dual, endTime: Double = 1, cutoffs: Cutoffs? = nil,
    priorDeviation: Double? = nil
  ) throws(ProcessError) {
    try self.init(
      name: name, endTime: endTime, cutoffs: cutoffs, priorDeviation: priorDeviation,
      kernel: {
        Marginal(logAlpha: logAlpha(Dual($0)).value, sigma: exp(logSigma(Dual($0)).value))
      },
      slopes: { Self.slopes(logAlpha($0), exp(logSigma($0))) })
  }

  /// Creates a process from f(t) and g(t)², with σ(0) = `initialDeviation`.
  ///
  /// f and g² are called at t > 0 only, about 3,200 times each here; they may have jumps, and grow like a power of
  /// t down to t^(−¾) as t → 0.
  /// - Throws: `ProcessError` where f or g² is not finite, g² is negative or either is too rough to be integrated.
  public init(
    name: String, drift: @escaping @Sendable (Double) -> Double,
    squaredDiffusion: @escaping @Sendable (Double) -> Double, initialDeviation: Double = 0,
    endTime: Double = 1, cutoffs: Cutoffs? = nil, priorDeviation: Double? = nil
  ) throws(ProcessError) {
    try Self.check(name, endTime)
    guard initialDeviation >= 0, initialDeviation.isFinite else {
      throw ProcessError(
        "the process \"\(name)\" has the initial deviation \(initialDeviation); expected a finite number of at least 0"
      )
    }
    let table = try KernelTable(
      name: name, drift: drift, squaredDiffusion: squaredDiffusion, end: endTime,
      initialDeviation: initialDeviation)
    try self.init(
      name: name, endTime: endTime, cutoffs: cutoffs, priorDeviation: priorDeviation,
      kernel: { table.marginal(at: $0) },
      slopes: { t in
        // Just above t = 0 stands for the limits there, where g²/(2σ) may be 0/0.
        let near = max(t.value, 1e-12 * endTime)
        let squared = squaredDiffusion(near)
        return Rates(
          drift: drift(near), squaredDiffusion: squared,
          noiseGain: squared / (2 * table.marginal(at: near).sigma))
      })
  }

  /// Creates a process from kernel and rates, which are held against one another.
  ///
  /// The kernel and f and g² are used as given; g²/(2σ) is taken from the kernel, σ′ − f σ.
  /// - Throws: `ProcessError` that says which formula is off, and at which t.
  public init(
    name: String, alpha: @escaping @Sendable (Dual) -> Dual,
    sigma: @escaping @Sendable (Dual) -> Dual, drift: @escaping @Sendable (Double) -> Double,
    squaredDiffusion: @escaping @Sendable (Double) -> Double, endTime: Double = 1,
    cutoffs: Cutoffs? = nil, priorDeviation: Double? = nil
  ) throws(ProcessError) {
    let rates: @Sendable (Dual) -> Rates = { t in
      Rates(
        drift: drift(t.value), squaredDiffusion: squaredDiffusion(t.value),
        noiseGain: Self.slopes(log(alpha(t)), sigma(t)).noiseGain)
    }
    try self.init(
      name: name, endTime: endTime, cutoffs: cutoffs, priorDeviation: priorDeviation,
      kernel: { Self.kernel(alpha, sigma, $0) }, slopes: rates)
  }

  init(
    name: String, endTime: Double, cutoffs: Cutoffs?, priorDeviation: Double?,
    kernel: @escaping @Sendable (Double) -> Marginal, slopes: @escaping @Sendable (Dual) -> Rates
  ) throws(ProcessError) {
    try Self.check(name, endTime)
    self.name = name
    self.endTime = endTime
    standardCutoffs = Self.standardCutoffs(endTime, kernel)
    self.cutoffs = cutoffs ?? standardCutoffs
    self.priorDeviation = priorDeviation ?? kernel(endTime).sigma
    self.kernel = kernel
    self.slopes = { slopes(.variable($0)) }
    try checkConsistency(of: self)
  }

  public func marginal(at t: Double) -> Marginal { kernel(t) }

  public func rates(at t: Double) -> Rates { slopes(t) }

  /// 10⁻³ T for sampling and 10⁻⁵ T else; where noise comes so fast that σ/α is above 0.02 or 0.002 there, as where it comes at a
  /// steady rate, the times at which it is half of that.
  private static func standardCutoffs(
    _ end: Double, _ kernel: (Double) -> Marginal
  ) -> Cutoffs {
    func cutoff(_ usual: Double, _ most: Double) -> Double {
      func isAbove(_ t: Double, _ ratio: Double) -> Bool { -kernel(t).halfLogSNR > log(ratio) }
      let least = 1e-6 * usual
      // Noise that is there from t = 0 on is none that a cutoff mends.
      guard isAbove(usual, most), !isAbove(least, 0.5 * most) else { return usual }
      var (low, high) = (least, usual)
      while high / low > 1.001 {
        let middle = (low * high).squareRoot()
        if isAbove(middle, 0.5 * most) { high = middle } else { low = middle }
      }
      // Two digits, as people would write them.
      let exponent = Int(log10(low).rounded(.down)) - 1
      return Double("\(Int((low / pow(10, Double(exponent))).rounded()))e\(exponent)") ?? low
    }
    let other = cutoff(1e-5 * end, 2e-3)
    return Cutoffs(sampling: cutoff(1e-3 * end, 0.02), training: other, likelihood: other)
  }

  static func check(_ name: String, _ endTime: Double) throws(ProcessError) {
    guard endTime > 0, endTime.isFinite else {
      throw ProcessError(
        "the process \"\(name)\" has the end time \(endTime); expected a finite number above 0")
    }
  }

  private static func kernel(
    _ alpha: (Dual) -> Dual, _ sigma: (Dual) -> Dual, _ t: Double
  ) -> Marginal {
    Marginal(logAlpha: log(alpha(Dual(t)).value), sigma: sigma(Dual(t)).value)
  }

  private static func slopes(_ logAlpha: Dual, _ sigma: Dual) -> Rates {
    let drift = logAlpha.derivative
    let difference = sigma.derivative - drift * sigma.value
    // Where g² is 0, rounding must not make it negative; what is more than rounding is left for the check.
    let rounding = 1e-13 * abs(drift * sigma.value)
    let gain = difference < 0 && difference > -rounding ? 0 : difference
    return Rates(drift: drift, squaredDiffusion: 2 * sigma.value * gain, noiseGain: gain)
  }
}
