import CScoreKernels
import Foundation
import Testing

/// Matrix products against a plain Double product, and the order of summation to the bit.
@Suite struct GemmTests {
  /// A product's operands in memory, with rows longer than they need be and marked memory around C.
  struct Problem<T: Scalar> {
    var m: Int
    var n: Int
    var k: Int
    var transA = false
    var transB = false
    var beta = false
    var hasBias = false
    var hasPre = false
    var activation = SK_IDENTITY
    var pad = 3
    var a: [T] = []
    var b: [T] = []
    var c: [T] = []
    var bias: [T] = []
    /// What lies in the place before the activation: NaN that a kernel must not leave, or the factors of `SK_TIMES`.
    var factors: [T] = []

    var lda: Int { (transA ? m : k) + pad }
    var ldb: Int { (transB ? k : n) + pad }
    var ldc: Int { n + pad }

    mutating func fill(_ seed: UInt64) {
      var noise = Noise(seed)
      a = noise.numbers((transA ? k : m) * lda + 1)
      b = noise.numbers((transB ? n : k) * ldb + 1)
      c = beta ? noise.numbers(m * ldc + 1) : [T](repeating: .nan, count: m * ldc + 1)
      bias = noise.numbers(n + 1)
      factors =
        activation == SK_TIMES
        ? noise.numbers(c.count) : [T](repeating: .nan, count: c.count)
    }

    func left(_ i: Int, _ p: Int) -> T { transA ? a[p * lda + i] : a[i * lda + p] }
    func right(_ p: Int, _ j: Int) -> T { transB ? b[j * ldb + p] : b[p * ldb + j] }

