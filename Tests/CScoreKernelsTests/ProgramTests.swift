import CScoreKernels
import Foundation
import Testing

/// Fused elementwise programs: every view, every split, in place, and each operation.
@Suite struct ProgramTests {
  /// ((x + y) * x - z, silu of it, x > y ? z : 2.5): constants, inputs read twice, three outputs.
  static func sample(sizes: [Int], views: [[Int]]) -> Program {
    var program = Program(sizes: sizes, views: views)
    let sum = program.add(SK_ADD, 0, 1)
    let product = program.add(SK_MUL, sum, 0)
    let constant = program.add(SK_CONSTANT, imm: 2.5)
    let twice = program.add(SK_ADD, constant, constant)
    let difference = program.add(SK_SUB, product, 2)
    let silu = program.add(SK_SILU_, difference)
    let greater = program.add(SK_GREATER, 0, 1)
    let selected = program.add(SK_SELECT, greater, 2, constant)
    let fused = program.add(SK_FMA, selected, twice, silu)
    program.outputs = [difference, silu, fused]
    return program
  }

  /// Index spaces with the strides of three inputs: contiguous, rows, columns, scalars, transposed, reversed, cut out.
  static let layouts: [(sizes: [Int], views: [[Int]])] = [
    ([], [[], [], []]),
    ([1], [[1], [0], [5]]),
    ([37], [[1], [0], [1]]),
    ([2000], [[1], [1], [0]]),
    ([5, 64], [[64, 1], [0, 1], [1, 0]]),
    ([40, 64], [[64, 1], [0, 1], [1, 0]]),
    ([700, 2], [[2, 1], [1, 0], [0, 1]]),
    ([333, 3], [[3, 1], [1, 0], [0, 1]]),
    ([9, 513], [[513, 1], [0, 1], [1, 0]]),
    ([3, 2000], [[2000, 1], [0, 1], [1, 0]]),
    ([60, 20], [[1, 60], [20, 1], [0, 0]]),
    ([7, 3, 50], [[150, 50, 1], [50, 0, 1], [0, 1, 0]]),
    ([7, 3, 50], [[0, 50, 1], [3, 1, 0], [150, 50, 1]]),
    ([4, 5, 6, 7], [[210, 42, 7, 1], [0, 7, 0, 1], [42, 0, 7, 0]]),
    (
      [2, 2, 2, 2, 2, 2, 2, 2],
      [[128, 64, 32, 16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 32, 64, 128], [0, 1, 0, 2, 0, 4, 0, 8]]
    ),
    ([30, 17], [[40, 2], [17, 1], [0, 3]]),
    ([100, 1, 4], [[4, 9, 1], [1, 0, 0], [0, 0, 1]]),
  ]

  static func inputs<T: Scalar>(_ program: Program, _: T.Type, seed: UInt64) -> [[T]] {
    var noise = Noise(seed)
    return program.views.map { view in
      let last = zip(program.sizes, view.strides).map { ($0 - 1) * $1 }.reduce(0, +)
      return noise.numbers(last + 1).map { 4 * $0 }
    }
  }

  func checkViews<T: Scalar>(_: T.Type, _ target: Target) {
    for (number, layout) in Self.layouts.enumerated() {
      let program = Self.sample(sizes: layout.sizes, views: layout.views)
      let inputs = Self.inputs(program, T.self, seed: UInt64(number))
      let expected = program.reference(target, inputs)
      let count = program.count
      #expect(program.run(target, inputs, [0..<count]) == expected, "layout \(layout)")
      // Splits at odd places, in another order, must give the same bits.
      var noise = Noise(UInt64(number))
      let cuts = [0, count] + (0..<4).map { _ in noise.below(count + 1) }
      let sorted = cuts.sorted()
      let ranges = zip(sorted, sorted.dropFirst()).map { $0..<$1 }
      #expect(program.run(target, inputs, ranges.reversed()) == expected, "ranges \(ranges)")
    }
  }

