import Foundation
import ScoreTensors

/// The components of a Gaussian mixture, checked, with their numbers laid out flat for the row loops.
struct MixtureComponents: Sendable {
  /// The number of dimensions D.
  let dimensions: Int
  /// The components of positive weight.
  let gaussians: [GaussianComponent]
  /// Their weights, which sum to 1 to rounding.
  let weights: [Double]
  /// Their log weights.
  let logWeights: [Double]
  /// Their means, `[K, D]`.
  let means: [Double]
  /// Their eigenvalues, `[K, D]`.
  let variances: [Double]
  /// Their axes, one a row, `[K, D, D]`; empty where every covariance is diagonal.
  let axes: [Double]

  /// The number of components K of positive weight.
  var count: Int { gaussians.count }

  /// Checks parameters.
  /// - Throws: `ProcessError` that names the entry at fault as the file does.
  init(_ parameters: MixtureParameters) throws(ProcessError) {
    let (weights, means) = (parameters.weights, parameters.means)
    let covariances = parameters.covariances
    guard !weights.isEmpty, weights.count == means.count, weights.count == covariances.count else {
      throw ProcessError(
        "the mixture has \(weights.count) weights, \(means.count) means and \(covariances.count) covariances; expected the same number of each, at least 1"
      )
    }
    for (k, weight) in weights.enumerated() where !(weight >= 0 && weight.isFinite) {
      throw ProcessError(
        "the mixture's weights[\(k)] is \(weight); expected a number of at least 0")
    }
    let total = weights.reduce(0, +)
    guard abs(total - 1) <= 1e-6 else {
      throw ProcessError("the mixture's weights sum to \(total); expected 1 within 1e-6")
    }
    var gaussians: [GaussianComponent] = []
    for k in weights.indices {
      guard means[k].count == means[0].count else {
        throw ProcessError(
          "the mixture's means[\(k)] has \(means[k].count) entries; expected \(means[0].count), as in means[0]"
        )
      }
      gaussians.append(
        try GaussianComponent(
          mean: means[k], covariance: covariances[k],
          named: ("the mixture's means[\(k)]", "the mixture's covariances[\(k)]")))
    }
    // A component of weight 0 would only put the logarithm of 0 into the sums.
    let present = weights.indices.filter { weights[$0] > 0 }
    let order = means[0].count
    dimensions = order
    self.gaussians = present.map { gaussians[$0] }
    self.weights = present.map { weights[$0] / total }
    logWeights = self.weights.map { log($0) }
    self.means = self.gaussians.flatMap(\.mean)
    variances = self.gaussians.flatMap(\.variances)
    axes =
      self.gaussians.allSatisfy { $0.axes == nil }
      ? []
      : self.gaussians.flatMap { gaussian in
        gaussian.axes?.scalars
          ?? (0..<order * order).map { $0 / order == $0 % order ? 1 : 0 }
      }
  }

  /// Draws of the mixture from one uniform number a row and standard normal rows `[n, D]`.
  func draw(uniform: [Double], normal: Tensor<Double>) -> Tensor<Double> {
    var sums: [Double] = []
    for weight in weights { sums.append((sums.last ?? 0) + weight) }
    var members = [[Int]](repeating: [], count: count)
    for (row, u) in uniform.enumerated() {
      members[sums.firstIndex { u < $0 } ?? count - 1].append(row)
    }
    var result = normal
    for (gaussian, rows) in zip(gaussians, members) where !rows.isEmpty {
      result.setRows(rows, to: gaussian.shifted(normal.rows(rows)))
    }
    return result
  }
}
