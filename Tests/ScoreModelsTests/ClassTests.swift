import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Testing

/// Models of classes: what a label does, and what it does not.
@Suite struct ClassTests {
  private static let image: Shape = [4, 4, 1]

  private static func configuration(
    _ architecture: NetworkSpec.Architecture, classes: Int, covariates: Int = 0
  ) -> ModelConfiguration {
    ModelConfiguration(
      sampleShape: image,
      network: NetworkSpec(
        architecture, width: 16, depth: 1, frequencies: 8, multipliers: [1, 2], groups: 4),
      preconditioning: .standardized(mean: 0.2, deviation: 0.7), classes: classes,
      covariates: covariates)
  }

  private static func model(
    _ configuration: ModelConfiguration, threads: Int = 1
  ) throws -> ScoreModel<Double> {
    try ScoreModel(drawn: configuration, process: try VariancePreserving(), threads: threads)
  }

  private static let x: Tensor<Double> = RandomKey(1).normal(Shape([9] + image.extents))

  /// Columns of classes and covariates shift the bias of the first layer: √classes of a class, covariates that weigh as much as
  /// the features do, and four times as much where there is no class, or where there are covariates.
  @Test(arguments: [NetworkSpec.Architecture.mlp, .residualMLP, .unet], [0, 2])
  func aConditionShiftsABias(architecture: NetworkSpec.Architecture, covariates: Int) throws {
    let (classes, values) = (3, Array([0.7, -1.3].prefix(covariates)))
    let configuration = Self.configuration(
      architecture, classes: classes, covariates: covariates)
    let own = classes + (covariates > 0 ? 1 + covariates : 0)
    let plain = Self.configuration(architecture, classes: 0)
    let model = try Self.model(configuration)
    let names = configuration.parameters.map(\.name)
    #expect(names == plain.parameters.map(\.name))
    let changed = zip(configuration.parameters, plain.parameters).filter { $0.shape != $1.shape }
    let weight = try #require(changed.first?.0)
    #expect(changed.count == 1)
    let place = try #require(names.firstIndex(of: weight.name))
    let bias = try #require(
      names.firstIndex(of: weight.name.replacing("weight", with: "bias")), "\(names)")
    // The columns of the classes, and those of the covariates behind them, are the last ones.
    let tensor = model.parameters.tensors[place]
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    for (label, isGiven) in [(nil, false), (0, true), (1, false), (nil, true)] {
      guard !isGiven || covariates > 0 else { continue }
      var tensors = model.parameters.tensors
      let entries = tensor.scalars
      tensors[place] = Tensor(
        [outputs, inputs - own],
        (0..<outputs).flatMap { entries[$0 * inputs..<($0 + 1) * inputs - own] })
      let column = (0..<outputs).map { output in
        let first = (output + 1) * inputs - own
        // Eight sines and eight cosines weigh 8.
        let given = isGiven ? [2 * 8.0.squareRoot()] + values.map { 2 * $0 } : []
        let none = -2 * (8.0 / 3).squareRoot() * entries[first..<first + 3].reduce(0, +)
        return (label.map { 3.0.squareRoot() * entries[first + $0] } ?? none)
          + given.indices.reduce(0) { $0 + given[$1] * entries[first + classes + $1] }
      }
      tensors[bias] = tensors[bias] + Tensor([outputs], column)
      let shifted = try ScoreModel(
        plain, process: model.process, parameters: Parameters(names: names, tensors: tensors),
        pool: ThreadPool(threads: 1))
      for t in [Times.shared(0.3), .perSample((1...9).map { Double($0) / 10 })] {
        let expected = try shifted.noise(Self.x, at: t)
        let classed = try model.conditioned(on: label)
        let found = try (isGiven ? classed.conditioned(on: values) : classed).noise(Self.x, at: t)
        let distance = (found - expected).scalars.map { abs($0) }.max() ?? .nan
        #expect(distance < 1e-12, "\(architecture), class \(label ?? -1), \(isGiven)")
      }
    }
  }

  @Test(arguments: [NetworkSpec.Architecture.mlp, .residualMLP, .unet])
  func aRowsBitsDependOnTheRowAndTheClassAlone(architecture: NetworkSpec.Architecture) throws {
    let configuration = Self.configuration(architecture, classes: 2)
    let (one, two) = (
      try Self.model(configuration).conditioned(on: 1),
      try Self.model(configuration, threads: 2).conditioned(on: 1)
    )
    let times = Times.perSample((1...9).map { Double($0) / 10 })
    let (noise, pullback) = try one.noiseAndPullback(Self.x, at: times, cotangent: Self.x)
    for rows in [[0], [3, 4, 5], Array(0..<9)] {
      let part = try two.noiseAndPullback(
        Self.x.rows(rows), at: times.rows(rows), cotangent: Self.x.rows(rows))
      #expect(part.noise == noise.rows(rows) && part.pullback == pullback.rows(rows))
    }
    let own = try one.noise(Self.x, at: times)
    #expect(try one.conditioned(on: 0).noise(Self.x, at: times) != own)
    #expect(try one.conditioned(on: nil).noise(Self.x, at: times) != own)
    #expect(try one.conditioned(on: 0).conditioned(on: 1).noise(Self.x, at: times) == own)
  }

  /// Row i of its own class has the bits that it has where that class is asked for, beside covariates of its own too.
  @Test(arguments: [0, 2])
  func eachRowHasItsOwnClass(covariates: Int) throws {
    var model = try Self.model(Self.configuration(.mlp, classes: 3, covariates: covariates))
    let labels = [2, nil, 0, 1, 1, nil, 2, 0, 0]
    let given: Tensor<Double> = RandomKey(2).normal([9, covariates])
    if covariates > 0 { model = try model.conditioned(onRows: given) }
    let rows = try model.conditioned(onRows: labels)
    #expect(rows.rowCount == 9 && rows.label == nil)
    for t in [Times.shared(0.3), .perSample((1...9).map { Double($0) / 10 })] {
      let (noise, pullback) = try rows.noiseAndPullback(Self.x, at: t, cotangent: Self.x)
      for (row, label) in labels.enumerated() {
        let alone = try model.rows([row]).conditioned(on: label)
        let own = try alone.noiseAndPullback(
          Self.x.rows([row]), at: t.rows([row]), cotangent: Self.x.rows([row]))
        #expect(own.noise == noise.rows([row]) && own.pullback == pullback.rows([row]))
      }
      let some = [8, 1, 3]
      #expect(try rows.rows(some).noise(Self.x.rows(some), at: t.rows(some)) == noise.rows(some))
    }
    if covariates > 0 {
      let other = try model.unconditioned.conditioned(onRows: labels).conditioned(onRows: given)
      #expect(
        try other.noise(Self.x, at: .shared(0.3)) == rows.noise(Self.x, at: .shared(0.3)))
      #expect(throws: ProcessError.self) { try rows.conditioned(onRows: given.rows(0..<8)) }
      #expect(throws: ProcessError.self) { try model.conditioned(onRows: [0, 1]) }
    }
    // What is asked for last holds.
    let one = try rows.conditioned(on: 1)
    #expect(one.rowCount == model.rowCount && one.label == 1)
    #expect(rows.unconditioned.rowCount == nil)
    #expect(throws: ProcessError.self) { try rows.noise(Self.x.rows(0..<3), at: .shared(0.3)) }
    #expect(throws: ProcessError.self) {
      try model.conditioned(onRows: [0, 1, 2, 3, 0, 0, 0, 0, 0])
    }
  }

  @Test func roundedProductsKeepTheClass() throws {
    let configuration = Self.configuration(.mlp, classes: 2)
    let double = try Self.model(configuration)
    let model = try ScoreModel<Float>(
      configuration, process: double.process,
      parameters: Parameters(
        names: double.parameters.names, tensors: double.parameters.tensors.map { Tensor($0) }),
      pool: ThreadPool(threads: 1))
    let x = Tensor<Float>(Self.x)
    for label in 0..<2 {
      let own = try model.conditioned(on: label)
      let expected = try own.noise(x, at: .shared(0.5))
      let rounded = try BFloat16Field(own).noise(x, at: .shared(0.5))
      let other = try model.conditioned(on: 1 - label).noise(x, at: .shared(0.5))
      func distance(_ y: Tensor<Float>) -> Float {
        (y - expected).scalars.map { abs($0) }.max() ?? .nan
      }
      #expect(distance(rounded) > 0 && 5 * distance(rounded) < distance(other))
    }
  }

  @Test func aClassThatIsNotKnownIsRefused() throws {
    let model = try Self.model(Self.configuration(.mlp, classes: 2))
    for label in [-1, 2] {
      let error = #expect(throws: ProcessError.self) { try model.conditioned(on: label) }
      #expect(
        error?.description == "class \(label) is asked for; expected one from 0 to 1")
    }
    let plain = try Self.model(Self.configuration(.mlp, classes: 0))
    #expect(throws: ProcessError.self) { try plain.conditioned(on: 0) }
    #expect(try plain.conditioned(on: nil).label == nil)
    for classes in [-1, 4097] {
      #expect(throws: ProcessError.self) {
        try Self.configuration(.mlp, classes: classes).check()
      }
    }
  }
}
