import ScoreTensors

extension Formula {
  /// The reverse rule of this node's operation: the cotangents of its inputs, given its own.
  ///
  /// nil stands for zero. Only inputs for which `wanted` is true need an answer.
  func inputCotangents(_ g: Formula, wanted: [Bool]) -> [Formula?] {
    let x = inputs
    switch node.operation {
    case .input, .constant, .tensor: return []
    case .stopGradient: return [nil]
    case .unary(let function): return [function.derivative(x[0], self, times: g)]
    case .binary(let function):
      return [
        wanted[0] ? function.derivativeInFirst(x[0], x[1], self, times: g) : nil,
        wanted[1] ? function.derivativeInSecond(x[0], x[1], self, times: g) : nil,
      ]
    case .select:
      return [nil, select(x[0], g, Formula(0)), select(x[0], Formula(0), g)]
    case .matmul(let left, let right):
      return [
        wanted[0]
          ? left
            ? x[1].matmul(g, transposeSelf: right, transposeOther: true)
            : g.matmul(x[1], transposeOther: !right)
          : nil,
        wanted[1]
          ? right
            ? g.matmul(x[0], transposeSelf: true, transposeOther: left)
            : x[0].matmul(g, transposeSelf: !left)
          : nil,
      ]
    case .convolution(let window, let flipped):
      let filter = x[1].shape
      let adjoint = window.adjoint(height: filter[0], width: filter[1])
      return [
        wanted[0]
          ? Formula(.convolution(adjoint, flipped: !flipped), [g, x[1]], x[0].shape) : nil,
        wanted[1]
          ? flipped
            ? Formula(.convolutionFilterGradient(adjoint), [g, x[0]], filter)
            : Formula(.convolutionFilterGradient(window), [x[0], g], filter)
          : nil,
      ]
    case .convolutionFilterGradient(let window):
      let adjoint = window.adjoint(height: shape[0], width: shape[1])
      return [
        wanted[0]
          ? Formula(.convolution(adjoint, flipped: true), [x[1], g], x[0].shape) : nil,
        wanted[1] ? Formula(.convolution(window, flipped: false), [x[0], g], x[1].shape) : nil,
      ]
    case .groupNorm(let norm):
      return GroupNormalization.Variable.allCases.map { variable in
        wanted[variable.rawValue]
          ? Formula(
            .groupNormGradient(norm, variable), x + [g], x[variable.rawValue].shape) : nil
      }
    case .groupNormGradient:
      guard let definition = definition(x) else { return x.map { _ in nil } }
      return vjp(ofDefinition: definition, g)
    case .reshape: return [g.reshaped(x[0].shape)]
    case .transpose(let permutation):
      var inverse = permutation
      for (to, from) in permutation.enumerated() { inverse[from] = to }
      return [g.transposed(inverse)]
    case .broadcast:
      let repeated = (0..<shape.rank).filter { x[0].shape.extents[$0] != shape.extents[$0] }
      return [g.sum(repeated, keepDims: true)]
    case .sum: return [g.broadcast(to: x[0].shape)]
    case .max(let axes): return [g.broadcast(to: x[0].shape) * maximumShares(x[0], axes)]
    case .slice(let starts): return [g.padded(at: starts, x[0].shape)]
    case .pad(let starts): return [g.slice(from: starts, x[0].shape)]
    case .concatenate(let axis):
      var start = 0
      return x.map { part in
        defer { start += part.shape[axis] }
        return g.slice(axis: axis, start..<start + part.shape[axis])
      }
    case .gather: return [Formula(.scatter, [g, x[1]], x[0].shape), nil]
    case .scatter: return [g.gatherRows(x[1]), nil]
    }
  }

  /// The cotangents of this node's inputs by way of its definition.
  private func vjp(ofDefinition definition: Formula, _ g: Formula) -> [Formula?] {
    let contributions = cotangents(
      [definition], [g], withRespectTo: inputs, leaves: Set(inputs.map(\.key)))
    // An input that occurs twice has its whole cotangent at its first place.
    var seen: Set<NodeKey> = []
    return zip(inputs, contributions).map { seen.insert($0.key).inserted ? $1 : nil }
  }

  /// For a maximum over axes: 1 at the largest entry and 0 elsewhere, shared equally at ties.
  func maximumShares(_ x: Formula, _ axes: [Int]) -> Formula {
    let isLargest = 1 - greater(broadcast(to: x.shape), x)
    return isLargest / isLargest.sum(axes, keepDims: true)
  }
}