  @Test(arguments: Target.available) func viewsAndSplitsInFloat(_ target: Target) {
    checkViews(Float.self, target)
  }

  @Test(arguments: Target.available) func viewsAndSplitsInDouble(_ target: Target) {
    checkViews(Double.self, target)
  }

  @Test(arguments: Target.available) func oneOperandOperationsAreThoseOfMap(_ target: Target) {
    for raw in SK_NEG.rawValue...SK_COPY.rawValue {
      var program = Program(sizes: [300], views: [[1]])
      let y = program.add(sk_opcode(raw), 0)
      program.outputs = [y]
      let inputs = Self.inputs(program, Float.self, seed: 5)
      let got = program.run(target, inputs, [0..<300])[0].map(\.bitPattern)
      #expect(got == Float.map(target, sk_opcode(raw), inputs[0]).map(\.bitPattern))
    }
  }

  @Test(arguments: Target.available) func maximumAndMinimumGiveNaNForEitherOperand(
    _ target: Target
  ) {
    var program = Program(sizes: [4], views: [[1], [1]])
    let larger = program.add(SK_MAX, 0, 1)
    let smaller = program.add(SK_MIN, 0, 1)
    program.outputs = [larger, smaller]
    let x: [Float] = [1, .nan, 2, .nan]
    let y: [Float] = [.nan, 1, -3, .nan]
    let got = program.run(target, [x, y], [0..<4])
    #expect(got[0].map(\.isNaN) == [true, true, false, true] && got[0][2] == 2)
    #expect(got[1].map(\.isNaN) == [true, true, false, true] && got[1][2] == -3)
  }

  func powers<T: Scalar>(_ target: Target, _ pairs: [(T, T)]) -> [T] {
    var program = Program(sizes: [pairs.count], views: [[1], [1]])
    program.outputs = [program.add(SK_POW, 0, 1)]
    return program.run(target, [pairs.map(\.0), pairs.map(\.1)], [0..<pairs.count])[0]
  }

