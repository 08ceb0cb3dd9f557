import Foundation

/// The bits per dimension of quantised data, from a log density in nats.
///
/// ```
/// −(log p + log V)/(D ln 2)
/// ```
///
/// V is the volume of one cell of the quantisation in the units in which the density was taken, so that p V is the
/// cell's probability: V = wᴰ for cells of width w. Data of 8 bits in [0, 1] have w = 1/256 and gain 8 bits, in [−1, 1]
/// they have w = 1/128 and gain 7. The density must be that of data that were dequantised (spread over their cells):
/// without, it has no bound.
///
/// - Parameters:
///   - nats: log p.
///   - dimensions: D, 1 or more.
///   - logVolumeScale: log V.
public func bitsPerDimension(
  _ nats: Double, dimensions: Int, logVolumeScale: Double
) -> Double {
  precondition(dimensions > 0, "bits per dimension of \(dimensions) dimensions")
  return -(nats + logVolumeScale) / (Double(dimensions) * log(2))
}
