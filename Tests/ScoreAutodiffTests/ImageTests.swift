import ScoreAutodiff
import ScoreTensors
import Testing

/// Convolutions and group normalisations against the interpreter, which does them in their plainest form.
@Suite struct ImageTests {
  /// A convolution, a normalisation and their gradients, of sizes drawn by chance.
  struct Layer {
    let inputs: [Formula]
    let outputs: [Formula]
    let values: [Tensor<Double>]

    init(seed: UInt64, most channels: Int, _ images: Int? = nil) {
      var choices = Choices(seed)
      func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &choices) }
      let kernel = [1, 2, 3, 3, 3, 5][draw(0...5)]
      let (stride, spread) = [(1, 1), (1, 1), (1, 1), (2, 1), (3, 1), (1, 2), (2, 3)][draw(0...6)]
      let groups = draw(1...3)
      let (from, to) = (draw(1...channels), groups * draw(1...max(1, channels / groups)))
      let image: Shape = [images ?? draw(1...4), draw(kernel...11), draw(kernel...11), from]
      let x = Formula.input("x", image)
      let w = Formula.input("w", [kernel, kernel, from, to])
      let bias = Formula.input("b", draw(0...1) == 0 ? [to] : [image[0], 1, 1, to])
      let scale = Formula.input("scale", [to])
      let y =
        x.convolution(
          w, stride: stride, spread: spread, before: [draw(0...2), draw(0...2)],
          after: [draw(0...2), draw(0...2)]) + bias
      let z = y.groupNorm(
        groups: groups, scale: scale, shift: 0.5 * scale, silu: draw(0...1) == 0)
      inputs = [x, w, bias, scale]
      let cotangent = Formula(RandomKey(seed).normal(z.shape) as Tensor<Double>)
      outputs = [z] + vjp([z], cotangents: [cotangent], withRespectTo: inputs)
      values = inputs.enumerated().map { index, input in
        RandomKey(seed + 1).folded(UInt64(index)).normal(input.shape)
      }
    }

    var expected: [Tensor<Double>] {
      Interpreter.evaluate(
        outputs,
        Dictionary(uniqueKeysWithValues: zip(inputs.compactMap(\.inputName), values)))
    }
  }

  private func expectClose(
    _ found: [Tensor<Double>], _ expected: [Tensor<Double>], _ tolerance: Double, _ name: String
  ) {
    for (index, (a, b)) in zip(found, expected).enumerated() {
      let scale = b.scalars.map(abs).max() ?? 0
      let worst = zip(a.scalars, b.scalars).map { abs($0 - $1) }.max() ?? 0
      #expect(a.shape == b.shape && worst <= tolerance * (1 + scale), "\(name), output \(index)")
    }
  }

  @Test(arguments: 0..<60)
  func randomLayersAgreeWithTheInterpreter(seed: Int) {
    let layer = Layer(seed: UInt64(seed), most: seed % 4 == 0 ? 24 : 5)
    let expected = layer.expected
    let double = Program<Double>(arguments: layer.inputs, outputs: layer.outputs)
    expectClose(double(layer.values), expected, 1e-11, "seed \(seed)")
    let bound = Program<Double>(
      parameters: Array(layer.inputs.dropFirst()), arguments: [layer.inputs[0]],
      outputs: layer.outputs)
    expectClose(
      bound([layer.values[0]], parameters: Array(layer.values.dropFirst())), expected, 1e-11,
      "seed \(seed), bound")
    let single = Program<Float>(arguments: layer.inputs, outputs: layer.outputs)
    expectClose(
      single(layer.values.map { Tensor<Float>($0) }).map { Tensor<Double>($0) }, expected, 1e-3,
      "seed \(seed), Float")
  }

  @Test(arguments: Kernels.available.map(\.target))
  func everyTargetAgreesWithTheInterpreter(target: KernelTarget) throws {
    let kernels = try #require(Kernels(target))
    for seed in 100..<106 {
      let layer = Layer(seed: UInt64(seed), most: 18)
      let program = Program<Double>(
        arguments: layer.inputs, outputs: layer.outputs, kernels: kernels)
      expectClose(program(layer.values), layer.expected, 1e-11, "\(target) \(seed)")
    }
  }

  @Test(arguments: [2, 3])
  func bitsDoNotDependOnThreads(threads: Int) {
    let pool = ThreadPool(threads: threads)
    for seed in 200..<212 {
      let layer = Layer(seed: UInt64(seed), most: 20, 33)
      let program = Program<Float>(arguments: layer.inputs, outputs: layer.outputs).bind([])
      let values = layer.values.map { Tensor<Float>($0) }
      #expect(program(values) == program(values, pool: pool))
    }
  }

  @Test(arguments: [1, 3, 8])
  func imagesDoNotDependOnTheBatch(count: Int) {
    let w = Formula.input("w", [3, 3, 16, 16])
    let v = Formula.input("v", [1, 1, 16, 16])
    func run(_ images: Tensor<Float>) -> [Tensor<Float>] {
      let x = Formula.input("x", images.shape)
      let h = x.groupNorm(
        groups: 4, scale: Formula(repeating: 2, [16]), shift: Formula(repeating: 1, [16]),
        silu: true)
      let y = h.averagePooled().convolution(w, padding: 1).upsampled() + x.convolution(v)
      let outputs = [y] + vjp([y], cotangents: [sin(y)], withRespectTo: [x])
      return Program<Float>(parameters: [w, v], arguments: [x], outputs: outputs)(
        [images], parameters: [RandomKey(1).normal(w.shape), RandomKey(2).normal(v.shape)])
    }
    let images: Tensor<Float> = RandomKey(3).normal([8, 6, 4, 16])
    let all = run(images)
    let part = run(images.rows(0..<count))
    #expect(part == all.map { $0.rows(0..<count) })
  }

  /// Sums behind convolutions that one image alone could take in another way or order than several do.
  @Test(arguments: [(4, 1), (4, 3), (1, 1), (1, 3)], [ProductPrecision.full, .bfloat16])
  func sumsDoNotDependOnTheNumberOfImages(_ sizes: (Int, Int), _ products: ProductPrecision) {
    let (side, kernel) = sizes
    let (w, v) = (
      Formula.input("w", [kernel, kernel, 16, 3]), Formula.input("v", [1, 1, 1, 3])
    )
    func run(_ count: Int) -> [Tensor<Float>] {
      let x = Formula.input("x", [count, side, side, 16])
      let e = Formula.input("e", [count, 3])
      let r = Formula.input("r", [count, side, side, 3])
      let own = tanh(e).reshaped([count, 1, 1, 3] as Shape)
      let (shared, product) = (tanh(v), x.convolution(w, padding: kernel / 2))
      let outputs = [
        product + own, product + own + shared, product + shared + own, product + own + exp(r),
        product + exp(r) + own, product + shared + sin(r), product + cos(r) + shared,
      ]
      // A program each, since a product with several sums has none of them done with it.
      return outputs.map {
        Program<Float>(
          parameters: [w], arguments: [x, e, r, v], outputs: [$0], products: products)(
            [x, e, r, v].map { RandomKey(4).normal($0.shape) },
            parameters: [RandomKey(5).normal(w.shape)])[0]
      }
    }
    let several = run(3)
    for (number, (one, all)) in zip(run(1), several).enumerated() {
      #expect(one == all.rows(0..<1), "output \(number)")
    }
  }

  @Test func emptyImagesRun() {
    for (n, channels, outputs) in [(0, 2, 3), (2, 0, 3), (2, 3, 0)] {
      let x = Formula.input("x", [n, 3, 3, channels])
      let w = Formula.input("w", [3, 3, channels, outputs])
      let scale = Formula.input("s", [channels])
      let y = x.groupNorm(groups: 1, scale: scale, shift: scale).convolution(w, padding: 1) + 1
      let all = [y] + gradient(of: y.sum(), withRespectTo: [x, w, scale])
      let values: [Tensor<Double>] = [x, w, scale].map { Tensor($0.shape, repeating: 1) }
      let found = Program<Double>(arguments: [x, w, scale], outputs: all)(values)
      #expect(
        found == Interpreter.evaluate(all, ["x": values[0], "w": values[1], "s": values[2]]))
    }
  }
}

