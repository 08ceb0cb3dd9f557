import Foundation
import ScoreProcesses

/// The density q of the times that training draws, on [ε, T].
public struct TrainingTimes: Sendable {
  /// Which density.
  public let sampling: TimeSampling
  private let process: any LinearProcess
  private let weighted: LikelihoodWeightedTimes
  private let logNormal: LogNormalTimes

  /// Creates the density.
  /// - Parameter dataDeviation: the deviation of the data, in units of which `logNormal` sees the noise.
  /// - Throws: `ProcessError` where α/σ does not fall.
  public init(
    _ process: any LinearProcess, _ sampling: TimeSampling, dataDeviation: Double = 1
  ) throws(ProcessError) {
    self.sampling = sampling
    self.process = process
    weighted = try LikelihoodWeightedTimes(process)
    logNormal = LogNormalTimes(process, dataDeviation: dataDeviation)
  }

  private var length: Double { process.endTime - process.cutoffs.training }

  /// The time below which a share u of the draws lies.
  public func time(at u: Double) -> Double {
    switch sampling {
    case .uniform: process.trainingTime(at: u)
    case .importance: weighted.time(at: u)
    case .logNormal: logNormal.time(at: u)
    }
  }

  /// The density at t over the uniform one: q(t) (T − ε).
  public func relativeDensity(at t: Double) -> Double {
    switch sampling {
    case .uniform: 1
    case .importance: weighted.density(at: t) * length
    case .logNormal: logNormal.density(at: t) * length
    }
  }
}

/// Times at which the noise ratio σ/α, over the deviation of the data, is log-normal (Karras et al. 2022, table 1).
///
/// ```
/// log(σ/(α d)) ∼ N(−1.2 + log 2, 1.2²)   within [ε, T]
/// ```
///
/// These are the published numbers, which were given for d = 0.5.
struct LogNormalTimes: Sendable {
  private let process: any LinearProcess
  private let centre: Double
  private let (low, high): (Double, Double)

  private static var deviation: Double { 1.2 }

  init(_ process: any LinearProcess, dataDeviation: Double) {
    self.process = process
    centre = -1.2 + log(2 * dataDeviation)
    let centre = centre
    func quantile(_ t: Double) -> Double {
      Self.share(below: (-process.marginal(at: t).halfLogSNR - centre) / Self.deviation)
    }
    (low, high) = (quantile(process.cutoffs.training), quantile(process.endTime))
  }

  func time(at u: Double) -> Double {
    let z = Self.quantile(low + u * (high - low))
    let t = process.time(halfLogSNR: -(centre + Self.deviation * z))
    return min(max(t, process.cutoffs.training), process.endTime)
  }

  func density(at t: Double) -> Double {
    let marginal = process.marginal(at: t)
    let z = (-marginal.halfLogSNR - centre) / Self.deviation
    let slope = process.rates(at: t).noiseGain / marginal.sigma
    return exp(-0.5 * z * z) / (2 * Double.pi).squareRoot() / Self.deviation * slope
      / (high - low)
  }

  /// The share of a standard normal number's draws below z.
  static func share(below z: Double) -> Double { 0.5 * erfc(-z * 0.5.squareRoot()) }

  /// The z below which a share lies, by bisection and Newton's method.
  static func quantile(_ share: Double) -> Double {
    guard share < 0.5 else { return share > 0.5 ? -quantile(1 - share) : 0 }
    var (low, high) = (-38.0, 0.0)
    var z = -1.0
    for _ in 0..<100 {
      let excess = Self.share(below: z) - share
      if excess > 0 { high = z } else { low = z }
      let slope = exp(-0.5 * z * z) / (2 * Double.pi).squareRoot()
      var next = z - excess / slope
      if !(next > low && next < high) { next = 0.5 * (low + high) }
      if abs(next - z) <= 1e-15 * max(1, abs(z)) { return next }
      z = next
    }
    return z
  }
}
