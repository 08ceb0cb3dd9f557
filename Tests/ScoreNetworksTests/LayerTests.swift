import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Testing

@Suite struct LayerTests {
  private func run(
    _ output: Formula, _ parameters: [Parameter], _ values: Parameters<Double>,
    _ inputs: [(Formula, Tensor<Double>)]
  ) -> Tensor<Double> {
    Program<Double>(
      parameters: parameters.map(\.formula), arguments: inputs.map(\.0), outputs: [output])(
        inputs.map(\.1), parameters: values.tensors)[0]
  }

  @Test func linearIsTheAffineMapOfPyTorch() {
    let layer = Linear("l", 2, 3)
    let x = Formula.input("x", [1, 2])
    let values = Parameters(
      names: ["l.weight", "l.bias"],
      tensors: [Tensor<Double>([3, 2], [1, 2, 3, 4, 5, 6]), Tensor([3], [10, 20, 30])])
    #expect(layer.parameters.map(\.name) == values.names)
    let y = run(layer(x), layer.parameters, values, [(x, Tensor([1, 2], [1, -1]))])
    #expect(y == Tensor([1, 3], [9, 19, 29]))
  }

  @Test func normalisedRowsHaveMeanZeroAndVarianceOne() {
    let layer = LayerNorm("n", 7)
    let x = Formula.input("x", [5, 7])
    let drawn = Parameters<Double>(drawing: layer.parameters, key: RandomKey(1))
    let rows: Tensor<Double> = RandomKey(2).normal([5, 7]).map { 100 + 30 * $0 }
    let y = run(layer(x), layer.parameters, drawn, [(x, rows)])
    for row in 0..<5 {
      let entries = y.row(row)
      let mean = entries.reduce(0, +) / 7
      let variance = entries.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 7
      #expect(abs(mean) < 1e-13 && abs(variance - 1) < 1e-6)
    }
  }

