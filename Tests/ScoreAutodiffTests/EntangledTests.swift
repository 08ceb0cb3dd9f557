import Foundation
import ScoreAutodiff
import ScoreTensors
import Testing

/// Random formulas that are made to mislead the compiler, held to the interpreter and to what must not change a bit.
///
/// `FORMULA_SEEDS=1000..<3000 swift test -c release --filter EntangledTests` runs other seeds.
@Suite struct EntangledTests {
  static let seeds: Range<Int>? = {
    let bounds = ProcessInfo.processInfo.environment["FORMULA_SEEDS"]?
      .split(separator: "..<").compactMap { Int($0) }
    return bounds.flatMap { $0.count == 2 ? $0[0]..<$0[1] : nil }
  }()

  private static let pools = [2, 3].map { ThreadPool(threads: $0) }

  /// Where two lists of tensors differ by more than `tolerance` of the largest entry, in words.
  private func difference<Scalar: TensorScalar>(
    _ found: [Tensor<Scalar>], _ expected: [Tensor<Double>], _ tolerance: Double, _ name: String,
    slack: [Double]? = nil
  ) -> [String] {
    if found.map(\.shape) != expected.map(\.shape) { return ["\(name): shapes"] }
    return zip(found, expected).enumerated().compactMap { index, pair in
      let found = Tensor<Double>(pair.0)
      let scale = pair.1.scalars.filter(\.isFinite).map(abs).max() ?? 0
      let worst =
        zip(found.scalars, pair.1.scalars).map { a, b in
          a == b || (a.isNaN && b.isNaN) ? 0 : (a - b).isNaN ? .infinity : abs(a - b)
        }.max() ?? 0
      return worst <= tolerance * (1 + scale) + (slack?[index] ?? 0)
        ? nil : "\(name), output \(index): \(worst) of \(scale)"
    }
  }

  /// Where two lists of tensors differ in a bit, in words.
  private func change<Scalar: TensorScalar>(
    _ found: [Tensor<Scalar>], _ expected: [Tensor<Scalar>], _ name: String
  ) -> [String] {
    zip(found, expected).enumerated().compactMap { index, pair in
      pair.0.shape == pair.1.shape
        && zip(pair.0.scalars, pair.1.scalars).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
        ? nil : "\(name), output \(index)"
    }
  }

  /// What is wrong with programs of a formula.
  private func faults(
    _ parameters: [Formula], _ arguments: [Formula], _ outputs: [Formula],
    _ parameterValues: [Tensor<Double>], _ values: [Tensor<Double>], jumps: Bool
  ) -> [String] {
    let all = parameterValues + values
    let names = (parameters + arguments).compactMap(\.inputName)
    let expected = Interpreter.evaluate(
      outputs, Dictionary(uniqueKeysWithValues: zip(names, all)))
    // A formula may be as far off as it is at inputs a few thousand roundings away: second derivatives of sums are rough.
    // A rounding of Float is half a billion of Double's.
    let nearby = Interpreter.evaluate(
      outputs,
      Dictionary(
        uniqueKeysWithValues: zip(
          names,
          all.map { $0.map { $0 == $0.rounded() ? $0 : $0 + 1e-12 * sin(1e4 * $0) } })))
    let roughness = zip(nearby, expected).map { near, there in
      zip(near.scalars, there.scalars).map { abs($0 - $1) }.filter(\.isFinite).max() ?? 0
    }
    func faults<Scalar: TensorScalar>(_ type: Scalar.Type, _ tolerance: Double, rough: Double = 0)
      -> [String]
    {
      let fixed = parameterValues.map { Tensor<Scalar>($0) }
      let given = values.map { Tensor<Scalar>($0) }
      let name = Scalar.typeName
      let bound = Program<Scalar>(
        parameters: parameters, arguments: arguments, outputs: outputs
      ).bind(fixed)
      // What a run leaves in memory must not reach the next one.
      _ = bound(given.map { Tensor<Scalar>($0.shape, repeating: .nan) })
      let first = bound(given)
      var result = difference(
        first, expected, tolerance, name, slack: roughness.map { rough * $0 })
      let flat = Program<Scalar>(arguments: parameters + arguments, outputs: outputs).bind([])
      _ = flat((fixed + given).map { Tensor<Scalar>($0.shape, repeating: .nan) })
      result += change(flat(fixed + given), first, "\(name), all arguments")
      for pool in Self.pools {
        result += change(bound(given, pool: pool), first, "\(name), \(pool.threads) threads")
      }
      let last = Program<Scalar>(
        parameters: parameters, arguments: arguments, outputs: outputs, leavesLast: true
      ).bind(fixed)
      _ = last(given.map { Tensor<Scalar>($0.shape, repeating: .nan) })
      result += change(last(given), first, "\(name), leaves last")
      return result
    }
    var result =
      faults(Double.self, 1e-9, rough: 1)
      + faults(Float.self, jumps ? .infinity : 1e-3, rough: 1e7)
    for kernels in Kernels.available where kernels.target != Kernels.best.target {
      let program = Program<Double>(
        arguments: parameters + arguments, outputs: outputs, kernels: kernels)
      result += difference(
        program(all), expected, 1e-9, "\(kernels.target)", slack: roughness)
    }
    return result
  }

