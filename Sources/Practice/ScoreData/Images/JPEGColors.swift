/// From the planes of a JPEG frame to RGB.
enum JPEGColors {
  /// Pixels of three planes, side by side; those of Y′CbCr as JFIF defines them become RGB.
  ///
  /// ```
  /// R = Y + 1.402 (Cr − 128)      G = Y − 0.344136 (Cb − 128) − 0.714136 (Cr − 128)      B = Y + 1.772 (Cb − 128)
  /// ```
  ///
  /// In whole numbers of 16 bits behind the point, as libjpeg has them.
  static func interleaved(_ planes: [[UInt8]], isRGB: Bool) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: 3 * planes[0].count)
    let half = 1 << 15
    for pixel in planes[0].indices {
      let values = (Int(planes[0][pixel]), Int(planes[1][pixel]), Int(planes[2][pixel]))
      var colors = values
      if !isRGB {
        let (y, blue, red) = (values.0, values.1 - 128, values.2 - 128)
        colors = (
          y + (fixed(1.402) * red + half) >> 16,
          y + (-fixed(0.34414) * blue - fixed(0.71414) * red + half) >> 16,
          y + (fixed(1.772) * blue + half) >> 16
        )
      }
      pixels[3 * pixel] = level(colors.0)
      pixels[3 * pixel + 1] = level(colors.1)
      pixels[3 * pixel + 2] = level(colors.2)
    }
    return pixels
  }

  @inline(__always)
  private static func fixed(_ value: Double) -> Int { Int(value * 65536 + 0.5) }

  @inline(__always)
  private static func level(_ value: Int) -> UInt8 { UInt8(min(max(0, value), 255)) }
}
