import ScoreAutodiff
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// A compiled program runs without asking for memory.
@Suite(.enabled(if: Allocations.areCounted)) struct ProgramAllocationTests {
  enum Work: CaseIterable { case forward, gradient }

  /// Allocations of twenty runs, after two.
  private func allocations(
    _ network: NetworkSpec, _ sample: Shape, rows: Int, _ work: Work, threads: Int,
    products: ProductPrecision = .full
  ) -> Int {
    let model = ModelConfiguration(
      sampleShape: sample, network: network,
      preconditioning: .standardized(mean: 0, deviation: 1))
    let x = Formula.input("x", [rows, model.dimensions])
    let columns = Formula.input("columns", [rows, model.columns])
    let noise = model.noise(x, columns: columns)
    let parameters = model.parameters
    let outputs =
      work == .forward
      ? [noise]
      : gradient(
        of: square(noise).mean(),
        withRespectTo: parameters.filter(\.isTrained).map(\.formula))
    let program = Program<Float>(
      parameters: parameters.map(\.formula), arguments: [x, columns], outputs: outputs,
      products: products
    ).bind(Parameters(drawing: parameters, key: RandomKey(1)).tensors)
    let pool = ThreadPool(threads: threads)
    let workspace = program.makeWorkspace(pool: pool)
    let arguments: [Tensor<Float>] = [
      RandomKey(2).normal(x.shape), RandomKey(3).uniform(columns.shape),
    ]
    var results = program.outputShapes.map { Tensor<Float>($0) }
    for _ in 0..<2 { program.run(arguments, into: &results, workspace) }
    return Allocations.count(pool) {
      for _ in 0..<20 { program.run(arguments, into: &results, workspace) }
    }
  }

  @Test(arguments: Work.allCases, [1, 2]) func multilayerPerceptron(work: Work, threads: Int) {
    let network = NetworkSpec(.mlp, width: 64, depth: 3)
    #expect(allocations(network, [2], rows: 256, work, threads: threads) == 0)
  }

  @Test(arguments: Work.allCases, [1, 2]) func uNet(work: Work, threads: Int) {
    let network = NetworkSpec(
      .unet, width: 16, depth: 1, multipliers: [1, 2], groups: 4, attention: true)
    #expect(allocations(network, [8, 8, 1], rows: 16, work, threads: threads) == 0)
  }

  @Test func roundedProducts() {
    let network = NetworkSpec(.residualMLP, width: 64, depth: 2)
    #expect(
      allocations(network, [2], rows: 256, .forward, threads: 2, products: .bfloat16) == 0)
  }
}
