import CScoreKernels
import Testing

/// Sums, maxima, row products and the finiteness test.
@Suite struct ReductionTests {
  static let shapes: [(outer: Int, reduce: Int, inner: Int)] = [
    (1, 0, 1), (2, 0, 3), (1, 1, 1), (3, 2, 1), (2, 17, 1), (1, 63, 1), (1, 64, 1), (1, 65, 1),
    (1, 2047, 1), (1, 2049, 1), (2, 5000, 1), (1, 9, 2), (2, 700, 2), (1, 333, 3), (1, 33, 5),
    (1, 100, 7), (3, 40, 8), (1, 70, 9), (1, 33, 16), (1, 95, 31), (2, 64, 64), (1, 200, 65),
    (1, 129, 130), (4, 3, 100),
  ]

  /// The sum of a column in higher precision, and the sum of its absolute values.
  static func exact<T: Scalar>(_ x: [T], _ shape: ReductionShape, _ o: Int, _ i: Int) -> (
    Extended, Extended
  ) {
    var sum: Extended = 0
    var size: Extended = 0
    for r in 0..<shape.reduce {
      let value = Extended(x[(o * shape.reduce + r) * shape.inner + i])
      sum += value
      size += abs(value)
    }
    return (sum, size)
  }

  func checkSums<T: Scalar>(_: T.Type, _ target: Target) {
    var noise = Noise(1)
    for (outer, reduce, inner) in Self.shapes {
      let shape = ReductionShape(outer: outer, reduce: reduce, inner: inner)
      let x: [T] = noise.numbers(outer * reduce * inner)
      var out = [T](repeating: .nan, count: outer * inner + 1)
      T.sum(target, shape, x, into: &out)
      #expect(out[outer * inner].isNaN)
      for o in 0..<outer {
        for i in 0..<inner {
          let (sum, size) = Self.exact(x, shape, o, i)
          // Runs of 32 entries a lane at most, then a tree.
          #expect(
            abs(Extended(out[o * inner + i]) - sum) <= 24 * Extended(T.ulpOfOne) * size,
            "\(outer)x\(reduce)x\(inner) at \(o), \(i)")
        }
      }
      // Parts of the range have the bits of the whole and leave the rest alone.
      var parts = [T](repeating: .nan, count: outer * inner)
      for o in 0..<outer {
        for cut in [0..<inner / 3, inner / 3..<inner] {
          T.sum(
            target,
            ReductionShape(
              outer: outer, reduce: reduce, inner: inner, outerRange: o..<o + 1, innerRange: cut),
            x, into: &parts)
        }
      }
      #expect(parts == Array(out[..<(outer * inner)]), "parts of \(outer)x\(reduce)x\(inner)")
    }
  }

  @Test(arguments: Target.available) func sumsAreAccurateAndDoNotDependOnTheSplit(
    _ target: Target
  ) {
    checkSums(Float.self, target)
    checkSums(Double.self, target)
  }

  @Test(arguments: Target.available) func longSumsLoseNothingToSpeakOf(_ target: Target) {
    // One after the other, a million tenths in Float would be off by 1 %.
    let count = 1 << 20
    let x = [Float](repeating: 0.1, count: count)
    let exact = Double(Float(0.1)) * Double(count)
    for inner in [1, 2, 32] {
      let shape = ReductionShape(outer: 1, reduce: count / inner, inner: inner)
      var out = [Float](repeating: 0, count: inner)
      Float.sum(target, shape, x, into: &out)
      for value in out { #expect(abs(Double(value) * Double(inner) / exact - 1) < 3e-6) }
    }
  }

  @Test func allTargetsSumInTheSameOrder() {
    var noise = Noise(2)
    for (outer, reduce, inner) in Self.shapes {
      let x: [Float] = noise.numbers(outer * reduce * inner)
      let results = Target.available.map { target in
        var out = [Float](repeating: 0, count: outer * inner)
        Float.sum(
          target, ReductionShape(outer: outer, reduce: reduce, inner: inner), x, into: &out)
        return out
      }
      #expect(results.allSatisfy { $0 == results[0] })
    }
  }

  @Test(arguments: Target.available) func maximaAreExactAndKeepNaN(_ target: Target) {
    var noise = Noise(3)
    for (outer, reduce, inner) in Self.shapes {
      let shape = ReductionShape(outer: outer, reduce: reduce, inner: inner)
      for poisoned in [false, true] where !poisoned || reduce > 0 {
        var x: [Float] = noise.numbers(outer * reduce * inner).map { $0 - 2 }
        let at = x.isEmpty ? 0 : noise.below(x.count)
        if poisoned { x[at] = .nan }
        var out = [Float](repeating: .infinity, count: outer * inner)
        Float.max(target, shape, x, into: &out)
        for o in 0..<outer {
          for i in 0..<inner {
            let column = (0..<reduce).map { x[(o * reduce + $0) * inner + i] }
            let wanted = column.contains(where: \.isNaN) ? .nan : column.max() ?? -.infinity
            let got = out[o * inner + i]
            #expect(got == wanted || (got.isNaN && wanted.isNaN), "\(outer)x\(reduce)x\(inner)")
          }
        }
        var parts = [Float](repeating: 0, count: outer * inner)
        for cut in [0..<inner / 2, inner / 2..<inner] {
          Float.max(
            target, ReductionShape(outer: outer, reduce: reduce, inner: inner, innerRange: cut), x,
            into: &parts)
        }
        #expect(parts.map(\.bitPattern) == out.map(\.bitPattern))
      }
    }
  }

  func checkDots<T: Scalar>(_: T.Type, _ target: Target) {
    var noise = Noise(4)
    for (rows, columns) in [
      (0, 4), (3, 0), (5, 1), (17, 2), (40, 3), (9, 4), (70, 7), (4, 8), (3, 33), (2, 64),
      (2, 1000),
      (1, 3000),
    ] {
      let x: [T] = noise.numbers(rows * columns)
      let y: [T] = noise.numbers(rows * columns)
      let out = T.dotRows(target, rows: rows, columns: columns, x, y)
      for r in 0..<rows {
        var sum: Extended = 0
        var size: Extended = 0
        for j in r * columns..<(r + 1) * columns {
          sum += Extended(x[j]) * Extended(y[j])
          size += abs(Extended(x[j]) * Extended(y[j]))
        }
        #expect(abs(Extended(out[r]) - sum) <= 24 * Extended(T.ulpOfOne) * size)
        // A row alone has the same bits.
        let row = r * columns..<(r + 1) * columns
        let alone = T.dotRows(target, rows: 1, columns: columns, Array(x[row]), Array(y[row]))
        #expect(alone[0] == out[r], "\(rows)x\(columns), row \(r)")
      }
    }
  }

  @Test(arguments: Target.available) func rowProducts(_ target: Target) {
    checkDots(Float.self, target)
    checkDots(Double.self, target)
  }

  @Test(arguments: Target.available) func oneBadEntryIsFoundWhereverItIs(_ target: Target) {
    for count in [0, 1, 15, 16, 17, 100, 5000] {
      var x = [Double](repeating: 1e308, count: count)
      #expect(Double.allFinite(target, x))
      for at in Set([0, count / 2, count - 1]) where at >= 0 && at < count {
        for bad in [Double.infinity, -.infinity, .nan] {
          x[at] = bad
          #expect(!Double.allFinite(target, x))
          #expect(!Float.allFinite(target, x.map { Float($0 == 1e308 ? 3e38 : $0) }))
        }
        x[at] = 1e308
      }
    }
  }
}
