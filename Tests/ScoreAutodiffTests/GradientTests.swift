import ScoreAutodiff
import ScoreTensors
import Testing

@Suite struct GradientTests {
  /// A scalar of the case's formula that weighs every entry differently, and is curved.
  private func scalar(_ operation: OperationCase) -> Formula {
    let y = operation.body(operation.inputs)
    let weights: Tensor<Double> = RandomKey(77).normal(y.shape)
    return (y * Formula(weights) + 0.3 * square(y)).sum()
  }

  /// Central differences of fourth order.
  private func difference(_ f: (Double) -> Double, _ h: Double) -> Double {
    (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)
  }

  @Test(arguments: OperationCase.all)
  func gradientsAgreeWithFiniteDifferences(operation: OperationCase) {
    let loss = scalar(operation)
    let values = operation.values(1)
    let gradients = Interpreter.evaluate(
      gradient(of: loss, withRespectTo: operation.inputs), operation.named(values))
    for (which, gradient) in gradients.enumerated() {
      for entry in 0..<gradient.count {
        let expected = difference(
          { step in
            var moved = values
            moved[which].withUnsafeMutableBuffer { $0[entry] += step }
            return Interpreter.evaluate([loss], operation.named(moved))[0].scalars[0]
          }, 1e-4)
        let found = gradient.scalars[entry]
        #expect(
          abs(found - expected) <= 1e-8 * (1 + abs(expected)),
          "\(operation.name), input \(which), entry \(entry)")
      }
    }
  }

  @Test(arguments: OperationCase.all)
  func forwardModeIsDualToReverseMode(operation: OperationCase) {
    let y = operation.body(operation.inputs)
    let tangents = operation.inputs.map { Formula.input("d\($0.inputName ?? "")", $0.shape) }
    let cotangent = Formula(RandomKey(5).normal(y.shape) as Tensor<Double>)
    let forward = jvp([y], withRespectTo: operation.inputs, tangents: tangents)[0].dot(cotangent)
    let backward = zip(
      vjp([y], cotangents: [cotangent], withRespectTo: operation.inputs), tangents
    ).map { $0.dot($1) }.reduce(Formula(0), +)
    var named = operation.named(operation.values(2))
    for tangent in tangents {
      named[tangent.inputName ?? ""] = RandomKey(6).normal(tangent.shape)
    }
    let values = Interpreter.evaluate([forward, backward], named).map { $0.scalars[0] }
    #expect(abs(values[0] - values[1]) <= 1e-12 * (1 + abs(values[0])))
  }

  @Test(arguments: OperationCase.all)
  func secondDerivativesAgreeWithFiniteDifferences(operation: OperationCase) {
    let x = operation.inputs
    let along = x.map { RandomKey(9).folded($0.inputName ?? "").normal($0.shape) as Tensor<Double> }
    let slope = zip(gradient(of: scalar(operation), withRespectTo: x), along)
      .map { $0.dot(Formula($1)) }.reduce(Formula(0), +)
    let curvature = jvp([slope], withRespectTo: x, tangents: along.map { Formula($0) })[0]
    let values = operation.values(1)
    let expected = difference(
      { step in
        let moved = zip(values, along).map { $0 + step * $1 }
        return Interpreter.evaluate([slope], operation.named(moved))[0].scalars[0]
      }, 1e-4)
    let found = Interpreter.evaluate([curvature], operation.named(values))[0].scalars[0]
    #expect(abs(found - expected) <= 1e-7 * (1 + abs(expected)))
  }

  @Test(arguments: OperationCase.all)
  func hessianVectorProductsAgreeAcrossModes(operation: OperationCase) {
    let loss = scalar(operation)
    let x = operation.inputs
    let v = x.map { Formula(RandomKey(8).normal($0.shape) as Tensor<Double>) }
    let first = gradient(of: loss, withRespectTo: x)
    let forwardOverReverse = jvp(first, withRespectTo: x, tangents: v)
    let reverseOverReverse = vjp(first, cotangents: v, withRespectTo: x)
    let slope = jvp([loss], withRespectTo: x, tangents: v)
    let reverseOverForward = gradient(of: slope[0], withRespectTo: x)
    let named = operation.named(operation.values(3))
    let a = Interpreter.evaluate(forwardOverReverse, named)
    let b = Interpreter.evaluate(reverseOverReverse, named)
    let c = Interpreter.evaluate(reverseOverForward, named)
    for which in a.indices {
      for ((p, q), r) in zip(zip(a[which].scalars, b[which].scalars), c[which].scalars) {
        #expect(abs(p - q) <= 1e-10 * (1 + abs(p)))
        #expect(abs(p - r) <= 1e-10 * (1 + abs(p)))
      }
    }
  }

  @Test func derivativesNestToClosedForms() {
    // Derivatives of x⁵ and sin x up to the fourth.
    let x = Formula.input("x", [])
    var quintic = [pow(x, 5)]
    var sine = [sin(x)]
    for _ in 0..<4 {
      quintic.append(gradient(of: quintic[quintic.count - 1], withRespectTo: x))
      sine.append(
        jvp([sine[sine.count - 1]], withRespectTo: [x], tangents: [Formula(1)])[0])
    }
    let at = 0.7
    let values = Interpreter.evaluate(quintic + sine, ["x": Tensor([], [at])]).map { $0.scalars[0] }
    let s = Interpreter.evaluate([sin(Formula(at)), cos(Formula(at))]).map { $0.scalars[0] }
    let expected = [
      at * at * at * at * at, 5 * at * at * at * at, 20 * at * at * at, 60 * at * at, 120 * at,
      s[0], s[1], -s[0], -s[1], s[0],
    ]
    for (value, exact) in zip(values, expected) {
      #expect(abs(value - exact) < 1e-12 * (1 + abs(exact)))
    }
  }

  @Test func stoppedGradientsAreThoseOfConstants() {
    let x = Formula.input("x", [2])
    let y = (x.stoppingGradient * square(x)).sum()
    let slope = jvp([y], withRespectTo: [x], tangents: [Formula(repeating: 1, [2])])[0]
    let values = Interpreter.evaluate(
      [gradient(of: y, withRespectTo: x), slope], ["x": Tensor([2], [1, 3])])
    #expect(values == [Tensor([2], [2, 18]), Tensor([], [20])])
  }

  @Test func inputsOfOneNameAreOneVariable() {
    let loss = (square(Formula.input("x", [2])) * Formula.input("x", [2])).sum()
    let g = gradient(of: loss, withRespectTo: .input("x", [2]))
    #expect(
      Interpreter.evaluate([g], ["x": Tensor([2], [1, 2])])[0] == Tensor<Double>([2], [3, 12]))
  }

  @Test func gradientsOfUnrelatedVariablesAreZero() {
    let x = Formula.input("x", [2])
    let g = gradient(of: square(x).sum(), withRespectTo: .input("y", [3]))
    #expect(g.shape == [3] && g.constantValue == 0)
  }

  @Test func intermediateValuesAreVariables() {
    let x = Formula.input("x", [2])
    let y = 3 * x
    let g = gradient(of: square(y).sum(), withRespectTo: [y, x])
    let values = Interpreter.evaluate(g, ["x": Tensor([2], [1, 2])])
    #expect(values == [Tensor([2], [6, 12]), Tensor([2], [18, 36])])
  }

  @Test func deepFormulasDoNotExhaustTheStack() {
    var y = Formula.input("x", [])
    for _ in 0..<200_000 { y = y + 1 }
    let g = gradient(of: y, withRespectTo: .input("x", []))
    #expect(Interpreter.evaluate([g], [:])[0].scalars == [1])
  }

  @Test func aVariableThatIsListedTwiceHasTheSumOfItsTangents() {
    let x = Formula.input("x", [2])
    let ones = Formula(repeating: 1, [2])
    let slope = jvp([square(x)], withRespectTo: [x, x], tangents: [ones, ones])[0]
    #expect(Interpreter.evaluate([slope], ["x": Tensor([2], [3, 5])])[0].scalars == [12, 20])
  }

  @Test func valueAndGradAreThoseOfTheLoss() {
    let x = Formula.input("x", [2])
    let (value, gradients) = valueAndGrad(of: square(x).sum(), withRespectTo: [x])
    let found = Interpreter.evaluate([value] + gradients, ["x": Tensor([2], [3, 5])])
    #expect(found == [Tensor([], [34]), Tensor([2], [6, 10])])
  }

  /// Where a power has no derivative in its exponent, its derivatives are 0 and not NaN.
  @Test func powersOfWhatIsNotPositiveHaveNoSlopeInTheExponent() {
    let (x, y) = (Formula.input("x", [3]), Formula.input("y", [3]))
    var slopes = [pow(x, y)]
    for _ in 0..<3 { slopes.append(gradient(of: slopes[slopes.count - 1].sum(), withRespectTo: y)) }
    let found = Interpreter.evaluate(
      slopes, ["x": Tensor([3], [-2, 0, 3]), "y": Tensor([3], [2, 2, 2])])
    let l = Interpreter.evaluate([log(Formula(3.0))])[0].scalars[0]
    for (order, slope) in found.enumerated() {
      let exact = order == 0 ? 4 : 0.0
      #expect(slope.scalars[0] == exact && slope.scalars[1] == 0, "\(order)")
      let growth = (0..<order).reduce(9.0) { value, _ in value * l }
      #expect(abs(slope.scalars[2] - growth) < 1e-12 * growth)
    }
  }

  @Test func logarithmsOfSumsOfInfinities() {
    let x = Formula.input("x", [3, 2])
    let infinity = Double.infinity
    let values: [Double] = [-infinity, -infinity, infinity, 0, 1000, 1000]
    let found = Interpreter.evaluate([x.logSumExp([1])], ["x": Tensor([3, 2], values)])[0].scalars
    #expect(found[0] == -infinity && found[1] == infinity)
    #expect(
      abs(found[2] - (1000 + Interpreter.evaluate([log(Formula(2.0))])[0].scalars[0])) < 1e-12)
  }
}
