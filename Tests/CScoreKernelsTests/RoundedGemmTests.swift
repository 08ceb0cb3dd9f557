import CScoreKernels
import Foundation
import Testing

/// Products of operands rounded to bfloat16: the rounding to the bit, then the sums.
@Suite struct RoundedGemmTests {
  // MARK: Rounding

  static func rounded(_ x: [Float]) -> [Float] {
    var y = x
    sk_round_bf16(Int64(x.count), x, &y)
    return y
  }

  /// The nearest Float whose lower sixteen bits are 0, found among the two neighbours by exact distances.
  static func reference(_ x: Float) -> Float {
    if x.isNaN || x.isInfinite { return x }
    let below = Float(bitPattern: x.bitPattern & 0xffff_0000)
    let above = Float(bitPattern: (x.bitPattern & 0xffff_0000) &+ 0x1_0000)
    // Beyond the largest one the next is infinite, and counts as the power of two that it stands in the place of.
    let limit = above.isInfinite ? 0x1p128 : Double(above.magnitude)
    let (down, up) = (
      Double(x.magnitude) - Double(below.magnitude), limit - Double(x.magnitude)
    )
    if down != up { return down < up ? below : above }
    return below.bitPattern & 0x1_0000 == 0 ? below : above
  }

  private func check(_ x: [Float]) {
    let found = Self.rounded(x)
    let wrong = zip(x, found).filter { x, y in
      x.isNaN
        ? !y.isNaN || y.bitPattern & 0xffff != 0 : y.bitPattern != Self.reference(x).bitPattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(3))")
  }

