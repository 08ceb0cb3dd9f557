import ScoreTensors

extension Formula {
  /// The sum over axes, or over all of them; a negative axis counts from the end.
  ///
  /// With `keepDims` the axes stay, with extent 1.
  public func sum(_ axes: [Int]? = nil, keepDims: Bool = false) -> Formula {
    reduced(axes, keepDims) { .sum($0) }
  }

  /// The largest entry over axes, or over all of them; at ties the derivative is shared equally.
  public func max(_ axes: [Int]? = nil, keepDims: Bool = false) -> Formula {
    reduced(axes, keepDims) { .max($0) }
  }

  /// The mean over axes, or over all of them.
  public func mean(_ axes: [Int]? = nil, keepDims: Bool = false) -> Formula {
    let sum = sum(axes, keepDims: keepDims)
    return sum / (Double(shape.count) / Double(Swift.max(1, sum.shape.count)))
  }

  /// `log Σ exp x` over axes, without overflow: −∞ where all entries are −∞, ∞ where one is ∞.
  public func logSumExp(_ axes: [Int]? = nil, keepDims: Bool = false) -> Formula {
    let most = max(axes, keepDims: true).stoppingGradient
    let largest = select(greater(Formula(.infinity), abs(most)), most, Formula(0))
    let result = log(exp(self - largest).sum(axes, keepDims: true)) + largest
    return keepDims ? result : result.reshaped(sum(axes).shape)
  }

  /// `exp x / Σ exp x` along an axis.
  public func softmax(axis: Int = -1) -> Formula {
    let weights = exp(self - max([axis], keepDims: true).stoppingGradient)
    return weights / weights.sum([axis], keepDims: true)
  }

  /// The sum of products with another formula over axes, or over all of them.
  public func dot(_ other: Formula, _ axes: [Int]? = nil, keepDims: Bool = false) -> Formula {
    (self * other).sum(axes, keepDims: keepDims)
  }

  private func reduced(_ axes: [Int]?, _ keepDims: Bool, _ operation: ([Int]) -> Operation)
    -> Formula
  {
    let axes = axes.map { Set($0.map(normalized)).sorted() } ?? Array(0..<shape.rank)
    if axes.isEmpty { return self }
    var extents = shape.extents
    for axis in axes { extents[axis] = 1 }
    let kept = Formula(operation(axes), [self], Shape(extents))
    if keepDims { return kept }
    return kept.reshaped(
      Shape(shape.extents.enumerated().filter { !axes.contains($0.offset) }.map(\.element)))
  }
}