  @Test func featuresAreSinesAndCosines() {
    let features = FourierFeatures("t", frequencies: 4, scale: 16)
    let c = Formula.input("c", [1, 1])
    let drawn = Parameters<Double>(drawing: features.parameters, key: RandomKey(3))
    #expect(features.parameters.allSatisfy { !$0.isTrained })
    let y = run(features(c), features.parameters, drawn, [(c, Tensor([1, 1], [0.3]))]).scalars
    for (place, frequency) in drawn.tensors[0].scalars.enumerated() {
      #expect(abs(y[place] - sin(2 * .pi * frequency * 0.3)) < 1e-12)
      #expect(abs(y[4 + place] - cos(2 * .pi * frequency * 0.3)) < 1e-12)
    }
    let positions = PositionalFeatures(frequencies: 3)(c)
    let p = run(positions, [], Parameters(names: [], tensors: []), [(c, Tensor([1, 1], [50]))])
    let expected = [sin(50.0), sin(0.5), sin(0.005), cos(50.0), cos(0.5), cos(0.005)]
    #expect(zip(p.scalars, expected).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  // MARK: Values against plain loops

  /// Matrices as rows of numbers.
  private typealias Rows = [[Double]]

  /// Named parameters, applied by plain loops.
  private struct Plain {
    let values: Parameters<Double>

    func linear(_ name: String, _ x: Rows) -> Rows {
      let weight = values["\(name).weight"].map { w in (0..<w.rows).map { Array(w.row($0)) } } ?? []
      let bias = values["\(name).bias"]?.scalars ?? [Double](repeating: 0, count: weight.count)
      return x.map { row in
        zip(weight, bias).map { w, b in zip(w, row).reduce(b) { $0 + $1.0 * $1.1 } }
      }
    }

    /// Rows to mean 0 and variance 1, then scaled and shifted.
    func norm(_ name: String, _ x: Rows) -> Rows {
      guard let scale = values["\(name).weight"]?.scalars,
        let shift = values["\(name).bias"]?.scalars
      else { return [] }
      return x.map { row in
        let mean = row.reduce(0, +) / Double(row.count)
        let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
        return row.indices.map {
          (row[$0] - mean) / (variance + 1e-5).squareRoot() * scale[$0] + shift[$0]
        }
      }
    }
  }

  private func sum(_ a: Rows, _ b: Rows) -> Rows {
    zip(a, b).map { zip($0, $1).map { $0 + $1 } }
  }

  private func silu(_ x: Rows) -> Rows { x.map { $0.map { $0 / (1 + exp(-$0)) } } }

  private func expectClose(_ found: Tensor<Double>, _ expected: Rows) {
    let expected = expected.flatMap { $0 }
    #expect(found.count == expected.count)
    for (a, b) in zip(found.scalars, expected) { #expect(abs(a - b) < 1e-12 * (1 + abs(b))) }
  }

  @Test func perceptronsAreTheirDefinition() {
    let network = MLP(inputs: 2, conditions: 3, width: 8, layers: 3, outputs: 2)
    let (x, c) = (Formula.input("x", [4, 2]), Formula.input("c", [4, 3]))
    let (rows, conditions): (Tensor<Double>, Tensor<Double>) = (
      RandomKey(5).normal([4, 2]), RandomKey(6).normal([4, 3])
    )
    let plain = Plain(values: values(network))
    let (u, v) = ((0..<4).map { Array(rows.row($0)) }, (0..<4).map { Array(conditions.row($0)) })
    var h = silu(sum(plain.linear("layers.0.input", u), plain.linear("layers.0.condition", v)))
    for layer in 1...2 { h = silu(plain.linear("layers.\(layer)", h)) }
    // The first sum is of two and three numbers, and begins as large as the others.
    #expect(
      network.parameters.prefix(2).map(\.initializer) == [.leCun(fanIn: 5), .leCun(fanIn: 5)])
    expectClose(
      run(
        network(x, condition: c), network.parameters, plain.values, [(x, rows), (c, conditions)]),
      plain.linear("output", h))
  }

  @Test func residualNetworksAreTheirDefinition() {
    let network = ResidualMLP(inputs: 2, conditions: 3, width: 8, blocks: 2, outputs: 2)
    let (x, c) = (Formula.input("x", [4, 2]), Formula.input("c", [4, 3]))
    let (rows, conditions): (Tensor<Double>, Tensor<Double>) = (
      RandomKey(5).normal([4, 2]), RandomKey(6).normal([4, 3])
    )
    let plain = Plain(values: values(network))
    let (u, v) = ((0..<4).map { Array(rows.row($0)) }, (0..<4).map { Array(conditions.row($0)) })
    let e = silu(plain.linear("embedding", v))
    var h = sum(plain.linear("input", u), e)
    for block in ["blocks.0", "blocks.1"] {
      let inside = sum(
        plain.linear("\(block).first", plain.norm("\(block).norm", h)),
        plain.linear("\(block).condition", e))
      h = sum(h, plain.linear("\(block).second", silu(inside)))
    }
    expectClose(
      run(
        network(x, condition: c), network.parameters, plain.values, [(x, rows), (c, conditions)]),
      plain.linear("output", plain.norm("norm", h)))
  }

  @Test func attentionIsItsDefinition() {
    // Two images of 2 × 3 pixels with 4 channels, in groups of one channel: a channel is normalised over its pixels.
    let layer = ImageAttention("a", 4, groups: 4)
    let drawn = Parameters<Double>(
      names: layer.parameters.map(\.name),
      tensors: layer.parameters.map { RandomKey(4).folded($0.name).normal($0.shape) })
    let plain = Plain(values: drawn)
    let x = Formula.input("x", [2, 2, 3, 4])
    let images: Tensor<Double> = RandomKey(5).normal([2, 2, 3, 4])
    var expected: Rows = []
    for image in 0..<2 {
      let pixels = (0..<6).map { pixel in
        (0..<4).map { images.scalars[(image * 6 + pixel) * 4 + $0] }
      }
      let scale = drawn["a.norm.weight"]?.scalars ?? []
      let shift = drawn["a.norm.bias"]?.scalars ?? []
      var normal = pixels
      for channel in 0..<4 {
        let mean = pixels.reduce(0) { $0 + $1[channel] } / 6
        let variance = pixels.reduce(0) { $0 + pow($1[channel] - mean, 2) } / 6
        for pixel in 0..<6 {
          normal[pixel][channel] =
            (pixels[pixel][channel] - mean) / (variance + 1e-5).squareRoot() * scale[channel]
            + shift[channel]
        }
      }
      let (q, k, v) = (
        plain.linear("a.query", normal), plain.linear("a.key", normal),
        plain.linear("a.value", normal)
      )
      let mixed = q.map { query in
        // √channels is 2.
        let exponentials = k.map { key in exp(zip(query, key).reduce(0) { $0 + $1.0 * $1.1 } / 2) }
        let total = exponentials.reduce(0, +)
        return (0..<4).map { channel in
          zip(exponentials, v).reduce(0) { $0 + $1.0 / total * $1.1[channel] }
        }
      }
      expected += sum(pixels, plain.linear("a.output", mixed))
    }
    expectClose(run(layer(x), layer.parameters, drawn, [(x, images)]), expected)
  }

  static let networks: [any Network] = [
    MLP(inputs: 2, conditions: 3, width: 8, layers: 3, outputs: 2),
    ResidualMLP(inputs: 2, conditions: 3, width: 8, blocks: 2, outputs: 2),
  ]

  /// Values without the zeros that residual networks start from.
  private func values(_ network: any Network) -> Parameters<Double> {
    Parameters(
      names: network.parameters.map(\.name),
      tensors: network.parameters.map {
        RandomKey(4).folded($0.name).normal($0.shape).map { 0.5 * $0 }
      })
  }

  @Test(arguments: [0, 1])
  func gradientsInParametersAgreeWithFiniteDifferences(which: Int) {
    let network = Self.networks[which]
    let (x, c) = (Formula.input("x", [3, 2]), Formula.input("c", [3, 3]))
    let loss = square(network(x, condition: c)).sum()
    let inputs = network.parameters.map(\.formula) + [x, c]
    let point: [Tensor<Double>] =
      values(network).tensors + [RandomKey(5).normal([3, 2]), RandomKey(6).normal([3, 3])]
    let slopes = Slopes(of: loss, by: inputs, at: point)
    #expect(slopes.agree(to: 1e-8), "\(slopes)")
  }

  @Test(arguments: [0, 1])
  func oneConditionForAllRowsGivesTheBitsOfARepeatedOne(which: Int) {
    let network = Self.networks[which]
    let x = Formula.input("x", [5, 2])
    let rows: Tensor<Double> = RandomKey(8).normal([5, 2])
    let condition: Tensor<Double> = RandomKey(9).normal([1, 3])
    let (one, each) = (Formula.input("c", [1, 3]), Formula.input("c", [5, 3]))
    let a = run(
      network(x, condition: one), network.parameters, values(network),
      [(x, rows), (one, condition)])
    let b = run(
      network(x, condition: each), network.parameters, values(network),
      [(x, rows), (each, condition.rows([0, 0, 0, 0, 0]))])
    #expect(a == b)
  }

  @Test func residualNetworksStartAsTheZeroFunction() {
    let network = ResidualMLP(inputs: 2, conditions: 3, width: 8, blocks: 2, outputs: 2)
    let (x, c) = (Formula.input("x", [4, 2]), Formula.input("c", [4, 3]))
    let drawn = Parameters<Double>(drawing: network.parameters, key: RandomKey(1))
    let y = run(
      network(x, condition: c), network.parameters, drawn,
      [(x, RandomKey(1).normal([4, 2])), (c, RandomKey(2).normal([4, 3]))])
    #expect(y == Tensor([4, 2]))
  }

  @Test func parametersDependOnTheirNameAndTheKeyAlone() {
    let small = MLP(inputs: 2, conditions: 3, width: 8, layers: 2, outputs: 2)
    let large = MLP(inputs: 2, conditions: 3, width: 8, layers: 5, outputs: 2)
    let a = Parameters<Float>(drawing: small.parameters, key: RandomKey(1))
    let b = Parameters<Float>(drawing: large.parameters, key: RandomKey(1))
    let other = Parameters<Float>(drawing: small.parameters, key: RandomKey(2))
    #expect(Set(b.names).count == b.names.count)
    for name in ["layers.0.input.weight", "layers.1.weight", "output.weight"] {
      #expect(a[name] != nil && a[name] == b[name] && a[name] != other[name])
    }
  }

  @Test func initialisersHaveTheirVariance() {
    // 40,000 draws: the standard error of a variance is below 0.8 % of it; six of them, so false alarms are below 1e-8.
    let cases: [(Initializer, Double)] = [
      (.leCun(fanIn: 50), 1 / 50.0), (.kaiming(fanIn: 50), 2 / 50.0),
      (.xavier(fanIn: 30, fanOut: 50), 2 / 80.0), (.constant(3), 0),
    ]
    for (initializer, variance) in cases {
      let draws: Tensor<Double> = initializer.values([200, 200], key: RandomKey(11))
      let mean = draws.mean
      let found = draws.map { ($0 - mean) * ($0 - mean) }.mean
      #expect(abs(found - variance) <= 0.048 * variance, "\(initializer)")
    }
  }
}