    /// C and the values before the activation, as the kernel leaves them.
    func result(_ target: Target, packed: Bool) -> (c: [T], pre: [T]) {
      var out = c
      var pre = factors
      out.withUnsafeMutableBufferPointer { out in
        pre.withUnsafeMutableBufferPointer { pre in
          a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
              bias.withUnsafeBufferPointer { bias in
                guard let ap = a.baseAddress, let bp = b.baseAddress, let cp = out.baseAddress
                else { return }
                let call = GemmCall<T>(
                  m: m, n: n, k: k, a: ap, lda: lda, transA: transA, b: bp, ldb: ldb,
                  transB: transB, c: cp, ldc: ldc, beta: beta,
                  bias: hasBias ? bias.baseAddress : nil, activation: activation,
                  pre: hasPre ? pre.baseAddress : nil)
                withScratch(T.gemmScratch(m, n, k)) { scratch in
                  if packed {
                    let count = T.packedCount(target, n: n, k: k)
                    withScratch(count * MemoryLayout<T>.stride) { memory in
                      let packed = memory.bindMemory(to: T.self, capacity: count)
                      T.pack(target, call, rows: 0..<(transB ? n : k), packed: packed)
                      T.gemmPacked(target, call, packed: packed, scratch: scratch)
                    }
                  } else {
                    T.gemm(target, call, scratch: scratch)
                  }
                }
              }
            }
          }
        }
      }
      return (out, pre)
    }

    /// The value of entry (i, j) before the activation: one chain of multiply-adds, then C, then the bias.
    func chain(_ i: Int, _ j: Int, fused: Bool) -> T {
      var sum: T = 0
      for p in 0..<k {
        sum = fused ? sum.addingProduct(left(i, p), right(p, j)) : sum + left(i, p) * right(p, j)
      }
      if beta { sum += c[i * ldc + j] }
      if hasBias { sum += bias[j] }
      return sum
    }

    func activated(_ x: T) -> Double {
      let x = Double(x)
      switch activation {
      case SK_SILU, SK_SILU_SLOPE: return x / (1 + exp(-x))
      case SK_TANH: return tanh(x)
      case SK_RELU: return Swift.max(x, 0)
      default: return x
      }
    }

    /// Compares every entry with the chain, to the bit before the activation and to 4 ulp after, and checks that nothing
    /// else was written.
    func check(_ target: Target, packed: Bool) {
      let (out, pre) = result(target, packed: packed)
      var wrong = 0
      for i in 0..<m {
        for j in 0..<ldc {
          let at = i * ldc + j
          if j >= n {
            if out[at].isNaN != c[at].isNaN || (!c[at].isNaN && out[at] != c[at]) { wrong += 1 }
            if pre[at] != factors[at] && !(pre[at].isNaN && factors[at].isNaN) { wrong += 1 }
            continue
          }
          let value = chain(i, j, fused: target.hasFMA)
          if activation == SK_TIMES {
            if out[at] != value * factors[at] || pre[at] != factors[at] { wrong += 1 }
            continue
          }
          if activation == SK_IDENTITY && out[at] != value { wrong += 1 }
          if hasPre && activation == SK_SILU_SLOPE {
            let s = 1 / (1 + exp(-Double(value)))
            let slope = s * (1 + Double(value) * exp(-Double(value)) * s)
            if !(abs(Double(pre[at]) - slope) <= 4 * Double(T.ulpOfOne)) { wrong += 1 }
          } else if hasPre && pre[at] != value {
            wrong += 1
          }
          if !hasPre && !pre[at].isNaN { wrong += 1 }
          let wanted = activated(value)
          if !(abs(Double(out[at]) - wanted) <= 4 * Double(T(wanted).ulp)) { wrong += 1 }
        }
      }
      #expect(
        wrong == 0,
        "\(m)x\(n)x\(k) transA \(transA) transB \(transB) beta \(beta) bias \(hasBias) pre \(hasPre) activation \(activation.rawValue) packed \(packed)"
      )
    }
  }

  /// Sizes around every edge: tiles, half tiles, blocks of k, columns and rows, and nothing at all.
  static let sizes: [(m: Int, n: Int, k: Int)] = [
    (1, 1, 1), (1, 1, 0), (3, 5, 0), (0, 4, 4), (4, 0, 4), (1, 17, 5), (2, 16, 9), (3, 33, 4),
    (4, 8, 7), (5, 31, 6), (6, 16, 16), (7, 15, 3), (11, 40, 13), (12, 64, 8), (13, 65, 2),
    (24, 130, 11), (25, 9, 130), (26, 7, 1), (97, 34, 257), (37, 2, 256), (1, 100, 300),
    (19, 257, 5), (200, 3, 2), (98, 48, 513),
    (27, 3, 1024), (109, 70, 260), (48, 72, 30), (50, 72, 30), (7, 18, 2100), (100, 40, 2050),
    // Columns of A that are copied: long rows, and more than four panels.
    (300, 140, 20), (308, 140, 9), (306, 130, 260),
  ]

  func checkAllTransposes<T: Scalar>(_: T.Type, _ target: Target) {
    for (number, size) in Self.sizes.enumerated() {
      for variant in 0..<8 {
        var problem = Problem<T>(m: size.m, n: size.n, k: size.k)
        problem.transA = variant & 1 != 0
        problem.transB = variant & 2 != 0
        problem.beta = (variant + number) % 3 == 1
        problem.hasBias = (variant + number) % 2 == 1
        problem.activation =
          [SK_IDENTITY, SK_SILU, SK_TANH, SK_RELU, SK_SILU_SLOPE, SK_TIMES][
            (variant + number / 2) % 6]
        problem.hasPre = (variant / 2 + number) % 3 == 2 || problem.activation == SK_TIMES
        problem.pad = (variant * 5 + number) % 4
        problem.fill(UInt64(number * 8 + variant))
        problem.check(target, packed: variant & 4 != 0)
      }
    }
  }

  @Test(arguments: Target.available) func everyEntryIsOneChainInFloat(_ target: Target) {
    checkAllTransposes(Float.self, target)
  }

  @Test(arguments: Target.available) func everyEntryIsOneChainInDouble(_ target: Target) {
    checkAllTransposes(Double.self, target)
  }

  /// Rows of A that compete for the same lines of the cache, and so are copied.
  @Test(arguments: Target.available) func crowdedRowsAreCopied(_ target: Target) {
    func check<T: Scalar>(_: T.Type, _ k: Int) {
      var problem = Problem<T>(m: 62, n: 140, k: k)
      problem.hasBias = true
      problem.fill(11)
      problem.check(target, packed: false)
      problem.check(target, packed: true)
    }
    check(Float.self, 1024)
    check(Double.self, 512)
  }

  /// The bytes of a matrix of `rows` rows packed at once, and in parts from the last to the first.
  static func packings(
    bytes: Int, rows: Int, _ pack: (Range<Int>, UnsafeMutableRawPointer) -> Void
  ) -> (whole: [UInt8], parts: [UInt8]) {
    // From different memory, so that what nobody writes differs.
    func packed(_ parts: [Range<Int>], over filling: UInt8) -> [UInt8] {
      withScratch(bytes) { memory in
        memory.initializeMemory(as: UInt8.self, repeating: filling, count: bytes)
        for part in parts { pack(part, memory) }
        return Array(UnsafeRawBufferPointer(start: memory, count: bytes))
      }
    }
    // The first part is twice as long as the others.
    let size = Int(SK_PACK_ROWS)
    let starts = [0] + stride(from: 2 * size, to: rows, by: size)
    let parts = zip(starts, starts.dropFirst() + [rows]).map { $0..<$1 }
    return (packed([0..<rows], over: 0x5A), packed(parts.reversed(), over: 0xA5))
  }

  /// Parts cut panels in their depth, or lie between panels where the matrix is transposed.
  @Test(arguments: Target.available) func partsArePackedAsTheWhole(_ target: Target) {
    func check<T: Scalar>(_: T.Type, _ n: Int, _ k: Int, transB: Bool) {
      var problem = Problem<T>(m: 1, n: n, k: k)
      problem.transB = transB
      problem.pad = 3
      problem.fill(5)
      let count = T.packedCount(target, n: n, k: k)
      let (whole, parts) = problem.b.withUnsafeBufferPointer { b in
        Self.packings(bytes: count * MemoryLayout<T>.stride, rows: transB ? n : k) { rows, memory in
          guard let base = b.baseAddress else { return }
          let call = GemmCall<T>(
            m: 1, n: n, k: k, a: base, lda: k, transA: false, b: base, ldb: problem.ldb,
            transB: transB, c: UnsafeMutablePointer(mutating: base), ldc: n, beta: false, bias: nil,
            activation: SK_IDENTITY,
            pre: nil)
          T.pack(
            target, call, rows: rows, packed: memory.assumingMemoryBound(to: T.self))
        }
      }
      #expect(whole == parts, "\(T.self) \(k)x\(n) transB \(transB)")
    }
    for (n, k) in [(1, 65), (70, 100), (200, 96), (257, 65), (96, 96), (130, 90)] {
      for transB in [false, true] {
        check(Float.self, n, k, transB: transB)
        check(Double.self, n, k, transB: transB)
      }
    }
  }

  @Test(arguments: Target.available) func longSumsWithBetaWaitOutsideC(_ target: Target) {
    var problem = Problem<Float>(m: 965, n: 18, k: 520)
    problem.transA = true
    problem.beta = true
    problem.hasBias = true
    problem.fill(7)
    problem.check(target, packed: false)
    problem.check(target, packed: true)
  }

  @Test(arguments: Target.available) func aRowDoesNotDependOnItsPlaceOrItsNeighbours(
    _ target: Target
  ) {
    // Rows taken alone, in twos, in sevens … must have the bits that they have in the whole product.
    for (k, transB) in [(131, false), (300, true)] {
      var whole = Problem<Float>(m: 64, n: 70, k: k)
      whole.transB = transB
      whole.activation = SK_SILU
      whole.fill(3)
      let expected = whole.result(target, packed: false).c
      for rows in [1, 2, 7, 13, 31] {
        for start in stride(from: 0, to: 64 - rows, by: rows) {
          var part = whole
          part.m = rows
          part.a = Array(whole.a[(start * whole.lda)...])
          part.c = Array(whole.c[(start * whole.ldc)...])
          for packed in [false, true] {
            let got = part.result(target, packed: packed).c
            let same = (0..<rows).allSatisfy { i in
              (0..<70).allSatisfy {
                got[i * part.ldc + $0] == expected[(start + i) * whole.ldc + $0]
              }
            }
            #expect(same, "rows \(start) ..< \(start + rows), k \(k), packed \(packed)")
          }
        }
      }
    }
  }
}