/// What the compiler makes of formulas of images.
@Suite struct ImageFusionTests {
  private let x = Formula.input("x", [8, 6, 6, 16])
  private let w = Formula.input("w", [3, 3, 16, 16])
  private let v = Formula.input("v", [1, 1, 16, 16])
  private let b = Formula.input("b", [16])
  private let e = Formula.input("e", [8, 16])

  private func compile(_ outputs: [Formula]) -> Program<Float> {
    Program(parameters: [w, v, b], arguments: [x, e], outputs: outputs)
  }

  @Test func aResidualBlockIsOneCallAnOperation() {
    let h =
      x.groupNorm(groups: 4, scale: b, shift: b, silu: true).convolution(w, padding: 1)
      + (e + b).reshaped([8, 1, 1, 16] as Shape)
    let y = h.groupNorm(groups: 4, scale: b, shift: b, silu: true).convolution(w, padding: 1) + b
    // e + b; norm, convolution with an image's bias; norm, convolution with bias.
    #expect(compile([y]).instructions.count == 5)
    // The skip through a 1 × 1 convolution, and the sum into its memory.
    let program = compile([x.convolution(v) + y])
    #expect(program.instructions.count == 6)
    #expect(program.instructions.count { $0.contains("+=") } == 1)
    #expect(program.waitCount == 0)
  }

