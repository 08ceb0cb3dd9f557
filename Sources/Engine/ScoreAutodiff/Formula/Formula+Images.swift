import ScoreTensors

extension Formula {
  /// The convolution of images `[n, height, width, channels]` with a filter `[rows, columns, channels, results]`.
  ///
  /// ```
  /// y[i, r, c, o] = Σ x[i, r·stride + a − padding, c·stride + b − padding, p] · filter[a, b, p, o]
  /// ```
  ///
  /// Pixels outside the image are 0. The result is `[n, rows′, columns′, results]`, as many as the filter fits into the
  /// padded image. An image's bits do not depend on the others. As usual in learning, the filter is not turned round.
  public func convolution(_ filter: Formula, stride: Int = 1, padding: Int = 0) -> Formula {
    convolution(
      filter, stride: stride, before: [padding, padding], after: [padding, padding])
  }

  /// The convolution with its own padding above and left (`before`) and below and right (`after`).
  ///
  /// With a `spread`, that many pixels apart and with zeros between, images are read: the transposed convolution.
  public func convolution(
    _ filter: Formula, stride: Int = 1, spread: Int = 1, before: [Int], after: [Int]
  ) -> Formula {
    precondition(
      shape.rank == 4 && filter.shape.rank == 4 && shape[3] == filter.shape[2],
      "a convolution takes images [n, h, w, c] and a filter [a, b, c, o]: \(shape), \(filter.shape)"
    )
    precondition(
      stride >= 1 && spread >= 1 && before.count == 2 && after.count == 2,
      "stride \(stride), spread \(spread), padding \(before), \(after)")
    let extents = (0..<2).map { axis in
      let padded =
        Swift.max(0, (shape[axis + 1] - 1) * spread + 1) + before[axis] + after[axis]
      precondition(
        padded >= filter.shape[axis],
        "the filter \(filter.shape) is larger than the padded image of \(shape)")
      return (padded - filter.shape[axis]) / stride + 1
    }
    let window = ConvolutionWindow(
      stride: stride, spread: spread, top: before[0], left: before[1])
    return Formula(
      .convolution(window, flipped: false), [self, filter],
      [shape[0], extents[0], extents[1], filter.shape[3]])
  }

  /// Group normalisation (Wu & He 2018, equations 1 to 4) of images `[n, height, width, channels]`.
  ///
  /// ```
  /// y = act((x − mean)/√(var + epsilon) · scale + shift)
  /// ```
  ///
  /// Mean and biased variance run over the pixels of an image and the channels of a group; `scale` and `shift` are
  /// `[channels]`; act is SiLU where asked for, else nothing.
  public func groupNorm(
    groups: Int, scale: Formula, shift: Formula, epsilon: Double = 1e-5, silu: Bool = false
  ) -> Formula {
    precondition(
      shape.rank == 4 && groups >= 1 && shape[3] % groups == 0,
      "\(groups) groups do not divide the channels of images \(shape)")
    precondition(
      scale.shape == [shape[3]] && shift.shape == [shape[3]],
      "scale \(scale.shape) and shift \(shift.shape) for \(shape[3]) channels")
    return Formula(
      .groupNorm(GroupNormalization(groups: groups, epsilon: epsilon, silu: silu)),
      [self, scale, shift], shape)
  }

  /// The means of blocks of `rows × columns` pixels of images `[n, height, width, channels]`.
  public func averagePooled(_ rows: Int = 2, _ columns: Int = 2) -> Formula {
    precondition(
      shape.rank == 4 && rows >= 1 && columns >= 1 && shape[1] % rows == 0
        && shape[2] % columns == 0,
      "images \(shape) have no whole number of blocks \(rows) × \(columns)")
    let (n, h, w, c) = (shape[0], shape[1] / rows, shape[2] / columns, shape[3])
    let blocks = reshaped([n, h, rows, w, columns, c] as Shape)
    return (blocks.sum([2, 4], keepDims: true) * (1 / Double(rows * columns)))
      .reshaped([n, h, w, c] as Shape)
  }

  /// Images `[n, height, width, channels]` with every pixel repeated in a block of `rows × columns`.
  public func upsampled(_ rows: Int = 2, _ columns: Int = 2) -> Formula {
    precondition(shape.rank == 4 && rows >= 1 && columns >= 1, "up-sampling takes images: \(shape)")
    let (n, h, w, c) = (shape[0], shape[1], shape[2], shape[3])
    return reshaped([n, h, 1, w, 1, c] as Shape)
      .broadcast(to: [n, h, rows, w, columns, c])
      .reshaped([n, h * rows, w * columns, c] as Shape)
  }
}
