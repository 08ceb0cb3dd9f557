import ScoreAutodiff
import ScoreTensors
import Synchronization
import Testing

/// What must not change a single bit.
@Suite struct InvarianceTests {
  /// A network of the kind that the package trains, with its loss and gradients.
  struct Network {
    let rows: Int
    let parameters: [Formula]
    let arguments: [Formula]
    let prediction: Formula
    let gradients: [Formula]

    init(rows: Int, conditionRows: Int) {
      self.rows = rows
      let width = 48
      let shapes: [Shape] = [
        [width, 2], [width, 6], [width], [width, width], [width], [2, width], [2],
      ]
      parameters = shapes.enumerated().map { .input("p\($0)", $1) }
      arguments = [.input("x", [rows, 2]), .input("c", [conditionRows, 3])]
      let features = Formula.concatenated([sin(arguments[1]), cos(arguments[1])], axis: 1)
      let first = silu(
        arguments[0].matmul(parameters[0], transposeOther: true)
          + (features.matmul(parameters[1], transposeOther: true) + parameters[2]))
      let second = silu(first.matmul(parameters[3], transposeOther: true) + parameters[4])
      let normal = second - second.mean([-1], keepDims: true)
      let residual = first + normal * rsqrt(square(normal).mean([-1], keepDims: true) + 1e-5)
      prediction = residual.matmul(parameters[5], transposeOther: true) + parameters[6]
      let loss = square(prediction - arguments[0]).sum([1]).mean()
      gradients = [loss] + gradient(of: loss, withRespectTo: parameters)
    }

    static func values(rows: Int, conditionRows: Int) -> (
      parameters: [Tensor<Float>], arguments: [Tensor<Float>]
    ) {
      let network = Network(rows: 1, conditionRows: 1)
      return (
        network.parameters.enumerated().map { index, p in
          RandomKey(1).folded(UInt64(index)).normal(p.shape).map { 0.3 * $0 }
        },
        [RandomKey(2).normal([rows, 2]), RandomKey(3).normal([conditionRows, 3])]
      )
    }
  }

