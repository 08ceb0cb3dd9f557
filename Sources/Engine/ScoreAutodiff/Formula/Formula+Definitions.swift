import ScoreTensors

// Composite operations: each has a kernel of its own and a definition in elementary formulas.
//
// The interpreter evaluates the definition, and derivatives that have no kernel are those of the definition.

extension Formula {
  /// The node's operation written in elementary formulas of its inputs, or of others of the same shapes; nil where the
  /// operation is elementary.
  package func definition(_ x: [Formula]) -> Formula? {
    switch node.operation {
    case .groupNorm(let norm): norm.value(x[0], scale: x[1], shift: x[2])
    case .groupNormGradient(let norm, let variable):
      norm.gradient(variable, x[0], scale: x[1], shift: x[2], x[3])
    default: nil
    }
  }
}

extension GroupNormalization {
  /// Axes of images whose channels are split into groups: [n, h, w, groups, channels of a group].
  private static var axes: [Int] { [1, 2, 4] }

  private func grouped(_ x: Formula) -> Formula {
    x.reshaped(Shape(x.shape.extents.dropLast() + [groups, x.shape[3] / groups]))
  }

  /// The normalised images and 1/√(var + ε), in groups.
  private func normalized(_ x: Formula) -> (Formula, Formula) {
    let x = grouped(x)
    let centred = x - x.mean(Self.axes, keepDims: true)
    let inverse = rsqrt(square(centred).mean(Self.axes, keepDims: true) + epsilon)
    return (centred * inverse, inverse)
  }

  fileprivate func value(_ x: Formula, scale: Formula, shift: Formula) -> Formula {
    let y = normalized(x).0.reshaped(x.shape) * scale + shift
    return silu ? ScoreAutodiff.silu(y) : y
  }

  fileprivate func gradient(
    _ variable: Variable, _ x: Formula, scale: Formula, shift: Formula, _ g: Formula
  ) -> Formula {
    let (groups, inverse) = normalized(x)
    let normal = groups.reshaped(x.shape)
    let g = silu ? siluGradient(normal * scale + shift, g) : g
    switch variable {
    case .shift: return g.sum([0, 1, 2])
    case .scale: return (g * normal).sum([0, 1, 2])
    case .input:
      let slope = grouped(g * scale)
      let along = (slope * groups).mean(Self.axes, keepDims: true)
      let rest = slope - slope.mean(Self.axes, keepDims: true) - groups * along
      return (rest * inverse).reshaped(x.shape)
    }
  }
}
