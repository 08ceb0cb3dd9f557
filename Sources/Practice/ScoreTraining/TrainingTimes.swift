import Foundation
import ScoreProcesses

/// The density q of the times that training draws, on [ε, T].
public struct TrainingTimes: Sendable {
  /// Which density.
  public let sampling: TimeSampling
  private let process: any LinearProcess
  private let weighted: LikelihoodWeightedTimes
  private let logNormal: LogNormalTimes?
  private let tabulated: TabulatedTimes?

  /// Creates the density.
  /// - Parameter dataDeviation: the deviation of the data, in units of which `logNormal` sees the noise.
  /// - Throws: `ProcessError` where α/σ does not fall, or where `logNormal` finds no time at which its noise is not beyond all
  ///   draws; `TrainingError` where a density of one's own is none.
  public init(
    _ process: any LinearProcess, _ sampling: TimeSampling, dataDeviation: Double = 1
  ) throws {
    self.sampling = sampling
    self.process = process
    let weighted = try LikelihoodWeightedTimes(process)
    self.weighted = weighted
    switch sampling {
    case .uniform, .importance: (logNormal, tabulated) = (nil, nil)
    case .logNormal:
      (logNormal, tabulated) = (try LogNormalTimes(process, dataDeviation: dataDeviation), nil)
    case .balanced:
      logNormal = nil
      tabulated = try (try? LogNormalTimes(process, dataDeviation: dataDeviation)).map { normal in
        try TabulatedTimes("balanced", over: weighted) {
          LossWeighting.balance(weighted.density(at: $0), normal.density(at: $0))
        }
      }
    case .own(let own):
      logNormal = nil
      tabulated = try TabulatedTimes(
        own.name, over: weighted, own.checked("density of times", at: weighted.time))
    }
  }

  private var length: Double { process.endTime - process.cutoffs.training }

  /// The time below which a share u of the draws lies.
  public func time(at u: Double) -> Double {
    switch sampling {
    case .uniform: process.trainingTime(at: u)
    case .importance: weighted.time(at: u)
    case .logNormal: logNormal?.time(at: u) ?? .nan
    case .balanced, .own: tabulated?.time(at: u) ?? weighted.time(at: u)
    }
  }

  /// The density at t over the uniform one: q(t) (T − ε).
  public func relativeDensity(at t: Double) -> Double {
    switch sampling {
    case .uniform: 1
    case .importance: weighted.density(at: t) * length
    case .logNormal: (logNormal?.density(at: t) ?? .nan) * length
    case .balanced, .own: (tabulated?.density(at: t) ?? weighted.density(at: t)) * length
    }
  }
}

/// Times from any density, by a table.
///
/// In each of 4096 cells, even in log(σ/α), the density is that of `LikelihoodWeightedTimes` times the ratio of the two at the
/// cell's middle, and is known as exactly as it is drawn from.
struct TabulatedTimes: Sendable {
  private let base: LikelihoodWeightedTimes
  /// For each cell the share of the draws in it and in those before.
  private let shares: [Double]

  private static var cells: Int { 4096 }

  init(
    _ name: String, over base: LikelihoodWeightedTimes, _ density: (Double) -> Double
  ) throws(TrainingError) {
    self.base = base
    let ratios = (0..<Self.cells).map { cell in
      let t = base.time(at: (Double(cell) + 0.5) / Double(Self.cells))
      return density(t) / base.density(at: t)
    }
    var sum = 0.0
    let sums = ratios.map { ratio in
      sum += ratio
      return sum
    }
    guard sum.isFinite, sum > 0, !ratios.contains(where: { !($0 >= 0) }) else {
      throw TrainingError(
        "the density of times \(name) has the mass \(sum.inSentence); expected a positive number"
      )
    }
    shares = sums.map { $0 / sum }
  }

  private func share(before cell: Int) -> Double { cell == 0 ? 0 : shares[cell - 1] }

  func time(at u: Double) -> Double {
    // The first cell that reaches u; one without a share is passed over.
    var (low, high) = (0, Self.cells - 1)
    while low < high {
      let middle = (low + high) / 2
      if shares[middle] < u || shares[middle] == 0 { low = middle + 1 } else { high = middle }
    }
    let before = share(before: low)
    let part = shares[low] > before ? (u - before) / (shares[low] - before) : 1
    // Never so near a cell's edge that rounding takes the time for one of the next cell, which may have no density.
    return base.time(at: (Double(low) + min(max(part, 1e-9), 1 - 1e-9)) / Double(Self.cells))
  }

  func density(at t: Double) -> Double {
    // Where σ is 0 the quantile is not finite.
    let place = base.quantile(of: t) * Double(Self.cells)
    let cell = Int(min(max(place, 0), Double(Self.cells - 1)))
    let own = shares[cell] - share(before: cell)
    return own > 0 ? own * Double(Self.cells) * base.density(at: t) : 0
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
  /// The shares of a standard normal number's draws below the ends of the range, seen from the nearer tail: with `isMirrored`
  /// those above them, which do not round to 1.
  private let (low, high): (Double, Double)
  private let isMirrored: Bool

  private static var deviation: Double { 1.2 }

  init(_ process: any LinearProcess, dataDeviation: Double) throws(ProcessError) {
    self.process = process
    let centre = -1.2 + log(2 * dataDeviation)
    self.centre = centre
    func z(_ t: Double) -> Double {
      (-process.marginal(at: t).halfLogSNR - centre) / Self.deviation
    }
    let (first, last) = (z(process.cutoffs.training), z(process.endTime))
    isMirrored = first > 0
    (low, high) =
      isMirrored
      ? (Self.share(below: -last), Self.share(below: -first))
      : (Self.share(below: first), Self.share(below: last))
    guard high > low, high > 1e-300 else {
      throw ProcessError(
        "the data's deviation is \(dataDeviation), and log-normal times want noise of that size, which the process \(process.name) does not have from its cutoff to T; expected data of another scale, or other times"
      )
    }
  }

  func time(at u: Double) -> Double {
    let share = isMirrored ? high - u * (high - low) : low + u * (high - low)
    let z = isMirrored ? -Self.quantile(share) : Self.quantile(share)
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

  /// The z below which a share lies, by Newton's method on the share's logarithm, which is concave: after one step it comes from
  /// below and does not pass.
  static func quantile(_ share: Double) -> Double {
    guard share < 0.5 else { return share > 0.5 ? -quantile(1 - share) : 0 }
    var z = -1.0
    for _ in 0..<100 {
      let below = Self.share(below: z)
      let slope = exp(-0.5 * z * z) / (2 * Double.pi).squareRoot() / below
      let next = max(z - log(below / share) / slope, -38)
      if abs(next - z) <= 1e-15 * max(1, abs(z)) { return next }
      z = next
    }
    return z
  }
}
