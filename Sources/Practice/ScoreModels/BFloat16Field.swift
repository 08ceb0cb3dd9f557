import ScoreProcesses
import ScoreTensors

/// A trained model to sample from whose products with parameter matrices round their operands to bfloat16.
///
/// ε̂ differs from the model's by a few thousandths of its size, and a row's bits still depend on the row and its time alone.
/// There are no pullbacks, so likelihoods, which feel such errors, take the model itself. Faster than the model
/// where the processor multiplies bfloat16 (AVX512-BF16), slower elsewhere.
public struct BFloat16Field: ScoreField {
  private let model: ScoreModel<Float>

  /// Creates the field of a model.
  public init(_ model: ScoreModel<Float>) {
    self.model = ScoreModel(model, products: .bfloat16)
  }

  private init(rounded model: ScoreModel<Float>) { self.model = model }

  public var rowCount: Int? { model.rowCount }
  public func rows(_ rows: [Int]) -> BFloat16Field { BFloat16Field(rounded: model.rows(rows)) }

  public var process: any LinearProcess { model.process }
  public var sampleShape: Shape { model.sampleShape }

  public func noise(_ x: Tensor<Float>, at t: Times) throws -> Tensor<Float> {
    try model.noise(x, at: t)
  }
}
