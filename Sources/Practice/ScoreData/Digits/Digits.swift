import ScoreTensors

/// The UCI handwritten digits: 5,620 images of 8 × 8 pixels with levels 0 … 16, in the package itself.
///
/// The official halves hold 3,823 images of 30 writers for training and 1,797 of 13 other writers for testing. The test
/// half is in its official order; the training half is complete, in another order than the official one.
public enum Digits {
  /// The two halves of the data.
  public enum Half: String, Sendable, CaseIterable {
    /// 3,823 images.
    case training
    /// 1,797 images of other writers.
    case test
  }

  /// Who made the data, and their licence; keep it with whatever shows them.
  public static let attribution =
    "Optical Recognition of Handwritten Digits. E. Alpaydin and C. Kaynak, 1998. "
    + "UCI Machine Learning Repository, https://doi.org/10.24432/C50P49. CC BY 4.0."

  /// How the levels 0 … 16 map to −1 … 1.
  public static let scale = DataScale(levels: 17)

  /// The images of a half: samples of shape `[n, 8, 8, 1]` with levels 0 … 16, and the digits as labels.
  public static func load<Scalar: TensorScalar>(
    _ half: Half, as type: Scalar.Type = Scalar.self
  ) -> Dataset<Scalar> {
    let text = half == .training ? trainText : testText
    let lines = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    // 65 characters and a line end an image; the last line has none.
    let count = (lines.count + 1) / 66
    let samples = Tensor<Scalar>([count, 8, 8, 1]) { pixels in
      for place in 0..<count * 64 {
        pixels[place] = Scalar(value(lines[place / 64 * 66 + place % 64]))
      }
    }
    return Dataset(
      name: half == .training ? "digits" : "digits:test", samples: samples,
      labels: (0..<count).map { value(lines[$0 * 66 + 64]) }, scale: scale)
  }

  /// The value of a character: 0 … 9, then a … g.
  private static func value(_ character: UInt8) -> Int {
    Int(character) - Int(character < 0x3A ? 0x30 : 0x61 - 10)
  }
}