  @Test func rounding() {
    // Around every bfloat16 there is: itself, its neighbours in Float, the tie above and the tie's neighbours; so both
    // zeros, all subnormals, infinities, what is not a number, and the largest, above which is infinity.
    let offsets: [UInt32] = [0, 1, 0x7fff, 0x8000, 0x8001, 0xffff]
    for upper in stride(from: 0, through: 0xffff, by: 0x100) as StrideThrough<UInt32> {
      check(
        (upper..<upper + 0x100).flatMap { upper in
          offsets.map { Float(bitPattern: upper << 16 | $0) }
        })
    }
    var noise = Noise(1)
    check((0..<10_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: noise.bits())) })
  }

  // MARK: Products

  /// C and the values before the activation, of operands that the kernel rounds.
  static func result(_ problem: GemmTests.Problem<Float>, _ target: Target)
    -> (c: [Float], pre: [Float])
  {
    let p = problem
    let (m, n, k) = (Int64(p.m), Int64(p.n), Int64(p.k))
    var (out, pre) = (p.c, [Float](repeating: .nan, count: p.c.count))
    let words = sk_gemm_bf16_packed_count(target.kernels, n, k)
    withScratch(Int(words) * 4) { memory in
      let packed = memory.bindMemory(to: UInt32.self, capacity: Int(words))
      sk_gemm_bf16_pack(
        target.kernels, n, k, p.b, Int64(p.ldb), p.transB ? 1 : 0, 0, p.transB ? n : k,
        packed)
      withScratch(Int(sk_gemm_bf16_scratch(m, k))) { scratch in
        pre.withUnsafeMutableBufferPointer { pre in
          p.bias.withUnsafeBufferPointer { bias in
            sk_gemm_bf16(
              target.kernels, m, n, k, p.a, Int64(p.lda), p.transA ? 1 : 0, packed, &out,
              Int64(p.ldc), p.beta ? 1 : 0, p.hasBias ? bias.baseAddress : nil, p.activation,
              p.hasPre ? pre.baseAddress : nil, scratch)
          }
        }
      }
    }
    return (out, pre)
  }

  static func problems() -> [GemmTests.Problem<Float>] {
    GemmTests.sizes.enumerated().flatMap { number, size in
      (0..<4).map { variant in
        var problem = GemmTests.Problem<Float>(m: size.m, n: size.n, k: size.k)
        problem.transA = variant & 1 != 0
        problem.transB = variant & 2 != 0
        problem.beta = (variant + number) % 3 == 1
        problem.hasBias = (variant + number) % 2 == 1
        problem.hasPre = (variant / 2 + number) % 3 == 2
        problem.activation = [SK_IDENTITY, SK_SILU, SK_TANH, SK_RELU][(variant + number / 2) % 4]
        problem.pad = (variant * 5 + number) % 4
        problem.fill(UInt64(number * 4 + variant))
        return problem
      }
    }
  }

  /// The ordinary product of operands that are rounded already, from C and the bias as they are.
  static func ofRounded(_ problem: GemmTests.Problem<Float>, _ target: Target)
    -> (c: [Float], pre: [Float])
  {
    var rounded = problem
    rounded.a = Self.rounded(problem.a)
    rounded.b = Self.rounded(problem.b)
    return rounded.result(target, packed: true)
  }

  @Test(arguments: Target.available.filter { $0.number != SK_AVX512_BF16.rawValue })
  func haveTheBitsOfTheProductOfRoundedOperands(_ target: Target) {
    for problem in Self.problems() {
      let (found, expected) = (Self.result(problem, target), Self.ofRounded(problem, target))
      #expect(
        found.c.map(\.bitPattern) == expected.c.map(\.bitPattern)
          && found.pre.map(\.bitPattern) == expected.pre.map(\.bitPattern),
        "\(problem.m)x\(problem.n)x\(problem.k) transA \(problem.transA) transB \(problem.transB)")
    }
  }

  @Test(arguments: Target.available)
  func stayWithinTheBoundOfADoubleProduct(_ target: Target) {
    for problem in Self.problems() {
      var plain = problem
      (plain.activation, plain.beta, plain.hasBias, plain.hasPre) = (
        SK_IDENTITY, false, false, false
      )
      plain.fill(9)
      let found = Self.result(plain, target).c
      (plain.a, plain.b) = (Self.rounded(plain.a), Self.rounded(plain.b))
      var wrong = 0
      for i in 0..<plain.m {
        for j in 0..<plain.n {
          var (sum, size) = (0.0, 0.0)
          for p in 0..<plain.k {
            let term = Double(plain.left(i, p)) * Double(plain.right(p, j))
            sum += term
            size += abs(term)
          }
          let error = abs(Double(found[i * plain.ldc + j]) - sum)
          if !(error <= Double(plain.k) * 0x1p-24 * size + 0x1p-120 * Double(plain.k)) {
            wrong += 1
          }
        }
      }
      #expect(wrong == 0, "\(plain.m)x\(plain.n)x\(plain.k)")
    }
  }

  @Test(arguments: Target.available) func aRowDoesNotDependOnItsNeighbours(_ target: Target) {
    var whole = GemmTests.Problem<Float>(m: 110, n: 70, k: 131)
    whole.activation = SK_SILU
    whole.fill(3)
    let expected = Self.result(whole, target).c
    for rows in [1, 2, 7, 13, 100] {
      for start in stride(from: 0, to: 110 - rows, by: rows) {
        var part = whole
        part.m = rows
        part.a = Array(whole.a[(start * whole.lda)...])
        part.c = Array(whole.c[(start * whole.ldc)...])
        let found = Self.result(part, target).c
        let same = (0..<rows).allSatisfy { i in
          (0..<70).allSatisfy { found[i * part.ldc + $0] == expected[(start + i) * whole.ldc + $0] }
        }
        #expect(same, "rows \(start) ..< \(start + rows)")
      }
    }
  }

  @Test(arguments: Target.available) func whatIsNotFiniteComesThrough(_ target: Target) {
    var problem = GemmTests.Problem<Float>(m: 3, n: 5, k: 7)
    problem.pad = 0
    problem.fill(1)
    problem.a[2] = .nan
    problem.a[7 + 3] = .infinity
    // Rounds to infinity.
    problem.a[14 + 6] = .greatestFiniteMagnitude
    let found = Self.result(problem, target).c
    #expect(found[0..<5].allSatisfy { $0.isNaN })
    #expect(found[5..<15].allSatisfy { $0.isInfinite })
  }

  @Test(arguments: Target.available) func partsArePackedAsTheWhole(_ target: Target) {
    for (n, k) in [(1, 65), (70, 101), (200, 96), (257, 65)] {
      var noise = Noise(9)
      let b: [Float] = noise.numbers(n * k)
      for transB in [false, true] {
        let words = Int(sk_gemm_bf16_packed_count(target.kernels, Int64(n), Int64(k)))
        let (whole, parts) = GemmTests.packings(bytes: words * 4, rows: transB ? n : k) {
          sk_gemm_bf16_pack(
            target.kernels, Int64(n), Int64(k), b, Int64(transB ? k : n), transB ? 1 : 0,
            Int64($0.lowerBound), Int64($0.upperBound),
            $1.assumingMemoryBound(to: UInt32.self))
        }
        #expect(whole == parts, "\(k)x\(n) transB \(transB)")
      }
    }
  }
}
