import Foundation
import ScoreAutodiff
import ScoreTensors
import Synchronization
import Testing

@Suite struct ProgramTests {
  private func expectClose(
    _ found: [Tensor<Double>], _ expected: [Tensor<Double>], _ tolerance: Double, _ name: String
  ) {
    #expect(found.map(\.shape) == expected.map(\.shape))
    for (index, (a, b)) in zip(found, expected).enumerated() {
      let scale = b.scalars.map(abs).max() ?? 0
      let worst = zip(a.scalars, b.scalars).map { abs($0 - $1) }.max() ?? 0
      #expect(
        worst <= tolerance * (1 + scale), "\(name), output \(index): \(worst) of \(scale)")
    }
  }

  @Test(arguments: OperationCase.all)
  func everyOperationAgreesWithTheInterpreter(operation: OperationCase) {
    let y = operation.body(operation.inputs)
    let weights = Formula(RandomKey(3).normal(y.shape) as Tensor<Double>)
    let outputs = [y] + vjp([y], cotangents: [weights], withRespectTo: operation.inputs)
    let values = operation.values(4)
    let expected = Interpreter.evaluate(outputs, operation.named(values))
    let program = Program<Double>(arguments: operation.inputs, outputs: outputs)
    expectClose(program(values), expected, 1e-13, operation.name)
    let single = Program<Float>(arguments: operation.inputs, outputs: outputs)
    let found = single(values.map { Tensor<Float>($0) }).map { Tensor<Double>($0) }
    expectClose(found, expected, 3e-5, operation.name)
  }

  @Test(arguments: OperationCase.all)
  func everyOperationAgreesWithTheInterpreterOnParameters(operation: OperationCase) {
    let outputs = [operation.body(operation.inputs)]
    let values = operation.values(5)
    let program = Program<Double>(
      parameters: operation.inputs, arguments: [], outputs: outputs)
    let expected = Interpreter.evaluate(outputs, operation.named(values))
    expectClose(program([], parameters: values), expected, 1e-13, operation.name)
  }

  @Test(arguments: 0..<150)
  func randomFormulasAgreeWithTheInterpreter(seed: Int) {
    let rows = [1, 3, 8, 33][seed % 4]
    let formula = RandomFormula(seed: UInt64(seed), rows: rows, steps: 4 + seed % 37)
    let expected = Interpreter.evaluate(formula.outputs, formula.values)
    let program = Program<Double>(
      parameters: formula.parameters, arguments: formula.arguments, outputs: formula.outputs)
    let bound = program.bind(formula.parameters.compactMap { formula.values[$0.inputName ?? ""] })
    let arguments = formula.arguments.compactMap { formula.values[$0.inputName ?? ""] }
    expectClose(bound(arguments), expected, 1e-9, "seed \(seed)")
    // A second run in the same memory, and one without parameters set apart, give the same.
    expectClose(bound(arguments), expected, 1e-9, "seed \(seed), again")
    let flat = Program<Double>(
      arguments: formula.parameters + formula.arguments, outputs: formula.outputs)
    let all = (formula.parameters + formula.arguments).compactMap {
      formula.values[$0.inputName ?? ""]
    }
    expectClose(flat(all), expected, 1e-9, "seed \(seed), all arguments")
  }

  @Test func outputsMayBeInputsConstantsViewsAndEachOther() {
    let x = Formula.input("x", [2, 3])
    let w = Formula.input("w", [3])
    let y = exp(x)
    let outputs = [
      x, w, Formula(repeating: 2, [2, 2]), x.transposed(), y, y, y.reshaped([6]), y.transposed(),
      w.broadcast(to: [2, 3]), 2 * w, Formula(Tensor<Double>([2], [3, 4])),
    ]
    let values: [String: Tensor<Double>] = [
      "x": Tensor([2, 3], [1, 2, 3, 4, 5, 6]), "w": Tensor([3], [7, 8, 9]),
    ]
    let program = Program<Double>(parameters: [w], arguments: [x], outputs: outputs)
    let found = program([values["x"] ?? Tensor([])], parameters: [values["w"] ?? Tensor([])])
    expectClose(found, Interpreter.evaluate(outputs, values), 1e-14, "outputs")
  }

  @Test func copiesOfAValueDoNotOutliveIt() {
    // The sum takes the memory of `y`, of which a rearranged copy was made before; its own must be another.
    let x = Formula.input("x", [4, 4])
    let w = Formula.input("w", [4, 4])
    let y = exp(x)
    let rearranged = tanh(y.transposed().reshaped([2, 8])).reshaped([4, 4])
    let sum = rearranged.matmul(w) + y
    let outputs = [sum.transposed().reshaped([2, 8]) * 2]
    let values: [Tensor<Double>] = [RandomKey(1).normal([4, 4]), RandomKey(2).normal([4, 4])]
    expectClose(
      Program<Double>(arguments: [x, w], outputs: outputs)(values),
      Interpreter.evaluate(outputs, ["x": values[0], "w": values[1]]), 1e-13, "copies")
  }

  @Test func emptyShapesRun() {
    let x = Formula.input("x", [0, 3])
    let w = Formula.input("w", [3, 2])
    let outputs = [silu(x.matmul(w) + 1), x.sum([0]), x.transposed().matmul(x)]
    let found = Program<Float>(arguments: [x, w], outputs: outputs)([
      Tensor([0, 3]), Tensor([3, 2], repeating: 1),
    ])
    #expect(found == [Tensor([0, 2]), Tensor([3]), Tensor([3, 3])])
  }

  @Test func emptyStacksAndGradientsOfNothingRun() {
    let (x, w) = (Formula.input("x", [0, 3, 4]), Formula.input("w", [4, 5]))
    let y = Formula.input("y", [0, 3])
    let v = Formula.input("v", [3, 2])
    let outputs =
      [x.matmul(w)] + gradient(of: y.matmul(v).sum(), withRespectTo: [y, v])
      + gradient(of: x.matmul(w).sum(), withRespectTo: [x, w])
    let found = Program<Double>(arguments: [x, w, y, v], outputs: outputs)(
      [x, w, y, v].map { Tensor($0.shape, repeating: 1) })
    #expect(
      found == [
        Tensor([0, 3, 5]), Tensor([0, 3]), Tensor([3, 2]), Tensor([0, 3, 4]), Tensor([4, 5]),
      ])
  }

  /// Nothing sums to 0 and has no largest entry, whatever it was made of.
  @Test func reductionsOfNothingAreThoseOfTheInterpreter() {
    let x = Formula.input("x", [1, 3])
    let none = x.broadcast(to: [0, 3])
    let infinite = Formula(repeating: .infinity, [0, 3])
    let outputs = [
      none.sum([0]), none.max([0]), none.sum(), infinite.sum([0]), infinite.sum(),
      Formula(repeating: .infinity, [2, 0]).matmul(Formula(repeating: 1, [0, 2])),
    ]
    let value = Tensor<Double>([1, 3], [1, .infinity, -.infinity])
    let found = Program<Double>(arguments: [x], outputs: outputs)([value])
    #expect(found == Interpreter.evaluate(outputs, ["x": value]))
    #expect(found[0] == Tensor([3]) && found[1] == Tensor([3], repeating: -.infinity))
    #expect(found[5] == Tensor([2, 2]))
  }

  /// A constant is a variable like any formula, broadcast or not.
  @Test func gradientsInConstants() {
    let x = Formula.input("x", [3])
    for c in [Formula(2.0), Formula(Tensor<Double>([], [2])), Formula(repeating: 2, [1])] {
      let y = (square(x) * c).sum()
      let outputs =
        gradient(of: y, withRespectTo: [c]) + jvp([y], withRespectTo: [c], tangents: [c])
      let found = Program<Double>(arguments: [x], outputs: outputs)([Tensor([3], [1, 2, 3])])
      #expect(found.map(\.scalars) == [[14], [28]])
    }
    // Powers by a constant keep their rule.
    let slopes = gradient(of: pow(x, 3).sum(), withRespectTo: [x])
    #expect(
      Program<Double>(arguments: [x], outputs: slopes)([Tensor([3], [-1, 0, 2])])[0].scalars
        == [3, 0, 12])
  }

  @Test func compiledFunctionsRun() {
    let f = compile([[2], [2]], as: Double.self) { [$0[0] * $0[1], $0[0].dot($0[1])] }
    let found = f([Tensor([2], [1, 2]), Tensor([2], [3, 4])])
    #expect(found == [Tensor([2], [3, 8]), Tensor([], [11])])
  }

  @Test(arguments: Kernels.available.map(\.target))
  func everyTargetAgreesWithTheInterpreter(target: KernelTarget) throws {
    let kernels = try #require(Kernels(target))
    for seed in 200..<215 {
      let formula = RandomFormula(seed: UInt64(seed), rows: 19, steps: 30)
      let inputs = formula.parameters + formula.arguments
      let program = Program<Double>(
        arguments: inputs, outputs: formula.outputs, kernels: kernels)
      let found = program(inputs.compactMap { formula.values[$0.inputName ?? ""] })
      expectClose(
        found, Interpreter.evaluate(formula.outputs, formula.values), 1e-9, "\(target) \(seed)")
    }
  }
}

