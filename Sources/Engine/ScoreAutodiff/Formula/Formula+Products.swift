import ScoreTensors

extension Formula {
  /// The matrix product `op(self)·op(other)` over the last two axes, where `op` may exchange them.
  ///
  /// Axes before the last two broadcast. Each entry is one chain of multiply-adds over the inner extent, so a row of
  /// the result has the same bits whatever the other rows are.
  public func matmul(
    _ other: Formula, transposeSelf: Bool = false, transposeOther: Bool = false
  ) -> Formula {
    precondition(
      shape.rank >= 2 && other.shape.rank >= 2, "matmul takes matrices: \(shape), \(other.shape)")
    let m = shape[transposeSelf ? -1 : -2]
    let k = shape[transposeSelf ? -2 : -1]
    let n = other.shape[transposeOther ? -2 : -1]
    precondition(
      k == other.shape[transposeOther ? -1 : -2],
      "inner extents differ: \(shape)\(transposeSelf ? "ᵀ" : "") · \(other.shape)\(transposeOther ? "ᵀ" : "")"
    )
    // A stack of matrices times one matrix is one tall matrix times it.
    if other.shape.rank == 2 && shape.rank > 2 && !transposeSelf {
      let flat = reshaped([shape.extents.dropLast().reduce(1, *), k]).matmul(
        other, transposeOther: transposeOther)
      return flat.reshaped(Shape(shape.extents.dropLast() + [n]))
    }
    let batch = Shape.broadcast(
      Shape(Array(shape.extents.dropLast(2))), Shape(Array(other.shape.extents.dropLast(2))))
    func aligned(_ x: Formula) -> Formula {
      x.broadcast(to: Shape(batch.extents + x.shape.extents.suffix(2)))
    }
    return Formula(
      .matmul(transposeLeft: transposeSelf, transposeRight: transposeOther),
      [aligned(self), aligned(other)], Shape(batch.extents + [m, n]))
  }
}
