/// Images tiled into one picture: what a model draws, at a glance.
public struct SampleGrid: Figure {
  /// The picture.
  public let raster: Raster
  /// What the picture shows.
  public var summary: String

  /// Tiles images of `height` × `width` × `channels` values, stored one after the other in that order.
  ///
  /// Values map linearly from `range` to black … white and are clipped outside; not-a-number becomes black.
  /// - Parameters:
  ///   - values: all values; a whole number of images, one or more
  ///   - channels: 1 for grey, 3 for RGB
  ///   - range: the values that become black and white
  ///   - inverted: black on white instead of white on black
  ///   - columns: the images in a row; the square root of their number where nil
  ///   - scale: each value becomes a square of this many pixels
  ///   - padding: pixels between images
  public init(
    _ values: some Collection<some BinaryFloatingPoint>, height: Int, width: Int,
    channels: Int = 1, range: ClosedRange<Double> = -1...1, inverted: Bool = false,
    columns: Int? = nil, scale: Int = 1, padding: Int = 2, summary: String = "Samples"
  ) {
    let size = height * width * channels
    precondition(
      height > 0 && width > 0 && size > 0 && !values.isEmpty && values.count % size == 0,
      "\(values.count) values are not images of \(height) × \(width) × \(channels)")
    precondition(
      scale > 0 && padding >= 0 && columns ?? 1 > 0 && range.lowerBound < range.upperBound,
      "scale \(scale), padding \(padding), columns \(columns ?? 0), range \(range)")
    let count = values.count / size
    let across = min(count, columns ?? Int(Double(count).squareRoot().rounded(.up)))
    let down = (count + across - 1) / across
    let stepX = width * scale + padding
    let stepY = height * scale + padding
    var raster = Raster(
      width: across * stepX + padding, height: down * stepY + padding, channels: channels,
      filledWith: inverted ? 225 : 60)
    let factor = 255 / (range.upperBound - range.lowerBound)
    let levels = values.map { value -> UInt8 in
      if value.isNaN { return 0 }
      let scaled = (Double(value) - range.lowerBound) * factor
      let level = UInt8(scaled > 0 ? min(scaled, 255).rounded() : 0)
      return inverted ? 255 - level : level
    }
    raster.pixels.withUnsafeMutableBufferPointer { pixels in
      for image in 0..<count {
        let left = padding + image % across * stepX
        let top = padding + image / across * stepY
        for y in 0..<height * scale {
          for x in 0..<width * scale {
            let source = image * size + (y / scale * width + x / scale) * channels
            let target = ((top + y) * raster.width + left + x) * channels
            for channel in 0..<channels { pixels[target + channel] = levels[source + channel] }
          }
        }
      }
    }
    self.raster = raster
    self.summary = summary
  }

  /// The width in pixels.
  public var width: Int { raster.width }
  /// The height in pixels.
  public var height: Int { raster.height }

  /// The picture as a PNG file.
  public var png: [UInt8] { raster.png }

  /// The picture as one embedded image.
  public var elements: String {
    """
    <image width="\(width)" height="\(height)" style="image-rendering:pixelated" \
    href="\(raster.dataURI)"/>

    """
  }
}