/// What the compiler makes of formulas, told by its description.
@Suite struct FusionTests {
  private let x = Formula.input("x", [64, 32])
  private let w = Formula.input("w", [32, 32])
  private let b = Formula.input("b", [32])

  private func compile(_ outputs: [Formula]) -> Program<Float> {
    Program(parameters: [w, b], arguments: [x], outputs: outputs)
  }

  @Test func biasAndActivationRideOnTheProduct() {
    let layer = silu(x.matmul(w, transposeOther: true) + b)
    #expect(compile([layer]).instructions.count == 1)
    let program = compile([silu(layer.matmul(w) + b)])
    #expect(program.instructions.count == 2)
    #expect(program.waitCount == 0)
    #expect(program.flopCount == 2 * 2 * 64 * 32 * 32)
  }

  /// A product's columns come in eights of 32, of which a worker takes whole ones; a wait is a microsecond.
  @Test func timeIsThatOfTheLargestShares() {
    let square = Formula.input("square", [256, 256])
    let other = Formula.input("other", [256, 256])
    let product = Program<Float>(arguments: [square, other], outputs: [square.matmul(other)])
    let alone = product.estimatedTime(threads: 1)
    for (threads, part) in [(2, 0.5), (3, 0.375), (8, 0.125), (100, 0.125)] {
      #expect(product.estimatedTime(threads: threads) == part * alone)
    }
    let twice = Program<Float>(
      arguments: [square, other], outputs: [square.matmul(other).matmul(other)])
    #expect(twice.waitCount == 1)
    #expect(twice.estimatedTime(threads: 2) == alone + 1000)
  }