  /// Large products of two values are shared out by columns.
  @Test(arguments: [false, true], [false, true])
  func columnsDoNotDependOnTheWorkers(transposed: Bool, otherTransposed: Bool) {
    let (m, n, k) = (75, 330, 310)
    let a = Formula.input("a", transposed ? [k, m] : [m, k])
    let b = Formula.input("b", otherTransposed ? [n, k] : [k, n])
    let bias = Formula.input("bias", [n])
    let sum =
      (transposed ? a.transposed() : a).matmul(b, transposeOther: otherTransposed) + bias
    let arguments = [a, b, bias]
    let values = arguments.enumerated().map {
      RandomKey(UInt64($0)).normal($1.shape) as Tensor<Float>
    }
    let program = Program<Float>(arguments: arguments, outputs: [silu(sum), square(sum)])
    let alone = program(values)
    let expected = Interpreter.evaluate(
      [silu(sum), square(sum)],
      Dictionary(
        uniqueKeysWithValues: zip(["a", "b", "bias"], values.map { Tensor<Double>($0) })))
    for (found, exact) in zip(alone, expected) {
      #expect(
        zip(found.scalars, exact.scalars).allSatisfy {
          abs(Double($0) - $1) < 1e-4 * (20 + abs($1))
        })
    }
    for threads in [2, 3, 5] {
      let shared = program(values, pool: ThreadPool(threads: threads))
      #expect(shared == alone, "\(threads) threads")
    }
  }

  @Test(arguments: [1, 2, 7, 16, 64, 100], [true, false])
  func rowsDoNotDependOnTheBatch(rows: Int, sharedCondition: Bool) {
    let most = 100
    let values = Network.values(rows: most, conditionRows: sharedCondition ? 1 : most)
    func predict(_ range: Range<Int>) -> (Tensor<Float>, Tensor<Float>) {
      let network = Network(rows: range.count, conditionRows: sharedCondition ? 1 : range.count)
      let cotangent = Formula.input("v", [range.count, 2])
      let pullback = vjp(
        [network.prediction], cotangents: [cotangent], withRespectTo: [network.arguments[0]])
      let program = Program<Float>(
        parameters: network.parameters, arguments: network.arguments + [cotangent],
        outputs: [network.prediction] + pullback)
      let found = program(
        [
          values.arguments[0].rows(range),
          sharedCondition ? values.arguments[1] : values.arguments[1].rows(range),
          Tensor([range.count, 2], repeating: 1),
        ], parameters: values.parameters)
      return (found[0], found[1])
    }
    let (all, allPullback) = predict(0..<most)
    for start in stride(from: 0, through: most - rows, by: max(1, (most - rows) / 3)) {
      let (part, pullback) = predict(start..<start + rows)
      #expect(part == all.rows(start..<start + rows))
      #expect(pullback == allPullback.rows(start..<start + rows))
      if rows == most { break }
    }
  }

  /// Products that only the caller waits for may come last, and be done by other threads.
  @Test func leavesAreTheSameBitsWhoeverDoesThem() {
    let network = Network(rows: 64, conditionRows: 64)
    let values = Network.values(rows: 64, conditionRows: 64)
    func program(leavesLast: Bool) -> Program<Float> {
      Program(
        parameters: network.parameters, arguments: network.arguments, outputs: network.gradients,
        leavesLast: leavesLast)
    }
    let plain = program(leavesLast: false)
    let expected = plain(values.arguments, parameters: values.parameters)
    let last = program(leavesLast: true)
    #expect(last.instructions.suffix(4).allSatisfy { $0.contains("output") && $0.contains("·") })
    #expect(last.instructions.count == plain.instructions.count)
    let bound = last.bind(values.parameters)
    let (own, others) = (bound.makeWorkspace(), bound.makeWorkspace())
    let runs = Atomic(0)
    let helped = Atomic(0)
    ThreadPool(threads: 2).run { worker, _ in
      if worker == 1 {
        while runs.load(ordering: .acquiring) >= 0 {
          helped.add(own.help(with: others), ordering: .relaxed)
        }
        return
      }
      var isSame = true
      // Enough for the other thread to come by.
      while isSame
        && (runs.load(ordering: .relaxed) < 500
          || runs.load(ordering: .relaxed) < 100_000 && helped.load(ordering: .relaxed) == 0)
      {
        var found = expected.map { Tensor<Float>($0.shape) }
        bound.run(values.arguments, into: &found, own)
        // One look right after the run: a leaf that came late would be there at the second.
        isSame = found == expected
        runs.add(1, ordering: .relaxed)
      }
      #expect(isSame)
      runs.store(-1, ordering: .releasing)
    }
    #expect(helped.load(ordering: .relaxed) > 0)
  }

  @Test func aSharedConditionGivesTheBitsOfARepeatedOne() {
    let values = Network.values(rows: 33, conditionRows: 1)
    let shared = Network(rows: 33, conditionRows: 1)
    let repeated = Network(rows: 33, conditionRows: 33)
    let a = Program<Float>(
      parameters: shared.parameters, arguments: shared.arguments, outputs: [shared.prediction])(
        values.arguments, parameters: values.parameters)
    let b = Program<Float>(
      parameters: repeated.parameters, arguments: repeated.arguments,
      outputs: [repeated.prediction])(
        [values.arguments[0], values.arguments[1].rows([Int](repeating: 0, count: 33))],
        parameters: values.parameters)
    #expect(a == b)
  }

  /// Of forty threads most come too late for the first wait, and worker 0 does their parts.
  @Test(arguments: [2, 3, 4, 40])
  func bitsDoNotDependOnThreads(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for (rows, conditionRows) in [(512, 512), (200, 1), (37, 37), (5, 1)] {
      let network = Network(rows: rows, conditionRows: conditionRows)
      let values = Network.values(rows: rows, conditionRows: conditionRows)
      let program = Program<Float>(
        arguments: network.parameters + network.arguments,
        outputs: [network.prediction] + network.gradients
      ).bind([])
      let alone = program(values.parameters + values.arguments)
      let workspace = program.makeWorkspace(pool: pool)
      var results = program.outputShapes.map { Tensor<Float>($0) }
      for _ in 0..<10 {
        program.run(values.parameters + values.arguments, into: &results, workspace)
        #expect(results == alone)
      }
    }
  }

  @Test func productsOverTheBatchWaitForAllRows() {
    // As many columns as rows, so that both products are shared in the same way.
    let x = Formula.input("x", [192, 192])
    let h = silu(x.matmul(x))
    let program = Program<Float>(arguments: [x], outputs: [h.matmul(h, transposeSelf: true)]).bind(
      [])
    let values: Tensor<Float> = RandomKey(1).normal([192, 192])
    let alone = program([values])
    let workspace = program.makeWorkspace(pool: ThreadPool(threads: 3))
    var results = alone
    for _ in 0..<20 {
      program.run([values], into: &results, workspace)
      #expect(results == alone)
    }
  }

  @Test(arguments: 300..<340)
  func randomFormulasDoNotDependOnThreads(seed: Int) {
    let pool = ThreadPool(threads: 3)
    let formula = RandomFormula(seed: UInt64(seed), rows: 700, steps: 30)
    let inputs = formula.parameters + formula.arguments
    let values = inputs.compactMap { formula.values[$0.inputName ?? ""] }
    let program = Program<Double>(arguments: inputs, outputs: formula.outputs).bind([])
    let alone = program(values)
    let together = program(values, pool: pool)
    for (a, b) in zip(alone, together) {
      #expect(zip(a.scalars, b.scalars).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
    }
  }

  @Test func concurrentRunsDoNotDisturbEachOther() async {
    let network = Network(rows: 64, conditionRows: 1)
    let values = Network.values(rows: 64, conditionRows: 1)
    let program = Program<Float>(
      parameters: network.parameters, arguments: network.arguments,
      outputs: [network.prediction]
    ).bind(values.parameters)
    let inputs = (0..<8).map { number in
      [(Float(number) - 3.5) * values.arguments[0], values.arguments[1]]
    }
    let expected = inputs.map { program($0) }
    let pool = ThreadPool(threads: 2)
    await withTaskGroup(of: Bool.self) { group in
      for (number, input) in inputs.enumerated() {
        group.addTask {
          let workspace = program.makeWorkspace(pool: number % 2 == 0 ? pool : nil)
          var results = program.outputShapes.map { Tensor<Float>($0) }
          return (0..<50).allSatisfy { _ in
            program.run(input, into: &results, workspace)
            return results == expected[number] && program(input) == expected[number]
          }
        }
      }
      for await isRight in group { #expect(isRight) }
    }
  }
}
