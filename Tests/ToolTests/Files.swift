import Foundation
import ScoreSDE

extension Data {
  /// An NPY file of bytes, which the tool takes for quantised data.
  static func npy(bytes: [UInt8], shape: [Int]) -> Data {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (\(extents)), }\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    return Data(start + Array(header.utf8) + bytes)
  }

  /// An NPY file of 64-bit floating-point numbers.
  static func npy(_ numbers: [Double], shape: [Int]) -> Data {
    Data(NPY.encode(Tensor(Shape(shape), numbers)))
  }

  /// A grey JPEG file of one level in all pixels.
  static func jpeg(level: UInt8, height: Int, width: Int) -> Data {
    // Steps are 1; the constant coefficient is eight times the mean, as a difference from the block before.
    let value = 8 * (Int(level) - 128)
    let size = Int.bitWidth - abs(value).leadingZeroBitCount
    let number = value < 0 ? value + 1 << size - 1 : value
    var bits = "01" + (0..<size).reversed().map { number >> $0 & 1 == 1 ? "1" : "0" }.joined() + "0"
    bits += String(repeating: "000", count: (height + 7) / 8 * ((width + 7) / 8) - 1)
    bits += String(repeating: "1", count: (8 - bits.count % 8) % 8)
    let data = stride(from: 0, to: bits.count, by: 8).flatMap { place -> [UInt8] in
      let byte = UInt8(bits.dropFirst(place).prefix(8), radix: 2) ?? 0
      return byte == 0xFF ? [byte, 0] : [byte]
    }
    let frame = [8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0].map(
      UInt8.init)
    let lengths = [0, 2] + [UInt8](repeating: 0, count: 14)
    let segments: [(UInt8, [UInt8])] = [
      (0xDB, [0] + [UInt8](repeating: 1, count: 64)), (0xC0, frame),
      (0xC4, [0] + lengths + [0, UInt8(size)]),
      (0xC4, [0x10, 1] + [UInt8](repeating: 0, count: 15) + [0]), (0xDA, [1, 1, 0, 0, 63, 0]),
    ]
    var file: [UInt8] = [0xFF, 0xD8]
    for (marker, body) in segments { file += [0xFF, marker, 0, UInt8(body.count + 2)] + body }
    return Data(file + data + [0xFF, 0xD9])
  }

  static func text(_ text: String) -> Data { Data(text.utf8) }
}

extension Picture {
  /// The grey images of `side` × `side` entries that the tool tiles into one picture below a line, each entry a square of pixels.
  func tiles(
    _ count: Int, side: Int, square: Int, columns: Int, below top: Int = 0
  ) -> [Double] {
    // Two pixels lie between images and around them.
    let step = side * square + 2
    return (0..<count).flatMap { tile in
      (0..<side * side).map { entry in
        let x = 2 + tile % columns * step + entry % side * square
        let y = top + 2 + tile / columns * step + entry / side * square
        return Double(pixels[y * width + x])
      }
    }
  }
}

/// Data that the tests train on.
enum Levels {
  /// Sixty-four single bytes, evenly between 60 and 140.
  static let single = (0..<64).map { UInt8(60 + ($0 * 37) % 81) }
  static let singleFile = Data.npy(bytes: single, shape: [64, 1])
  /// Thirty-two grey images of 2 × 2 pixels.
  static let imagesFile = Data.npy(
    bytes: (0..<128).map { UInt8(20 + ($0 * 83) % 200) }, shape: [32, 2, 2])

  /// The mean and the variance of the single bytes, each spread over its bin.
  static var moments: (mean: Double, variance: Double) {
    let middles = single.map { Double($0) + 0.5 }
    let mean = average(middles)
    return (mean, average(middles.map { ($0 - mean) * ($0 - mean) }) + 1.0 / 12)
  }
}

func average(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }

/// The largest difference between entries; infinite where there are not as many.
func distance(_ a: [Double], _ b: [Double]) -> Double {
  a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}
