import ScoreAutodiff
import ScoreTensors
import Testing

/// Programs whose products with parameters round their operands to bfloat16.
@Suite struct RoundedProductTests {
  private let x = Formula.input("x", [70, 37])
  private let w = Formula.input("w", [21, 37])
  private let bias = Formula.input("bias", [21])
  private let values: [Tensor<Float>] = [RandomKey(1).normal([21, 37]), RandomKey(2).normal([21])]
  private let batch: Tensor<Float> = RandomKey(3).normal([70, 37])

  private var layer: Formula { silu(x.matmul(w, transposeOther: true) + bias) }

  private func rounded(_ x: Tensor<Float>) -> Tensor<Float> {
    x.map { Float(bitPattern: ($0.bitPattern + 0x7fff + ($0.bitPattern >> 16 & 1)) & 0xffff_0000) }
  }

  private func run(
    _ outputs: [Formula], _ products: ProductPrecision, _ x: Tensor<Float>,
    _ parameters: [Tensor<Float>], pool: ThreadPool? = nil
  ) -> [Tensor<Float>] {
    Program<Float>(
      parameters: [w, bias], arguments: [self.x], outputs: outputs, products: products
    ).bind(parameters)([x], pool: pool)
  }

  @Test func aLayerIsThatOfRoundedOperands() {
    let found = run([layer], .bfloat16, batch, values)[0]
    let expected = run([layer], .full, rounded(batch), [rounded(values[0]), values[1]])[0]
    if Kernels.best.target == .avx512bf16 {
      // Pairs of products may be added in another order.
      let worst = zip(found.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 0
      #expect(worst < 37 * 0x1p-23 * 60)
    } else {
      #expect(found == expected)
    }
    #expect(found != run([layer], .full, batch, values)[0])
  }

  @Test func productsAreFullUnlessAskedFor() {
    let program = Program<Float>(parameters: [w, bias], arguments: [x], outputs: [layer])
    #expect(program.bind(values)([batch]) == run([layer], .full, batch, values))
    #expect(program.instructions.allSatisfy { !$0.contains("bf16") })
  }

  @Test func valuesMultipliedWithValuesStayAsTheyAre() {
    let outputs = [layer, x.matmul(x, transposeOther: true)]
    let program = Program<Float>(
      parameters: [w, bias], arguments: [x], outputs: outputs, products: .bfloat16)
    #expect(program.instructions.count { $0.contains("bf16") } == 1)
    #expect(run(outputs, .bfloat16, batch, values)[1] == run(outputs, .full, batch, values)[1])
  }

  /// A stack of one is as full as a stack of many.
  @Test func stacksOfProductsStayAsTheyAre() {
    let w = Formula.input("w", [7, 5])
    func run(_ count: Int) -> Tensor<Float> {
      let x = Formula.input("x", [count, 7, 3])
      return Program<Float>(
        parameters: [w], arguments: [x], outputs: [x.matmul(w, transposeSelf: true)],
        products: .bfloat16)(
          [RandomKey(6).normal([count, 7, 3])], parameters: [RandomKey(7).normal([7, 5])])[0]
    }
    #expect(run(1) == run(2).rows(0..<1))
  }

  @Test func aPointwiseConvolutionIsSuchAProduct() {
    let image = Formula.input("x", [4, 6, 6, 12])
    let filter = Formula.input("w", [1, 1, 12, 20])
    let program = Program<Float>(
      parameters: [filter], arguments: [image], outputs: [image.convolution(filter)],
      products: .bfloat16)
    let (pixels, weights): (Tensor<Float>, Tensor<Float>) = (
      RandomKey(4).normal(image.shape), RandomKey(5).normal(filter.shape)
    )
    let full = Program<Float>(
      parameters: [filter], arguments: [image], outputs: [image.convolution(filter)])
    let found = program.bind([weights])([pixels])[0]
    let expected = full.bind([rounded(weights)])([rounded(pixels)])[0]
    let worst = zip(found.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= (Kernels.best.target == .avx512bf16 ? 1e-4 : 0))
  }

  @Test(arguments: [2, 3]) func threadsChangeNoBit(threads: Int) {
    // Wide enough that workers share it.
    let x = Formula.input("x", [512, 96])
    let weights = (0..<3).map { Formula.input("w\($0)", [96, 96]) }
    let y = weights.reduce(x) { silu($0.matmul($1)) }
    let bound = Program<Float>(
      parameters: weights, arguments: [x], outputs: [y], products: .bfloat16
    ).bind((0..<3).map { RandomKey(UInt64($0)).normal([96, 96]).map { 0.1 * $0 } })
    let batch: Tensor<Float> = RandomKey(7).normal(x.shape)
    #expect(bound([batch]) == bound([batch], pool: ThreadPool(threads: threads)))
  }
}