  /// The way back through SiLU is part of the product before it: three products and no loop of their own.
  @Test func slopesOfSiLURideOnTheProduct() {
    let layer = silu(x.matmul(w, transposeOther: true) + b)
    let y = silu(layer.matmul(w) + b).matmul(w)
    let outputs = [y] + vjp([y], cotangents: [square(x)], withRespectTo: [x])
    let program = compile(outputs)
    let text = program.description
    #expect(text.components(separatedBy: ", its slope ").count == 3, "\(text)")
    #expect(text.components(separatedBy: ", times ").count == 3, "\(text)")
    #expect(program.instructions.count == 7, "\(text)")
    let values = [w, b, x].enumerated().map {
      RandomKey(UInt64($0)).normal($1.shape) as Tensor<Float>
    }
    let expected = Interpreter.evaluate(
      outputs,
      Dictionary(
        uniqueKeysWithValues: zip(["w", "b", "x"], values.map { Tensor<Double>($0) })))
    let found = program([values[2]], parameters: [values[0], values[1]])
    for (a, e) in zip(found, expected) {
      let worst = zip(a.scalars, e.scalars).map { abs(Double($0) - $1) }.max() ?? .infinity
      #expect(worst < 2e-5 * (1 + (e.scalars.map(abs).max() ?? 0)), "\(worst)")
    }
  }

