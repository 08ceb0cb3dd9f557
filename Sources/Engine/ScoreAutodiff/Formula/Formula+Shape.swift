import ScoreTensors

extension Formula {
  /// The same entries in the same order under another shape; one extent may be −1 and is then inferred.
  public func reshaped(_ extents: [Int]) -> Formula {
    guard let inferred = extents.firstIndex(of: -1) else { return reshaped(Shape(extents)) }
    var known = extents
    known[inferred] = 1
    let rest = known.reduce(1, *)
    precondition(rest > 0 && shape.count % rest == 0, "cannot reshape \(shape) to \(extents)")
    known[inferred] = shape.count / rest
    return reshaped(Shape(known))
  }

  /// The same entries in the same order under another shape of equal count.
  public func reshaped(_ shape: Shape) -> Formula {
    precondition(shape.count == self.shape.count, "cannot reshape \(self.shape) to \(shape)")
    return shape == self.shape ? self : Formula(.reshape, [self], shape)
  }

  /// Axis `i` of the result is axis `permutation[i]` of this formula.
  public func transposed(_ permutation: [Int]) -> Formula {
    precondition(
      permutation.sorted() == Array(0..<shape.rank),
      "\(permutation) is not a permutation of the axes of \(shape)")
    if permutation == Array(0..<shape.rank) { return self }
    return Formula(.transpose(permutation), [self], Shape(permutation.map { shape.extents[$0] }))
  }

  /// The last two axes exchanged.
  public func transposed() -> Formula {
    precondition(shape.rank >= 2, "a transpose needs two axes: \(shape)")
    var permutation = Array(0..<shape.rank)
    permutation.swapAt(shape.rank - 2, shape.rank - 1)
    return transposed(permutation)
  }

  /// Repeated along axes of extent 1, after new leading axes where the shape has more.
  public func broadcast(to target: Shape) -> Formula {
    if shape == target { return self }
    precondition(
      Shape.broadcast(shape, target) == target, "cannot broadcast \(shape) to \(target)")
    let leading = [Int](repeating: 1, count: target.rank - shape.rank)
    let aligned = reshaped(Shape(leading + shape.extents))
    return aligned.shape == target ? aligned : Formula(.broadcast, [aligned], target)
  }

  /// A new axis of extent 1 before axis `axis`; a negative axis counts from the end of the result.
  public func expanded(at axis: Int) -> Formula {
    var extents = shape.extents
    extents.insert(1, at: axis < 0 ? axis + shape.rank + 1 : axis)
    return reshaped(Shape(extents))
  }

  /// The entries whose index lies in a range along one axis; a negative axis counts from the end.
  public func slice(axis: Int, _ range: Range<Int>) -> Formula {
    let axis = normalized(axis)
    var starts = [Int](repeating: 0, count: shape.rank)
    var extents = shape.extents
    starts[axis] = range.lowerBound
    extents[axis] = range.count
    return slice(from: starts, Shape(extents))
  }

  /// The box of entries of a shape that starts at an index.
  public func slice(from starts: [Int], _ box: Shape) -> Formula {
    precondition(
      starts.count == shape.rank && box.rank == shape.rank
        && (0..<shape.rank).allSatisfy {
          starts[$0] >= 0 && starts[$0] + box.extents[$0] <= shape.extents[$0]
        }, "the box \(box) at \(starts) is outside \(shape)")
    return box == shape ? self : Formula(.slice(starts), [self], box)
  }

  /// This formula set into zeros, with `before` and `after` zeros along each axis.
  public func padded(before: [Int], after: [Int]) -> Formula {
    precondition(
      before.count == shape.rank && after.count == shape.rank
        && (before + after).allSatisfy { $0 >= 0 },
      "padding \(before), \(after) does not fit \(shape)")
    let extents = (0..<shape.rank).map { before[$0] + shape.extents[$0] + after[$0] }
    return padded(at: before, Shape(extents))
  }

  func padded(at starts: [Int], _ target: Shape) -> Formula {
    target == shape ? self : Formula(.pad(starts), [self], target)
  }

  /// Formulas one after the other along an axis; all other extents are equal.
  public static func concatenated(_ parts: [Formula], axis: Int) -> Formula {
    precondition(!parts.isEmpty, "concatenation of nothing")
    if parts.count == 1 { return parts[0] }
    let axis = parts[0].normalized(axis)
    var extents = parts[0].shape.extents
    extents[axis] = 0
    for part in parts {
      var others = part.shape.extents
      precondition(
        others.count == extents.count, "ranks differ: \(parts.map(\.shape))")
      let extent = others[axis]
      others[axis] = extents[axis]
      precondition(others == extents, "extents differ beside axis \(axis): \(parts.map(\.shape))")
      extents[axis] += extent
    }
    return Formula(.concatenate(axis), parts, Shape(extents))
  }

  /// Rows chosen by number: row `i` of the result is row `indices[i]` of this formula.
  ///
  /// `indices` has one axis and holds whole numbers; an index outside the rows gives a row of zeros.
  public func gatherRows(_ indices: Formula) -> Formula {
    precondition(
      shape.rank >= 1 && indices.shape.rank == 1,
      "rows of \(shape) by indices of shape \(indices.shape)")
    return Formula(.gather, [self, indices], shape.withRows(indices.shape[0]))
  }

  /// This value, which gradients take for a constant.
  public var stoppingGradient: Formula { Formula(.stopGradient, [self], shape) }

  func normalized(_ axis: Int) -> Int {
    let normal = axis < 0 ? axis + shape.rank : axis
    precondition(0 <= normal && normal < shape.rank, "axis \(axis) of \(shape)")
    return normal
  }
}
