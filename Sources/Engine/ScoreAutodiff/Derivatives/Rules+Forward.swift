import ScoreTensors

extension Formula {
  /// The forward rule of this node's operation: its tangent, given those of its inputs.
  ///
  /// nil stands for zero, in `tangents` and in the answer.
  func tangent(_ tangents: [Formula?]) -> Formula? {
    let x = inputs
    switch node.operation {
    case .input, .constant, .tensor, .stopGradient: return nil
    case .unary(let function):
      return tangents[0].flatMap { function.derivative(x[0], self, times: $0) }
    case .binary(let function):
      return sum(
        tangents[0].flatMap { function.derivativeInFirst(x[0], x[1], self, times: $0) },
        tangents[1].flatMap { function.derivativeInSecond(x[0], x[1], self, times: $0) })
    case .select:
      if tangents[1] == nil && tangents[2] == nil { return nil }
      return select(x[0], tangents[1] ?? Formula(0), tangents[2] ?? Formula(0))
        .broadcast(to: shape)
    case .matmul(let left, let right):
      return sum(
        tangents[0].map { $0.matmul(x[1], transposeSelf: left, transposeOther: right) },
        tangents[1].map { x[0].matmul($0, transposeSelf: left, transposeOther: right) })
    case .convolution, .convolutionFilterGradient:
      return sum(
        tangents[0].map { Formula(node.operation, [$0, x[1]], shape) },
        tangents[1].map { Formula(node.operation, [x[0], $0], shape) })
    case .groupNorm, .groupNormGradient:
      guard let definition = definition(x) else { return nil }
      var given: [NodeKey: Formula] = [:]
      for (input, tangent) in zip(x, tangents) { given[input.key] = tangent }
      return ScoreAutodiff.tangents([definition], given, leaves: Set(x.map(\.key)))[0]
    case .max(let axes):
      return tangents[0].map { ($0 * maximumShares(x[0], axes)).sum(axes, keepDims: true) }
    case .concatenate(let axis):
      if tangents.allSatisfy({ $0 == nil }) { return nil }
      return .concatenated(
        zip(tangents, x).map { $0 ?? Formula(repeating: 0, $1.shape) }, axis: axis)
    case .gather, .scatter:
      return tangents[0].map { Formula(node.operation, [$0, x[1]], shape) }
    // Linear in their one input: the tangent goes through the same operation.
    case .reshape, .transpose, .broadcast, .sum, .slice, .pad:
      return tangents[0].map { Formula(node.operation, [$0], shape) }
    }
  }

  private func sum(_ a: Formula?, _ b: Formula?) -> Formula? {
    guard let a else { return b }
    return b.map { a + $0 } ?? a
  }
}
