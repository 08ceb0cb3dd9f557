extension Picture {
  /// The picture as it is to be seen, where an Exif orientation from 1 to 8 says how it lies.
  ///
  /// | orientation | what is done |
  /// |---|---|
  /// | 1 | nothing |
  /// | 2, 4 | left and right, or top and bottom, change sides |
  /// | 3 | a half turn |
  /// | 5, 7 | rows become columns about the one diagonal or the other |
  /// | 6, 8 | a quarter turn clockwise, or against the clock |
  package func oriented(_ orientation: Int) -> Picture {
    guard (2...8).contains(orientation) else { return self }
    let isTurned = orientation >= 5
    let (newWidth, newHeight) = isTurned ? (height, width) : (width, height)
    let isMirrored = [2, 3, 7, 8].contains(orientation)
    let isUpsideDown = [3, 4, 6, 7].contains(orientation)
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count)
    for y in 0..<newHeight {
      for x in 0..<newWidth {
        let (a, b) = isTurned ? (y, x) : (x, y)
        let column = isMirrored ? width - 1 - a : a
        let row = isUpsideDown ? height - 1 - b : b
        let place = (row * width + column) * channels
        result += pixels[place..<place + channels]
      }
    }
    return Picture(width: newWidth, height: newHeight, channels: channels, pixels: result)
  }
}