  /// A value before SiLU that something else reads is kept, and so its slope is not.
  @Test func slopesThatAreNotAloneAreTakenWhereTheyAreNeeded() {
    let before = x.matmul(w) + b
    let y = silu(before).matmul(w)
    let program = compile([y, exp(before)] + vjp([y], cotangents: [x], withRespectTo: [x]))
    #expect(!program.description.contains(", times "), "\(program)")
  }

  @Test func sumsOfProductsAccumulate() {
    let sum = x.matmul(w) + (exp(x).matmul(w) + b)
    #expect(compile([tanh(sum)]).instructions.count == 3)
  }

  @Test func entrywiseChainsAreOneLoop() {
    let y = exp(-square(x)) * b + sin(x.slice(axis: 0, 1..<2)) / 3
    #expect(compile([y, tanh(y)]).instructions.count == 2)  // the repeated sine is taken once
    let transposed = (x.reshaped([32, 64]).transposed() + 1) * x
    #expect(compile([transposed]).instructions.count == 1)
  }

  @Test func workOnParametersIsDoneWhenBinding() {
    let program = compile([x * exp(w.sum() + b)])
    #expect(program.instructions.count == 1)
    #expect(program.description.contains("once: "))
  }

  @Test func equalFormulasAreOneValue() {
    let y = exp(x) + 1
    #expect(
      compile([y.sum(), (exp(x) + 1).sum()]).instructions.count == compile([y.sum()]).instructions
        .count + 1)
  }

  @Test func memoryIsReused() {
    var h = x
    for _ in 0..<20 { h = silu(h.matmul(w) + b) }
    #expect(compile([h]).arenaBytes == 2 * 64 * 32 * 4)
  }

  /// Constants whose product leaves the range of Float stay apart.
  @Test func constantsAreCombinedWithinTheScalarsRange() {
    let x = Formula.input("x", [1])
    func run(_ y: Formula, _ value: Float) -> Float {
      Program<Float>(arguments: [x], outputs: [y])([Tensor([1], [value])])[0].scalars[0]
    }
    #expect(run((x * 1e30) * 1e30, 0) == 0)
    #expect(abs(run((x * 1e30) * 1e30, 1e-30) / 1e30 - 1) < 1e-6)
    #expect(abs(run((x * 1e-30) * 1e-30, 1e30) / 1e-30 - 1) < 1e-6)
    #expect(run(x / 0x1p-130, 0x1p-130) == 1)
    #expect(run((x * 3) * 5, 2) == 30)
  }

  /// Rows that an index does not name are 0, and what is scattered there is lost, in a program and where constants are folded.
  @Test func rowsOutsideATableAreZero() {
    let rows: [Double] = [1e30, .nan, -1, -0.5, 1, 2]
    let table = Tensor<Double>([2, 1], [7, 8])
    let (t, r) = (Formula.input("t", [2, 1]), Formula.input("r", [6]))
    let expected: [Double] = [0, 0, 0, 7, 8, 0]
    let run = Program<Double>(arguments: [t, r], outputs: [t.gatherRows(r)])(
      [table, Tensor([6], rows)])[0]
    let folded = Program<Double>(
      arguments: [], outputs: [Formula(table).gatherRows(Formula(Tensor<Double>([6], rows)))])([])[
        0]
    #expect(run.scalars == expected && folded.scalars == expected)
  }

  @Test func productsOfStacksOfNothingAreZero() {
    let found = Interpreter.evaluate([
      Formula(repeating: 1, [2, 3, 0]).matmul(Formula(repeating: 1, [0, 4]))
    ])[0]
    #expect(found == Tensor([2, 3, 4]))
  }

  @Test func anAxisOfExtentOneGoesWhereItIsAskedFor() {
    let x = Formula.input("x", [2, 3])
    #expect(
      [0, 1, 2, -1].map { x.expanded(at: $0).shape } == [
        [1, 2, 3], [2, 1, 3], [2, 3, 1], [2, 3, 1],
      ])
  }
}
