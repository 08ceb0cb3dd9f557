import Foundation
import ScoreProcesses

/// The density of times proportional to g²/σ² on [ε, T], tabulated for any linear process.
///
/// Under likelihood weighting it makes every time's weight equal, which lowers the variance of the loss
/// (Song et al. 2021b, section 5.1). The table is in log t, where g²/σ² · t varies slowly near 0; between its points the
/// distribution is interpolated linearly, and `relativeDensity` is the exact ratio g²/σ² over the table's mass.
public struct ImportanceTimes: Sendable {
  private let process: any LinearProcess
  private let first: Double
  private let logStep: Double
  private let cumulative: [Double]

  /// The integral of g²/σ² over [ε, T].
  public var mass: Double { cumulative.last ?? 0 }

  /// - Throws: `ProcessError` where g²/σ² is not finite and positive on [ε, T].
  public init(_ process: any LinearProcess, from epsilon: Double, points: Int = 4096)
    throws(ProcessError)
  {
    guard epsilon > 0, epsilon < process.endTime else {
      throw ProcessError(
        "the first training time is \(epsilon); expected above 0 and below \(process.endTime)")
    }
    self.process = process
    first = epsilon
    logStep = log(process.endTime / epsilon) / Double(points)
    // Simpson's rule on each interval of log t, dt = t d(log t).
    var sums = [0.0]
    sums.reserveCapacity(points + 1)
    func integrand(_ logOffset: Double) -> Double {
      let t = min(process.endTime, epsilon * exp(logOffset))
      return t * Self.rate(process, t)
    }
    var left = integrand(0)
    for i in 0..<points {
      let middle = integrand((Double(i) + 0.5) * logStep)
      let right = integrand(Double(i + 1) * logStep)
      let part = logStep / 6 * (left + 4 * middle + right)
      guard part > 0, part.isFinite else {
        let t = epsilon * exp(Double(i) * logStep)
        throw ProcessError(
          "g²/σ² of the process \(process.name) is not finite and positive near t = \(t)")
      }
      sums.append((sums.last ?? 0) + part)
      left = right
    }
    cumulative = sums
  }

  private static func rate(_ process: any LinearProcess, _ t: Double) -> Double {
    let sigma = process.marginal(at: t).sigma
    return process.rates(at: t).squaredDiffusion / (sigma * sigma)
  }

  /// The time at quantile `u`, from 0 to 1.
  public func time(at u: Double) -> Double {
    let target = min(max(u, 0), 1) * mass
    var (low, high) = (0, cumulative.count - 1)
    while high - low > 1 {
      let middle = (low + high) / 2
      if cumulative[middle] <= target { low = middle } else { high = middle }
    }
    let share = (target - cumulative[low]) / (cumulative[high] - cumulative[low])
    return min(process.endTime, first * exp((Double(low) + share) * logStep))
  }

  /// g²/σ² at t, divided by its mean over [ε, T].
  public func relativeDensity(at t: Double) -> Double {
    Self.rate(process, t) * (process.endTime - first) / mass
  }
}
