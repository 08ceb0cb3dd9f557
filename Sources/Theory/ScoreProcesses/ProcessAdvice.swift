import Foundation
import ScoreTensors

/// A parameter chosen from the data, and why, in one sentence.
public struct Advice: Sendable, Equatable {
  /// The parameter, as on the command line.
  public let name: String
  /// Its value.
  public let value: Double
  /// Why.
  public let reason: String

  public init(name: String, value: Double, reason: String) {
    self.name = name
    self.value = value
    self.reason = reason
  }
}

/// Parameters of processes and samplers chosen from data: σmax, βmax, snr and σ_data, each with its reason.
public struct ProcessAdvice: Sendable, Equatable {
  /// σmax of VE and EDM: the largest distance between two samples (Song & Ermon 2020, technique 1).
  public let sigmaMax: Advice
  /// βmax of VP and sub-VP with βmin = 0.1: the least that keeps the prior's mismatch below a bound.
  public let betaMax: Advice
  /// The signal-to-noise ratio of the Langevin corrector.
  public let snr: Advice
  /// σ_data of EDM's preconditioning: the standard deviation of all entries about their mean.
  public let dataDeviation: Advice

  /// All of them, in order.
  public var all: [Advice] { [sigmaMax, betaMax, snr, dataDeviation] }

  /// Chooses parameters for data `[n, …]`.
  ///
  /// - βmax: for any data, KL(p_T ‖ N(0, I)) ≤ E KL(p(x_T | x_0) ‖ N(0, I)) = ½ [α² E|x_0|² + D (σ² − 1 − log σ²)], since KL
  ///   is convex; α(T) is where that bound is `mismatch` nats for sub-VP, σ = 1 − α², which is more than for VP.
  /// - snr: Langevin steps of ratio r spread the samples' radius by 1/√(1 − r²), about r²/2 too wide; noise in D
  ///   dimensions lies in a shell of relative thickness 1/√(2D). r = (2/D)^¼ makes the two equal, 0.16 for CIFAR-10 as
  ///   published; it is not taken above that.
  ///
  /// Distances are among at most `sampleLimit` samples, spread evenly over the data; n² D/2 operations.
  /// - Throws: `ProcessError` unless there are two samples that differ, all entries finite, and the bound is positive.
  public init<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, mismatch: Double = 1e-4, sampleLimit: Int = 2000
  ) throws(ProcessError) {
    guard data.shape.rank > 1, data.rows >= 2, data.shape.rowCount > 0 else {
      throw ProcessError("the data have shape \(data.shape); expected 2 samples or more")
    }
    guard data.isFinite else {
      throw ProcessError("the data hold an entry that is no finite number; expected finite ones")
    }
    guard mismatch > 0, mismatch.isFinite else {
      throw ProcessError("the prior's mismatch is \(mismatch) nats; expected a number above 0")
    }
    let dimensions = data.shape.rowCount
    let entries = data.scalars.map { Double($0) }
    let mean = entries.reduce(0, +) / Double(entries.count)
    let variance =
      entries.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(entries.count)
    let square = entries.reduce(0) { $0 + $1 * $1 } / Double(data.rows)

    guard square.isFinite else {
      throw ProcessError("the data are so large that their squares are no finite numbers")
    }
    let used = min(data.rows, max(2, sampleLimit))
    // Spread evenly, but off any period that the order of the samples may have.
    let rows = (0..<used).map { place in
      let (low, high) = (place * data.rows / used, (place + 1) * data.rows / used)
      return low + Int(RandomKey(0).folded(UInt64(place)).bits % UInt64(high - low))
    }
    let who = used == data.rows ? "the \(used) samples" : "\(used) of the \(data.rows) samples"
    let largest = Self.largestDistance(entries, rows, dimensions)
    guard largest > 0 else {
      throw ProcessError("all of \(who) are the same; expected two that differ")
    }
    sigmaMax = Advice(
      name: "sigma-max", value: largest,
      reason:
        "the largest distance between two of \(who): with noise of that size every sample can come from every other (Song & Ermon 2020, technique 1)"
    )

    let logAlpha = Self.logAlpha(mismatch, square, dimensions)
    let betaMin = 0.1
    let beta = max(2 * betaMin, -4 * logAlpha - betaMin)
    betaMax = Advice(
      name: "beta-max", value: beta,
      reason:
        "with beta-min \(Spec.text(betaMin)) the prior N(0, I) is at most \(Spec.text(mismatch)) nats from p_T, whose samples keep \(Self.rounded(exp(-0.25 * (beta + betaMin)))) of data with the mean square norm \(Self.rounded(square))"
    )

    let shell = pow(2 / Double(dimensions), 0.25)
    snr = Advice(
      name: "snr", value: min(0.16, shell),
      reason: shell < 0.16
        ? "(2/D)^(1/4) for D = \(dimensions): the corrector widens samples by no more than the thickness of the noise's shell"
        : "the published 0.16, which widens samples by 1.3 %: in D = \(dimensions) dimensions the noise's shell would let pass \(Self.rounded(shell))"
    )

    dataDeviation = Advice(
      name: "sigma-data", value: variance.squareRoot(),
      reason:
        "the standard deviation of all entries about their mean, \(Self.rounded(abs(mean) < 1e-9 * variance.squareRoot() ? 0 : mean)): inputs scaled by it have variance 1 at every noise level (Karras et al. 2022, table 1)"
    )
  }

  private static func rounded(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return Spec.text(value) }
    let unit = pow(10, 2 - log10(abs(value)).rounded(.down))
    return Spec.text((value * unit).rounded() / unit)
  }

  private static func largestDistance(
    _ entries: [Double], _ rows: [Int], _ width: Int
  ) -> Double {
    entries.withUnsafeBufferPointer { entries in
      var largest = 0.0
      for (place, i) in rows.enumerated() {
        for j in rows[(place + 1)...] {
          var sum = 0.0
          for k in 0..<width {
            let difference = entries[i * width + k] - entries[j * width + k]
            sum += difference * difference
          }
          largest = max(largest, sum)
        }
      }
      return largest.squareRoot()
    }
  }

  // The log α at which ½ [α² S + D ((1 − α²)² − 1 − 2 log(1 − α²))] is the mismatch; the bound rises with α.
  private static func logAlpha(_ mismatch: Double, _ square: Double, _ dimensions: Int) -> Double {
    var (low, high) = (min(-40, -40 - 0.5 * log(square)), -1e-6)
    for _ in 0..<200 {
      let middle = 0.5 * (low + high)
      let signal = exp(2 * middle)
      let excess =
        signal < 1e-4
        ? signal * signal * (2 + 2 * signal / 3) : signal * (signal - 2) - 2 * log1p(-signal)
      let bound = 0.5 * (signal * square + Double(dimensions) * excess)
      if bound > mismatch { high = middle } else { low = middle }
    }
    return low
  }
}
