import Foundation

/// The Gaussian kernel of a process that is given by f and g² alone, tabulated once.
///
/// ```
/// log α(t) = ∫₀ᵗ f,   σ(t)² = α(t)² [σ₀² + ∫₀ᵗ g²(s) α(s)⁻² ds]
/// ```
///
/// The time axis is cut into octaves that shrink towards 0, and these further until Chebyshev series of 16 terms hold
/// f and the integrand to rounding; both are integrated term by term. All summands of σ² are positive and each panel
/// keeps relative accuracy, so σ is as accurate at t = 10⁻⁵ as at T: to about 10⁻¹⁴ relative for smooth f and g². A
/// jump inside a panel costs nothing but panels.
struct KernelTable: Sendable {
  private struct Panel {
    let start: Double
    let width: Double
    /// log α and σ² where the panel starts.
    let logAlpha: Double
    let variance: Double
    /// Chebyshev coefficients of ∫f and of ∫g² (α/α_start)⁻² from the start.
    let growth: [Double]
    let noise: [Double]
  }

  private static let order = 16
  private static let octaves = 200
  private static let mostPanels = 4000

  private let panels: [Panel]

  /// Tabulates the kernel on 0 … `end`.
  /// - Throws: `ProcessError` where f or g² is not finite, g² is negative, or either is too rough to be integrated.
  init(
    name: String, drift: (Double) -> Double, squaredDiffusion: (Double) -> Double, end: Double,
    initialDeviation: Double
  ) throws(ProcessError) {
    var panels: [Panel] = []
    // ∫f and the noise of the first panel, where it is not resolved.
    var first = (growth: 0.0, noise: 0.0)
    var (logAlpha, variance) = (0.0, initialDeviation * initialDeviation)
    // A stack of intervals to do, the earliest last.
    var intervals = (0..<Self.octaves).map { k in
      (start: end * exp2(-Double(k + 1)), end: end * exp2(-Double(k)))
    }
    intervals.append((0, end * exp2(-Double(Self.octaves))))
    while let interval = intervals.popLast() {
      let width = interval.end - interval.start
      let f = try Self.series(interval) { t, _ throws(ProcessError) in
        try Self.checked(drift(t), "f", name, t, least: -.infinity)
      }
      let growth = Self.integral(f, width)
      // The place x within the panel is not got back from t, which is rounded: f may be large.
      let noise = try Self.series(interval) { t, x throws(ProcessError) in
        let g = try Self.checked(squaredDiffusion(t), "g²", name, t, least: 0)
        return g * exp(-2 * Self.value(growth, x))
      }
      let integral = Self.integral(noise, width)
      let isResolved =
        Self.isResolved(f, floor: 1e-16 / width)
        && Self.isResolved(noise, floor: 1e-16 * variance / width)
      if !isResolved && interval.start > 0 && width > 1e-14 * interval.end {
        let middle = interval.start + 0.5 * width
        intervals.append((middle, interval.end))
        intervals.append((interval.start, middle))
        guard panels.count + intervals.count <= Self.mostPanels else {
          throw ProcessError(
            "the process \"\(name)\" has f or g² too rough to integrate near t = \(middle); expected functions that are smooth but for a few jumps; one that falls to its own rounding needs a floor, such as + 1e-6"
          )
        }
        continue
      }
      if interval.start == 0, !isResolved {
        first = (Self.value(growth, 1), Self.value(integral, 1))
      }
      panels.append(
        Panel(
          start: interval.start, width: width, logAlpha: logAlpha, variance: variance,
          growth: growth, noise: integral))
      let step = Self.value(growth, 1)
      logAlpha += step
      variance = exp(2 * step) * (variance + Self.value(integral, 1))
    }
    self.panels = panels
    // What lies below the smallest octave is integrated as it comes, so it may be no part of the whole.
    let early = marginal(at: 1e-5 * end)
    guard abs(first.growth) <= max(1e-12 * abs(early.logAlpha), 1e-15),
      first.noise <= 1e-12 * early.sigma * early.sigma
    else {
      throw ProcessError(
        "the process \"\(name)\" has f or g² too large near t = 0 to be integrated; expected growth no faster than t^(−¾)"
      )
    }
  }

  /// The kernel at t; times outside the table are carried on from its first or last panel.
  func marginal(at t: Double) -> Marginal {
    // The last panel that starts at or before t.
    var (low, high) = (0, panels.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if panels[middle].start <= t { low = middle } else { high = middle }
    }
    let panel = panels[low]
    // A series leaves its rounding even where it starts.
    if t <= panel.start {
      return Marginal(logAlpha: panel.logAlpha, sigma: panel.variance.squareRoot())
    }
    let x = max(0, t - panel.start) / panel.width * 2 - 1
    let growth = Self.value(panel.growth, x)
    let variance = exp(2 * growth) * (panel.variance + max(0, Self.value(panel.noise, x)))
    return Marginal(logAlpha: panel.logAlpha + growth, sigma: variance.squareRoot())
  }

  private static func checked(
    _ value: Double, _ symbol: String, _ name: String, _ t: Double, least: Double
  ) throws(ProcessError) -> Double {
    guard value.isFinite, value >= least else {
      throw ProcessError(
        "the process \"\(name)\" has \(symbol) = \(value) at t = \(t); expected a finite number\(least == 0 ? " of at least 0" : "")"
      )
    }
    return value
  }

  // The Chebyshev coefficients of the interpolant through the roots of T₁₆, which never touch the ends, of a function of the
  // time and of its place in −1 … 1.
  private static func series(
    _ interval: (start: Double, end: Double),
    _ function: (_ t: Double, _ x: Double) throws(ProcessError) -> Double
  ) throws(ProcessError) -> [Double] {
    let n = order
    var values: [Double] = []
    for j in 0..<n {
      let x = cos(.pi * (Double(j) + 0.5) / Double(n))
      values.append(
        try function(interval.start + 0.5 * (x + 1) * (interval.end - interval.start), x))
    }
    return (0..<n).map { k in
      let sum = (0..<n).reduce(0.0) {
        $0 + values[$1] * cos(.pi * Double(k) * (Double($1) + 0.5) / Double(n))
      }
      return sum * (k == 0 ? 1 : 2) / Double(n)
    }
  }

  // The coefficients of ∫ from the start of an interval of width `width`; one more than went in.
  private static func integral(_ c: [Double], _ width: Double) -> [Double] {
    let half = 0.5 * width
    func coefficient(_ k: Int) -> Double { k < c.count ? c[k] : 0 }
    var result = [Double](repeating: 0, count: c.count + 1)
    result[1] = half * (coefficient(0) - 0.5 * coefficient(2))
    for k in 2...c.count {
      result[k] = half * (coefficient(k - 1) - coefficient(k + 1)) / Double(2 * k)
    }
    for k in 1...c.count { result[0] -= k % 2 == 0 ? result[k] : -result[k] }
    return result
  }

  // Clenshaw's recurrence.
  private static func value(_ c: [Double], _ x: Double) -> Double {
    var (a, b) = (0.0, 0.0)
    for k in stride(from: c.count - 1, to: 0, by: -1) { (a, b) = (2 * x * a - b + c[k], a) }
    return x * a - b + c[0]
  }

  // Whether the last coefficients are rounding beside the largest, or beside what already is there.
  private static func isResolved(_ c: [Double], floor: Double) -> Bool {
    guard c.allSatisfy(\.isFinite) else { return false }
    let largest = c.reduce(0) { max($0, abs($1)) }
    let tail = c.suffix(3).reduce(0) { max($0, abs($1)) }
    return tail <= max(4e-15 * largest, floor)
  }
}
