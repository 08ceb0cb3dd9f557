import ScoreTensors

extension Picture {
  /// The picture at another size: cut about its middle to that shape, then made smaller or larger.
  ///
  /// What is cut off lies at both ends of one side, to whole pixels. A pixel of a smaller picture is the mean over the area that
  /// it covers; one of a larger picture lies on the straight lines between the middles of the nearest four. Both are of the
  /// levels as they are, and rounded once.
  /// - Precondition: sides of at least a pixel.
  public func resized(height newHeight: Int, width newWidth: Int) -> Picture {
    precondition(newHeight > 0 && newWidth > 0, "a picture of \(newHeight) × \(newWidth) pixels")
    let (cutWidth, cutHeight) = cut(toShapeOf: (newWidth, newHeight))
    let (left, top) = ((width - cutWidth) / 2, (height - cutHeight) / 2)
    let across = Resampling(from: cutWidth, to: newWidth)
    let down = Resampling(from: cutHeight, to: newHeight)

    // Rows are made shorter or longer first.
    var lines = [Double](repeating: 0, count: cutHeight * newWidth * channels)
    for y in 0..<cutHeight {
      let source = ((top + y) * width + left) * channels
      for (x, part) in across.parts.enumerated() {
        for channel in 0..<channels {
          var sum = 0.0
          for (step, weight) in part.weights.enumerated() {
            sum += weight * Double(pixels[source + (part.first + step) * channels + channel])
          }
          lines[(y * newWidth + x) * channels + channel] = sum
        }
      }
    }
    let rowCount = newWidth * channels
    var result: [UInt8] = []
    result.reserveCapacity(newHeight * rowCount)
    for part in down.parts {
      for place in 0..<rowCount {
        var sum = 0.0
        for (step, weight) in part.weights.enumerated() {
          sum += weight * lines[(part.first + step) * rowCount + place]
        }
        result.append(UInt8(min(255, sum.rounded())))
      }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }

  /// The largest sides of a given shape, rounded to pixels.
  private func cut(toShapeOf sides: (width: Int, height: Int)) -> (width: Int, height: Int) {
    let shape = Double(sides.width) / Double(sides.height)
    let (fullWidth, fullHeight) = (Double(width), Double(height))
    return fullWidth > shape * fullHeight
      ? (max(1, Int((shape * fullHeight).rounded())), height)
      : (width, max(1, Int((fullWidth / shape).rounded())))
  }
}

/// How a line of pixels becomes one of another length.
private struct Resampling {
  /// For each new pixel, the first of the old ones that it is made of, and the weights of that and those after it.
  let parts: [(first: Int, weights: [Double])]

  init(from old: Int, to new: Int) {
    parts = (0..<new).map { pixel in
      if new <= old { return Self.mean(pixel, from: old, to: new) }
      // Twice the new length is the unit: the middle of the new pixel, seen from that of the first old one.
      let place = (2 * pixel + 1) * old - new
      let first = place < 0 ? -1 : place / (2 * new)
      guard first >= 0, first + 1 < old else { return (max(0, first), [1]) }
      let rest = Double(place - 2 * new * first) / Double(2 * new)
      return (first, [1 - rest, rest])
    }
  }

  /// The old pixels that a new one covers, each by its share.
  private static func mean(_ pixel: Int, from old: Int, to new: Int) -> (Int, [Double]) {
    // An old pixel is `new` units long, a new one `old`.
    let (start, end) = (pixel * old, (pixel + 1) * old)
    let (first, last) = (start / new, (end - 1) / new)
    let weights = (first...last).map { part in
      Double(min(end, (part + 1) * new) - max(start, part * new)) / Double(old)
    }
    return (first, weights)
  }
}
