import ScoreTensors

/// The closed set of operations that formulas are made of.
///
/// Whatever users write ends in these; everything that walks formulas (the gradient rules, the interpreter, the
/// compiler) is one exhaustive `switch` over them. The shape of the result is held by the node.
package enum Operation: Hashable, Sendable {
  /// A value given at run time, known by its name.
  case input(String)
  /// The same number in every entry.
  case constant(Double)
  /// Numbers known when the formula is written.
  case tensor(ConstantEntries)
  /// A function of one entry.
  case unary(UnaryFunction)
  /// A function of two entries; both inputs have the result's shape.
  case binary(BinaryFunction)
  /// `condition ≠ 0 ? a : b`, entry by entry; three inputs of the result's shape.
  case select
  /// `op(A)·op(B)` over the last two axes; all axes before them are equal in both.
  case matmul(transposeLeft: Bool, transposeRight: Bool)
  /// Images by a filter `[a, b, channels, results]`; flipped, the filter is `[a, b, results, channels]` and read turned
  /// round in space, as in the gradient of the first input.
  case convolution(ConvolutionWindow, flipped: Bool)
  /// What images and the cotangents of their convolution give for the filter, which has the result's shape.
  case convolutionFilterGradient(ConvolutionWindow)
  /// Images normalised in groups of channels; then scale and shift. Composite.
  case groupNorm(GroupNormalization)
  /// One of its gradients, from its three inputs and its cotangent. Composite.
  case groupNormGradient(GroupNormalization, GroupNormalization.Variable)
  /// The same entries, in the same row-major order, under another shape.
  case reshape
  /// Axis `i` of the result is axis `permutation[i]` of the input.
  case transpose([Int])
  /// Axes of extent 1 repeated; the rank stays.
  case broadcast
  /// Sums over axes, which stay with extent 1.
  case sum([Int])
  /// Largest entry over axes, which stay with extent 1.
  case max([Int])
  /// The box of the result's shape that starts at an index.
  case slice([Int])
  /// The input set into zeros of the result's shape, starting at an index.
  case pad([Int])
  /// The inputs one after the other along an axis.
  case concatenate(Int)
  /// Rows of the first input, chosen by the second, whose entries are whole numbers.
  case gather
  /// Rows of the first input added into zeros at the rows chosen by the second.
  case scatter
  /// The input; gradients see a constant.
  case stopGradient
}

/// Functions of one entry.
package enum UnaryFunction: String, Hashable, Sendable, CaseIterable {
  case negate, abs, sign, square, sqrt, rsqrt, reciprocal
  case exp, expm1, log, log1p, sin, cos, tanh, sigmoid, silu, softplus, erf, relu
}

/// Functions of two entries.
package enum BinaryFunction: String, Hashable, Sendable, CaseIterable {
  case add, subtract, multiply, divide, maximum, minimum, power
  /// 1 where the first is greater, else 0.
  case greater
  /// The second times the derivative of silu at the first.
  case siluGradient
}

/// Entries of a constant, equal when they agree bit for bit.
package struct ConstantEntries: Hashable, Sendable {
  package let tensor: Tensor<Double>

  package static func == (a: ConstantEntries, b: ConstantEntries) -> Bool {
    a.tensor.shape == b.tensor.shape
      && a.tensor.withUnsafeBuffer { x in
        b.tensor.withUnsafeBuffer { y in x.elementsEqual(y) { $0.bitPattern == $1.bitPattern } }
      }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(tensor.shape)
    tensor.withUnsafeBuffer { for entry in $0.prefix(16) { hasher.combine(entry.bitPattern) } }
  }
}
