import ScoreTensors

/// Numbers that samples are conditioned on: the y of p(x | y).
public struct Covariates: Sendable, Equatable {
  /// Their names, or nil where they have none.
  public let names: [String]?
  /// The numbers in their own units, `[n, k]`, a row a sample.
  public let values: Tensor<Double>

  /// - Precondition: values of shape `[n, k]`, and as many names as columns where there are any.
  public init(names: [String]? = nil, values: Tensor<Double>) {
    precondition(
      values.shape.rank == 2 && names.map { $0.count == values.shape[1] } ?? true,
      "covariates of shape \(values.shape) with \(names?.count ?? 0) names")
    self.names = names
    self.values = values
  }

  /// A text that tells these numbers from others: their shape and a hash of their bits.
  public var fingerprint: String { Dataset<Double>(name: "", samples: values).fingerprint }
}
