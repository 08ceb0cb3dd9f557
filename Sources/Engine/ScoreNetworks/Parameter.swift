import ScoreAutodiff
import ScoreTensors

/// One named tensor of a network: what it is called, its shape, and how it starts.
public struct Parameter: Sendable, Equatable {
  /// The name in files, such as `layers.0.weight`.
  public let name: String
  /// The extents.
  public let shape: Shape
  /// The distribution of the entries at the start.
  public let initializer: Initializer
  /// Whether training changes it; a buffer such as Fourier frequencies stays as it was drawn.
  public let isTrained: Bool

  public init(_ name: String, _ shape: Shape, _ initializer: Initializer, isTrained: Bool = true) {
    self.name = name
    self.shape = shape
    self.initializer = initializer
    self.isTrained = isTrained
  }

  /// The parameter as an input of formulas, known by its name.
  public var formula: Formula { .input(name, shape) }
}

/// The distribution of a parameter's entries before training.
public enum Initializer: Sendable, Equatable {
  /// Every entry has this value.
  case constant(Double)
  /// Normal with mean 0 and this standard deviation.
  case normal(deviation: Double)
  /// Uniform between −bound and bound.
  case uniform(bound: Double)

  /// Normal with variance 1/fanIn (LeCun et al. 1998): keeps the variance of a linear layer's output.
  public static func leCun(fanIn: Int) -> Initializer {
    .normal(deviation: 1 / Double(max(1, fanIn)).squareRoot())
  }

  /// Normal with variance 2/fanIn (He et al. 2015): keeps the variance behind a rectifier.
  public static func kaiming(fanIn: Int) -> Initializer {
    .normal(deviation: (2 / Double(max(1, fanIn))).squareRoot())
  }

  /// Uniform with variance 2/(fanIn + fanOut) (Glorot & Bengio 2010).
  public static func xavier(fanIn: Int, fanOut: Int) -> Initializer {
    .uniform(bound: (6 / Double(max(1, fanIn + fanOut))).squareRoot())
  }

  /// The entries for a key; in Float and in Double the same numbers up to rounding.
  public func values<Scalar: TensorScalar>(_ shape: Shape, key: RandomKey) -> Tensor<Scalar> {
    // Drawn as one row, so that the numbers do not depend on how the shape is split into axes.
    let flat: Shape = [1, shape.count]
    switch self {
    case .constant(let value):
      return Tensor(shape, repeating: Scalar(value))
    case .normal(let deviation):
      return (Scalar(deviation) * key.normal(flat)).reshaped(shape)
    case .uniform(let bound):
      return key.uniform(flat).map { Scalar(bound) * (2 * $0 - 1) }.reshaped(shape)
    }
  }
}
