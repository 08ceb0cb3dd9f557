/// The samples of one component of a JPEG frame.
struct JPEGPlane {
  private let (width, height): (Int, Int)
  /// The samples in a row, those included that only fill the last block.
  private let stride: Int
  private var samples: [UInt8]

  /// Transforms the coefficients of a component.
  init(_ component: JPEGComponent, _ coefficients: [Int16], steps: [UInt16]) {
    (width, height) = (component.width, component.height)
    stride = 8 * component.usedAcross
    samples = [UInt8](repeating: 0, count: stride * 8 * component.usedDown)
    var transform = JPEGTransform(steps: steps)
    for y in 0..<component.usedDown {
      for x in 0..<component.usedAcross {
        let block = component.coefficients.lowerBound + 64 * (y * component.rowBlocks + x)
        transform(coefficients, from: block)
        for row in 0..<8 {
          let place = (8 * y + row) * stride + 8 * x
          for column in 0..<8 { samples[place + column] = transform.level(row, column) }
        }
      }
    }
  }

  /// The plane with `across` × `down` pixels for a sample, cut to a picture's size.
  ///
  /// Where sides double, samples lie in the middle of their pixels, and each pixel has three parts of the nearest sample and one
  /// of the next (libjpeg's triangle filter, with its rounding); at other factors, and in planes of one or two columns that
  /// become wider, samples are repeated.
  func enlarged(across: Int, down: Int, toWidth fullWidth: Int, height fullHeight: Int) -> [UInt8] {
    let isWide = across == 2 && down <= 2 && width > 2
    let isTall = down == 2 && (isWide || across == 1)
    var pixels = [UInt8](repeating: 0, count: fullWidth * fullHeight)
    for y in 0..<fullHeight {
      let first = y * fullWidth
      guard isWide || isTall else {
        let row = y / down * stride
        for x in 0..<fullWidth { pixels[first + x] = samples[row + x / across] }
        continue
      }
      let sums = weighted(y, isTall: isTall)
      // What is added for rounding differs from pixel to pixel, so that no side is favoured.
      if isWide {
        let (even, odd, shift) = isTall ? (8, 7, 4) : (1, 2, 2)
        for x in 0..<fullWidth {
          let next = x % 2 == 0 ? max(0, x / 2 - 1) : min(width - 1, x / 2 + 1)
          let sum = 3 * sums[x / 2] + sums[next] + (x % 2 == 0 ? even : odd)
          pixels[first + x] = UInt8(sum >> shift)
        }
      } else {
        for x in 0..<fullWidth { pixels[first + x] = UInt8((sums[x] + 1 + y % 2) >> 2) }
      }
    }
    return pixels
  }

  /// The samples of a row of pixels: those of one row, or of the nearest one thrice and the next one once.
  private func weighted(_ y: Int, isTall: Bool) -> [Int] {
    guard isTall else { return samples[y * stride..<y * stride + width].map(Int.init) }
    let near = y / 2 * stride
    let next = (y % 2 == 0 ? max(0, y / 2 - 1) : min(height - 1, y / 2 + 1)) * stride
    return (0..<width).map { 3 * Int(samples[near + $0]) + Int(samples[next + $0]) }
  }
}
