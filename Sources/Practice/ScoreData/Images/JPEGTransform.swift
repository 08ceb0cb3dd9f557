/// The inverse cosine transform of blocks of 8 × 8 coefficients.
///
/// ```
/// s(x, y) = 128 + ¼ Σ c(u) c(v) S(u, v) cos((2x + 1) u π/16) cos((2y + 1) v π/16)      c(0) = 1/√2, else 1
/// ```
///
/// In whole numbers of 13 bits behind the point, by eleven products for each line (Loeffler, Ligtenberg & Moschytz 1989), as
/// libjpeg does by default: the same levels, which differ from the formula's by one at the most.
package struct JPEGTransform {
  private let steps: [UInt16]
  /// The block, row by row.
  private var block = [Int](repeating: 0, count: 64)

  /// The place in a block, row by row, of each coefficient of the file.
  package static let order: [Int] = {
    var order: [Int] = []
    for diagonal in 0..<15 {
      let places = (max(0, diagonal - 7)...min(diagonal, 7)).map { 8 * $0 + diagonal - $0 }
      order += diagonal % 2 == 0 ? places.reversed() : places
    }
    return order
  }()

  package init(steps: [UInt16]) { self.steps = steps }

  /// Transforms the 64 coefficients from a place on.
  package mutating func callAsFunction(_ coefficients: [Int16], from first: Int) {
    for (place, target) in Self.order.enumerated() {
      block[target] = Int(coefficients[first + place]) * Int(steps[place])
    }
    for column in 0..<8 { line(from: column, step: 8, shift: 11) }
    for row in 0..<8 { line(from: 8 * row, step: 1, shift: 18) }
  }

  /// A sample of the block that was transformed last.
  package func level(_ row: Int, _ column: Int) -> UInt8 {
    UInt8(min(max(0, block[8 * row + column] + 128), 255))
  }

  /// A constant with 13 bits behind the point.
  private static func fixed(_ value: Double) -> Int { Int((value * 8192).rounded()) }

  // √2 cos(kπ/16) and sums of these, as the published graph has them.
  private static let (c6, c2MinusC6, c2PlusC6) = (
    fixed(0.541196100), fixed(0.765366865), fixed(1.847759065)
  )
  private static let c3 = fixed(1.175875602)
  private static let squares = (
    fixed(0.298631336), fixed(2.053119869), fixed(3.072711026), fixed(1.501321110)
  )
  private static let sums = (
    fixed(0.899976223), fixed(2.562915447), fixed(1.961570560), fixed(0.390180644)
  )

  /// The transform of eight numbers, times 2^(13 + ½ · 3 − `shift`) and rounded.
  private mutating func line(from first: Int, step: Int, shift: Int) {
    func input(_ index: Int) -> Int { block[first + index * step] }
    let (a2, a6) = (input(2), input(6))
    let turned = (a2 + a6) * Self.c6
    let (even2, even3) = (turned - a6 * Self.c2PlusC6, turned + a2 * Self.c2MinusC6)
    let (even0, even1) = ((input(0) + input(4)) << 13, (input(0) - input(4)) << 13)

    let (b0, b1, b2, b3) = (input(7), input(5), input(3), input(1))
    let both = (b0 + b2 + b1 + b3) * Self.c3
    let (z1, z2) = (-(b0 + b3) * Self.sums.0, -(b1 + b2) * Self.sums.1)
    let (z3, z4) = (both - (b0 + b2) * Self.sums.2, both - (b1 + b3) * Self.sums.3)
    let odd = (
      b0 * Self.squares.0 + z1 + z3, b1 * Self.squares.1 + z2 + z4,
      b2 * Self.squares.2 + z2 + z3, b3 * Self.squares.3 + z1 + z4
    )

    let half = 1 << (shift - 1)
    func set(_ index: Int, _ even: Int, _ odd: Int) {
      block[first + index * step] = (even + odd + half) >> shift
      block[first + (7 - index) * step] = (even - odd + half) >> shift
    }
    set(0, even0 + even3, odd.3)
    set(1, even1 + even2, odd.2)
    set(2, even1 - even2, odd.1)
    set(3, even0 - even3, odd.0)
  }
}
