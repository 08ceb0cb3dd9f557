import ScoreTensors

/// What samples are conditioned on: the y of p(x | y), numbers, or an image or a series for each sample.
public struct Covariates: Sendable, Equatable {
  /// The names of the numbers, or nil where they have none.
  public let names: [String]?
  /// The numbers in their own units, `[n, k]`, a row a sample.
  public let values: Tensor<Double>
  /// The shape of a row: `[k]`, or that of an image or a series of k entries.
  public let shape: Shape
  /// The columns of texts, each of which has a number among them, 0 or 1.
  public let texts: [TextColumn]

  /// - Parameter shape: of a row; nil takes `[k]`.
  /// - Precondition: values of shape `[n, k]`, as many names as columns where there are any, and a shape of k entries.
  public init(
    names: [String]? = nil, values: Tensor<Double>, shape: Shape? = nil, texts: [TextColumn] = []
  ) {
    precondition(
      values.shape.rank == 2 && names.map { $0.count == values.shape[1] } ?? true
        && shape.map { $0.count == values.shape[1] } ?? true,
      "covariates of shape \(values.shape) with \(names?.count ?? 0) names, each of shape \(shape.map { "\($0)" } ?? "of a row")"
    )
    self.names = names
    self.values = values
    self.texts = texts
    self.shape = shape ?? [values.shape[1]]
  }

  /// Whether each is an image or a series, and no row of numbers.
  public var areImages: Bool { shape.rank > 1 }

  /// A text that tells these numbers from others: their shape and a hash of their bits.
  public var fingerprint: String { Dataset<Double>(name: "", samples: values).fingerprint }
}
