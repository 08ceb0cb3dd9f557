import CScoreKernels
import Testing

/// Strided copies and scaled sums.
@Suite struct MoveTests {
  /// Sizes with the strides of source and destination.
  static let copies: [(size: [Int64], from: [Int64], to: [Int64])] = [
    ([], [], []),
    ([7], [1], [1]),
    ([7], [3], [2]),
    ([5, 9], [9, 1], [1, 5]),
    ([64, 48], [48, 1], [1, 64]),
    ([33, 21], [1, 40], [21, 1]),
    ([4, 5, 6], [30, 6, 1], [1, 4, 20]),
    ([4, 5, 6], [30, 6, 1], [30, 1, 5]),
    ([3, 1, 8], [8, 100, 1], [16, 7, 2]),
    ([2, 3, 4, 5], [60, 20, 5, 1], [1, 40, 2, 8]),
    ([6, 10], [0, 1], [10, 1]),
    ([6, 0, 2], [1, 1, 1], [1, 1, 1]),
  ]

  @Test(arguments: Target.available) func stridedCopies(_ target: Target) {
    var noise = Noise(1)
    for (size, from, to) in Self.copies {
      func last(_ strides: [Int64]) -> Int {
        Int(zip(size, strides).map { Swift.max($0 - 1, 0) * $1 }.reduce(0, +))
      }
      let source: [Float] = noise.numbers(last(from) + 1)
      var expected = [Float](repeating: .nan, count: last(to) + 1)
      let count = Int(size.reduce(1, *))
      for flat in 0..<count {
        var rest = Int64(flat)
        var s = 0
        var d = 0
        for axis in size.indices.reversed() {
          let index = rest % size[axis]
          rest /= size[axis]
          s += Int(index * from[axis])
          d += Int(index * to[axis])
        }
        expected[d] = source[s]
      }
      let first = Int(size.first ?? 1)
      for cuts in [[0, first], [0, first / 2, first], [0, first / 3, first / 2, first]] {
        var got = [Float](repeating: .nan, count: expected.count)
        for (begin, end) in zip(cuts, cuts.dropFirst()) {
          Float.copyStrided(target, size, from, to, begin..<end, source, &got)
        }
        #expect(got.map(\.bitPattern) == expected.map(\.bitPattern), "\(size) \(from) \(to)")
        let wide = source.map(Double.init)
        var gotWide = [Double](repeating: .nan, count: expected.count)
        Double.copyStrided(target, size, from, to, 0..<first, wide, &gotWide)
        #expect(gotWide.map { Float($0).bitPattern } == expected.map(\.bitPattern))
      }
    }
  }

  func checkCombinations<T: Scalar>(_: T.Type, _ target: Target) {
    var noise = Noise(2)
    func fma(_ a: T, _ b: T, _ c: T) -> T { target.hasFMA ? c.addingProduct(a, b) : a * b + c }
    for (rows, columns) in [(1, 1), (5, 2), (300, 2), (70, 7), (3, 16), (9, 33), (2, 200)] {
      let a: [T] = noise.numbers(rows)
      let b: [T] = noise.numbers(rows)
      let c: [T] = noise.numbers(rows)
      let x: [T] = noise.numbers(rows * columns)
      let y: [T] = noise.numbers(rows * columns)
      let z: [T] = noise.numbers(rows * columns)
      for variant in 0..<4 {
        let hasY = variant & 1 != 0
        let hasZ = variant & 2 != 0
        func expected(_ row: (Int) -> Int) -> [T] {
          x.indices.map { i in
            let r = row(i / columns)
            var value = a[r] * x[i]
            if hasY { value = fma(b[r], y[i], value) }
            if hasZ { value = fma(c[r], z[i], value) }
            return value
          }
        }
        // The result elsewhere, or in the place of an operand that is there.
        for place in [3, 0] + (hasY ? [1] : []) + (hasZ ? [2] : []) {
          let operands = (x, hasY ? y : nil, hasZ ? z : nil)
          let byRows = Operands.result(operands, in: place) { T.combineRows(target, a, b, c, $0) }
          #expect(byRows == expected { $0 }, "\(rows)x\(columns) in \(place)")
          let alike = Operands.result(operands, in: place) {
            T.combine(target, a[0], b[0], c[0], $0)
          }
          #expect(alike == expected { _ in 0 }, "\(rows)x\(columns) in \(place)")
        }
      }
    }
  }

  @Test(arguments: Target.available) func scaledSums(_ target: Target) {
    checkCombinations(Float.self, target)
    checkCombinations(Double.self, target)
  }
}

/// What a scaled sum reads and where it goes.
struct Operands<T: Scalar> {
  let count: Int
  let x: UnsafePointer<T>
  let y: UnsafePointer<T>?
  let z: UnsafePointer<T>?
  let out: UnsafeMutablePointer<T>

  /// The result of `body` in the place of operand 0, 1 or 2, or in one of its own.
  static func result(
    _ operands: (x: [T], y: [T]?, z: [T]?), in place: Int, _ body: (Operands) -> Void
  ) -> [T] {
    let count = operands.x.count
    let unused = [T](repeating: .nan, count: count)
    var memory = operands.x + (operands.y ?? unused) + (operands.z ?? unused) + unused
    memory.withUnsafeMutableBufferPointer { memory in
      guard let base = memory.baseAddress else { return }
      body(
        Operands(
          count: count, x: base, y: operands.y == nil ? nil : UnsafePointer(base + count),
          z: operands.z == nil ? nil : UnsafePointer(base + 2 * count), out: base + place * count))
    }
    return Array(memory[place * count..<(place + 1) * count])
  }
}