  @Test(arguments: seeds ?? 0..<160)
  func entangledFormulas(seed: Int) {
    let formula = EntangledFormula(seed: UInt64(seed), steps: 3 + seed % 17)
    let count = formula.parameters.count
    let found = faults(
      formula.parameters, formula.arguments, formula.outputs,
      Array(formula.values.prefix(count)), Array(formula.values.dropFirst(count)),
      jumps: formula.jumps)
    #expect(found.isEmpty, "seed \(seed)")
    // ⟨cotangent, jvp⟩ = ⟨vjp, tangents⟩, up to what cancels on the way.
    let (y, cotangent, x, tangents) = formula.dual
    let ahead = jvp([y], withRespectTo: x, tangents: tangents)[0] * cotangent
    let back = zip(vjp([y], cotangents: [cotangent], withRespectTo: x), tangents).map { $0 * $1 }
    let sums = Interpreter.evaluate(
      [ahead.sum(), abs(ahead).sum()]
        + [back.map { $0.sum() }, back.map { abs($0).sum() }].map { $0.reduce(Formula(0), +) },
      Dictionary(
        uniqueKeysWithValues: zip(
          (formula.parameters + formula.arguments).compactMap(\.inputName), formula.values))
    ).map { $0.scalars[0] }
    #expect(
      abs(sums[0] - sums[2]) <= 1e-9 * (1 + sums[1] + sums[3]) || sums[1].isNaN, "seed \(seed)")
  }

  @Test(arguments: seeds ?? 0..<160)
  func formulasOfRows(seed: Int) {
    let hasManyRows = seed % 8 == 7
    let most = hasManyRows ? 100 : [3, 9, 20][seed % 3]
    func formula(_ rows: Int) -> BatchFormula {
      BatchFormula(seed: UInt64(seed), rows: rows, steps: 2 + seed % 11, hasManyRows: hasManyRows)
    }
    let all = formula(most)
    var found = faults(
      all.parameters, all.arguments, all.outputs, all.parameterValues, all.values(0..<most),
      jumps: all.jumps)
    func run(_ range: Range<Int>, _ products: ProductPrecision, _ kernels: Kernels)
      -> [Tensor<Float>]
    {
      let part = formula(range.count)
      let program = Program<Float>(
        parameters: part.parameters, arguments: part.arguments, outputs: part.rowOutputs,
        products: products, kernels: kernels)
      return program(
        part.values(range).map { Tensor<Float>($0) },
        parameters: part.parameterValues.map { Tensor<Float>($0) })
    }
    for kernels in Kernels.available {
      let isBest = kernels.target == Kernels.best.target
      for products in ProductPrecision.allCases {
        let together = run(0..<most, products, kernels)
        for range in isBest ? [0..<1, 1..<3, most - 1..<most, 0..<min(most, 17)] : [1..<2] {
          found += change(
            run(range, products, kernels), together.map { $0.rows(range) },
            "rows \(range), \(products) products, \(kernels.target)")
        }
      }
    }
    #expect(found.isEmpty, "seed \(seed)")
  }
}
