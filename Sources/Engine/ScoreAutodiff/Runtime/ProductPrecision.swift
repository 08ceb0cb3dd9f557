/// What a program's products of rows with parameter matrices, 1 × 1 convolutions among them, do with their operands.
public enum ProductPrecision: String, Sendable, CaseIterable {
  /// They are taken as they are.
  case full
  /// Values and parameters are each rounded to the nearest bfloat16, eight bits of significand; products and sums stay Float.
  ///
  /// Faster where the processor multiplies bfloat16 (AVX512-BF16), slower elsewhere. Products of two values, those whose left
  /// side is the parameter or a stack of transposed matrices, convolutions wider than one pixel, and what is done once when
  /// parameters are bound stay as they are.
  case bfloat16
}