  @Test func filtersArePackedOnceWhereTheyAreFixed() {
    let y = x.convolution(w, padding: 1).convolution(w, padding: 1)
    let fixed = compile([y])
    #expect(fixed.instructions.count == 2)
    #expect(fixed.description.components("packed").count == 2)
    let free = Program<Float>(arguments: [x, w], outputs: [y])
    #expect(free.instructions.count == 3)
  }

  @Test func gradientsOfANormAreOneCall() {
    let norm = x.groupNorm(groups: 4, scale: b, shift: 2 * b, silu: true)
    let gradients = gradient(of: (norm * x).sum(), withRespectTo: [x, b])
    let program = compile(gradients)
    #expect(program.instructions.count { $0.contains("group norm silu gradient") } == 1)
  }

  /// Eight groups of a normalisation, by fours, are not eight images by fours.
  @Test func groupsAreNotTakenForImages() throws {
    let x = Formula.input("x", [8, 12, 12, 32])
    let scale = Formula.input("scale", [32])
    let y = x.groupNorm(groups: 8, scale: scale, shift: scale, silu: true)
    let program = Program<Float>(
      arguments: [x, scale], outputs: gradient(of: exp(y).sum(), withRespectTo: [x, scale]))
    let norms = program.instructions.filter { $0.contains("group norm") }
    try #require(norms.count == 2)
    #expect(norms.allSatisfy { $0.contains("(8 units by 4)") })
    #expect(norms[1].hasPrefix("wait"))
  }

  @Test func poolingIsOneLoopAndUpSamplingOneCopy() {
    for rows in [1, 2] {
      #expect(compile([x.averagePooled(rows)]).instructions.count == 1)
      let joined = Formula.concatenated([x.upsampled(rows), x.upsampled(rows)], axis: 3)
      #expect(compile([joined]).instructions.count == 2)
    }
  }
}

extension String {
  /// The parts between occurrences of a separator.
  fileprivate func components(_ separator: String) -> [Substring] {
    var parts: [Substring] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(rest[..<range.lowerBound])
      rest = rest[range.upperBound...]
    }
    return parts + [rest]
  }
}
