/// The pixels that one pass of a PNG file has: every `stepX`-th of every `stepY`-th row, from the first on.
struct PNGPass {
  let (firstX, firstY, stepX, stepY): (Int, Int, Int, Int)
  /// The pixels in a row of the pass.
  let width: Int
  /// The rows of the pass.
  let height: Int
  /// The bytes of a row, beside that of its filter.
  let lineBytes: Int
  /// The bytes to the pixel on the left, at least 1.
  private let pixelBytes: Int

  private init(
    _ place: (x: Int, y: Int, stepX: Int, stepY: Int), width: Int, height: Int, pixelBits: Int
  ) {
    (firstX, firstY, stepX, stepY) = place
    self.width = max(0, (width - place.x + place.stepX - 1) / place.stepX)
    self.height = max(0, (height - place.y + place.stepY - 1) / place.stepY)
    lineBytes = (self.width * pixelBits + 7) / 8
    pixelBytes = max(1, pixelBits / 8)
  }

  /// The passes that hold pixels: one, or up to the seven of Adam M. Costello's interlacing.
  static func passes(width: Int, height: Int, pixelBits: Int, isInterlaced: Bool) -> [PNGPass] {
    let adam7 = [
      (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
      (0, 1, 1, 2),
    ]
    return (isInterlaced ? adam7 : [(0, 0, 1, 1)])
      .map { PNGPass($0, width: width, height: height, pixelBits: pixelBits) }
      .filter { $0.width > 0 && $0.height > 0 }
  }

  /// The bytes of the pass, filters included; nil where they exceed an integer.
  var size: Int? { checkedProduct([height, lineBytes + 1]) }

  /// Undoes the prediction of each row from its left, upper and upper left neighbours, in place from byte `first` on.
  func removeFilters(
    _ lines: inout [UInt8], from first: Int, path: String
  ) throws(DataError) {
    for y in 0..<height {
      let start = first + y * (lineBytes + 1)
      let filter = lines[start]
      guard filter <= 4 else {
        throw DataError(.malformed, path, "row \(y) has filter \(filter), where 0 to 4 are defined")
      }
      if filter == 0 { continue }
      for x in 1...lineBytes {
        let place = start + x
        let left = x > pixelBytes ? Int(lines[place - pixelBytes]) : 0
        let up = y > 0 ? Int(lines[place - lineBytes - 1]) : 0
        let corner = x > pixelBytes && y > 0 ? Int(lines[place - pixelBytes - lineBytes - 1]) : 0
        let prediction =
          switch filter {
          case 1: left
          case 2: up
          case 3: (left + up) / 2
          default: Self.paeth(left, up, corner)
          }
        lines[place] &+= UInt8(prediction)
      }
    }
  }

  private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
    let estimate = left + up - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
    return a <= b && a <= c ? left : b <= c ? up : corner
  }
}