  @Test(arguments: Target.available) func powersAreThoseOfC(_ target: Target) {
    var noise = Noise(6)
    var pairs: [(Float, Float)] = (0..<2000).map { _ in
      (10 * abs(noise.number(Float.self)), 20 * noise.number(Float.self))
    }
    let special: [Float] = [
      0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1e30, -1e30, .infinity, -.infinity, .nan,
    ]
    for x in special { for y in special { pairs.append((x, y)) } }
    for (pair, got) in zip(pairs, powers(target, pairs)) {
      let exact = pow(Double(pair.0), Double(pair.1))
      #expect(
        OperationTests.error(got, Extended(exact)) <= 0.51 && (got.sign == exact.sign || got.isNaN),
        "\(pair.0) to the \(pair.1) is \(got)")
    }
    let doubles = pairs.map { (Double($0.0), Double($0.1)) }
    for (pair, got) in zip(doubles, powers(target, doubles)) {
      let exact = pow(pair.0, pair.1)
      #expect(got == exact || (got.isNaN && exact.isNaN))
    }
  }

  func checkSiluGradient<T: Scalar>(_: T.Type, _ target: Target) {
    var program = Program(sizes: [400], views: [[1], [1]])
    program.outputs = [program.add(SK_SILU_GRAD, 0, 1)]
    var noise = Noise(8)
    let x: [T] = noise.numbers(400).map { 30 * $0 }
    let y: [T] = noise.numbers(400)
    let got = program.run(target, [x, y], [0..<400])[0]
    for ((x, y), got) in zip(zip(x, y), got) {
      let e = exp(-Extended(x))
      let s = 1 / (1 + e)
      // In units of the terms of the sum, which cancel near x = -1.28.
      let size = abs(Extended(y)) * s * (1 + abs(Extended(x)) * e * s)
      let error = abs(Extended(got) - Extended(y) * s * (1 + Extended(x) * e * s))
      #expect(error <= 4 * Extended(T.ulpOfOne) * size, "at \(x)")
    }
    let ends: [T] = [.infinity, -.infinity, 1e4, -1e4]
    let slopes = program.run(target, [ends + x[4...], [T](repeating: 1, count: 400)], [0..<400])[0]
    #expect(slopes[0] == 1 && slopes[2] == 1 && abs(slopes[1]) < 1e-30 && abs(slopes[3]) < 1e-30)
  }

  @Test(arguments: Target.available) func siluGradientIsTheDerivative(_ target: Target) {
    checkSiluGradient(Float.self, target)
    checkSiluGradient(Double.self, target)
  }

  @Test(arguments: Target.available) func anOutputMayLieOnAnInput(_ target: Target) {
    // Three in-place outputs of one program, one of which is needed by a later operation, and an exchange of two inputs.
    let count = 1100
    var program = Program(sizes: [count], views: [[1], [1], [1]])
    let sum = program.add(SK_ADD, 0, 1)
    let product = program.add(SK_MUL, 0, 1)
    let third = program.add(SK_FMA, sum, product, 2)
    program.outputs = [sum, product, third]
    checkInPlace(target, program)
    var exchange = Program(sizes: [count], views: [[1], [1], [0]])
    exchange.outputs = [1, 0]
    checkInPlace(target, exchange)
    var held = Program(sizes: [count], views: [[1], [0]])
    let doubled = held.add(SK_ADD, 1, 1)
    held.outputs = [doubled]
    checkInPlace(target, held)
    var twice = Program(sizes: [count], views: [[1], [1]])
    let exponential = twice.add(SK_EXP, 0)
    twice.outputs = [exponential, exponential]
    checkInPlace(target, twice)
  }

  /// Output o is written over input o.
  func checkInPlace(_ target: Target, _ program: Program) {
    let inputs = Self.inputs(program, Float.self, seed: 9)
    let expected = program.reference(target, inputs)
    var memory = inputs
    var compiled = program.compiled
    let base = memory.indices.map { i in
      memory[i].withUnsafeMutableBufferPointer { buffer in
        let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: buffer.count)
        _ = copy.initialize(from: buffer)
        return copy
      }
    }
    defer { for buffer in base { buffer.deallocate() } }
    withScratch(Float.programScratch(&compiled)) { scratch in
      Float.run(
        target, &compiled, base.map { UnsafePointer($0.baseAddress) },
        program.outputs.indices.map { base[$0].baseAddress }, 0..<program.count, scratch: scratch)
    }
    for o in program.outputs.indices { #expect(Array(base[o]) == expected[o], "output \(o)") }
  }

  @Test(arguments: Target.available) func theLongestProgramRuns(_ target: Target) {
    var program = Program(
      sizes: [50, 24],
      views: (0..<16).map { $0 % 3 == 0 ? [24, 1] : $0 % 3 == 1 ? [0, 1] : [1, 0] })
    // A sum of many live registers: no slot may be reused too early.
    var live: [Int] = []
    for i in 0..<31 { live.append(program.add(SK_ADD, i % 16, (i * 7 + 1) % 16)) }
    live += [0, 5]
    while live.count > 1 && program.operations.count < 64 {
      live.append(program.add(SK_SUB, live.removeFirst(), live.removeFirst()))
    }
    program.outputs = [program.views.count + program.operations.count - 1, live[0], 20, 16, 3]
    let inputs = Self.inputs(program, Double.self, seed: 11)
    let expected = program.reference(target, inputs)
    #expect(program.run(target, inputs, [0..<1200]) == expected)
  }

  /// An input that nothing reads takes no other's place, though the other is spread once for all blocks.
  @Test(arguments: Target.available) func unreadInputsDisturbNoOthers(_ target: Target) {
    var program = Program(sizes: [600, 4], views: [[1, 0], [0, 1]])
    let sum = program.add(SK_ADD, 1, 1)
    program.outputs = [sum]
    let inputs = Self.inputs(program, Float.self, seed: 3)
    #expect(program.run(target, inputs, [0..<2400]) == program.reference(target, inputs))
  }
}
