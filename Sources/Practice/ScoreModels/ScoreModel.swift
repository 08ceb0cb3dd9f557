import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import Synchronization

/// A network seen as a score field: the bridge between the engine and the theory.
///
/// Batches are cut into chunks of rows that the pool's workers take in turn; a row's bits depend on the row and its
/// time alone. A model may be used from several threads at once.
public final class ScoreModel<Scalar: TensorScalar>: DifferentiableScoreField {
  public let process: any LinearProcess
  /// What the parameters mean.
  public let configuration: ModelConfiguration
  /// The parameters.
  public let parameters: Parameters<Scalar>
  /// The class whose scores these are; nil where they are those of all samples together, or of each sample's own.
  public let label: Int?
  /// The covariates under which these are the scores; nil where they are those under none, or under each sample's own.
  public let covariates: [Double]?
  // Each sample's own class, or none, and each sample's own covariates, [n, k].
  private let labelRows: [Int?]?
  private let covariateRows: Tensor<Double>?
  private let pool: ThreadPool
  private let programs: Programs

  /// Creates a model.
  /// - Throws: `ProcessError` where the parameters are not those of the configuration.
  public init(
    _ configuration: ModelConfiguration, process: any LinearProcess,
    parameters: Parameters<Scalar>, pool: ThreadPool
  ) throws(ProcessError) {
    try configuration.check()
    let expected = configuration.parameters
    guard parameters.names == expected.map(\.name) else {
      let unknown = parameters.names.filter { name in !expected.contains { $0.name == name } }
      let missing = expected.map(\.name).filter { !parameters.names.contains($0) }
      throw ProcessError(
        "the parameters do not fit the network \(configuration.network.text): missing \(missing), unknown \(unknown)"
      )
    }
    for (parameter, tensor) in zip(expected, parameters.tensors)
    where parameter.shape != tensor.shape {
      throw ProcessError(
        "the parameter \(parameter.name) has shape \(tensor.shape); expected \(parameter.shape)")
    }
    self.configuration = configuration
    self.process = process
    self.parameters = parameters
    (label, labelRows, covariates, covariateRows) = (nil, nil, nil, nil)
    self.pool = pool
    programs = Programs(products: .full, largestValue: configuration.largestValue)
  }

  private init(
    _ model: ScoreModel, label: Int?, labelRows: [Int?]?, covariates: [Double]?,
    covariateRows: Tensor<Double>?, programs: Programs? = nil
  ) {
    configuration = model.configuration
    process = model.process
    parameters = model.parameters
    pool = model.pool
    self.label = label
    self.labelRows = labelRows
    self.covariates = covariates
    self.covariateRows = covariateRows
    self.programs = programs ?? model.programs
  }

  /// The same model with products of another precision.
  convenience init(_ model: ScoreModel, products: ProductPrecision) {
    self.init(
      model, label: model.label, labelRows: model.labelRows, covariates: model.covariates,
      covariateRows: model.covariateRows,
      programs: Programs(products: products, largestValue: model.programs.largestValue))
  }

  /// The score of the samples of one class, ∇ log p_t(x | label); nil gives that of all samples together.
  ///
  /// Costs nothing: the models share their parameters and what is compiled of them.
  /// - Throws: `ProcessError` unless the model was trained on labels and knows the class.
  public func conditioned(on label: Int?) throws(ProcessError) -> ScoreModel {
    try check(label)
    return ScoreModel(
      self, label: label, labelRows: nil, covariates: covariates, covariateRows: covariateRows)
  }

  /// The scores of samples each of a class of its own: row i of a batch of the class i, or of all samples where that is nil.
  /// - Parameter labels: a class a sample, for batches of as many samples.
  /// - Throws: `ProcessError` where the model does not know a class, or another number of samples have covariates of their
  ///   own.
  public func conditioned(onRows labels: [Int?]) throws(ProcessError) -> ScoreModel {
    for label in labels { try check(label) }
    try check(labels, covariateRows)
    return ScoreModel(
      self, label: nil, labelRows: labels, covariates: covariates, covariateRows: covariateRows)
  }

  /// The score of samples under covariates y, ∇ log p_t(x | y), whatever they were under before.
  ///
  /// Costs nothing: the models share their parameters and what is compiled of them.
  /// - Parameter covariates: as many finite numbers as the model was trained with, in the units that it saw.
  /// - Throws: `ProcessError` where they are not.
  public func conditioned(on covariates: [Double]) throws(ProcessError) -> ScoreModel {
    try check(Tensor([1, covariates.count], covariates))
    return ScoreModel(
      self, label: label, labelRows: labelRows, covariates: covariates, covariateRows: nil)
  }

  /// The scores of samples each under covariates of its own: row i of a batch under row i of y.
  /// - Parameter covariates: `[n, k]` for batches of n samples, k the number that the model was trained with.
  /// - Throws: `ProcessError` where the shape is another, a number is not finite, or another number of samples have classes
  ///   of their own.
  public func conditioned(onRows covariates: Tensor<Double>) throws(ProcessError) -> ScoreModel {
    try check(covariates)
    try check(labelRows, covariates)
    return ScoreModel(
      self, label: label, labelRows: labelRows, covariates: nil, covariateRows: covariates)
  }

  /// The score of all samples together, of no class and under no covariates.
  public var unconditioned: ScoreModel {
    ScoreModel(self, label: nil, labelRows: nil, covariates: nil, covariateRows: nil)
  }

  private func check(_ label: Int?) throws(ProcessError) {
    guard let label else { return }
    guard configuration.classes > 0 else {
      throw ProcessError("class \(label) is asked for, but the model was trained without labels")
    }
    guard (0..<configuration.classes).contains(label) else {
      throw ProcessError(
        "class \(label) is asked for; expected one from 0 to \(configuration.classes - 1)")
    }
  }

  private func check(_ labels: [Int?]?, _ covariates: Tensor<Double>?) throws(ProcessError) {
    if let labels, let covariates, labels.count != covariates.rows {
      throw ProcessError(
        "\(labels.count) samples have a class of their own, and \(covariates.rows) covariates; expected as many"
      )
    }
  }

  private func check(_ covariates: Tensor<Double>) throws(ProcessError) {
    guard configuration.covariates > 0 else {
      throw ProcessError("covariates are given, but the model was trained without any")
    }
    guard covariates.shape.rank == 2, covariates.shape[1] == configuration.covariates else {
      throw ProcessError(
        "the covariates have shape \(covariates.shape); expected [n, \(configuration.covariates)], as the model was trained with"
      )
    }
    guard Tensor<Scalar>(covariates).isFinite else {
      throw ProcessError(
        "the covariates hold a number that is not finite as \(Scalar.typeName); expected finite ones"
      )
    }
  }

  public var rowCount: Int? { labelRows?.count ?? covariateRows?.rows }

  public func rows(_ rows: [Int]) -> ScoreModel {
    guard let rowCount else { return self }
    precondition(
      rows.allSatisfy((0..<rowCount).contains), "rows \(rows) of a model of \(rowCount) samples")
    return ScoreModel(
      self, label: label, labelRows: labelRows.map { labels in rows.map { labels[$0] } },
      covariates: covariates, covariateRows: covariateRows?.rows(rows))
  }

  public var sampleShape: Shape { configuration.sampleShape }

  public func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try evaluate(x, t, cotangents: [])[0]
  }

  public func noiseAndPullback(
    _ x: Tensor<Scalar>, at t: Times, cotangent v: Tensor<Scalar>
  ) throws -> (noise: Tensor<Scalar>, pullback: Tensor<Scalar>) {
    let results = try evaluate(x, t, cotangents: [v])
    return (results[0], results[1])
  }

  /// The noise and several pullbacks, of which up to eight share one forward pass.
  public func noiseAndPullbacks(
    _ x: Tensor<Scalar>, at t: Times, cotangents: [Tensor<Scalar>]
  ) throws -> (noise: Tensor<Scalar>, pullbacks: [Tensor<Scalar>]) {
    precondition(!cotangents.isEmpty, "pullbacks of no cotangent")
    var noise = x
    var pullbacks: [Tensor<Scalar>] = []
    let most = ChunkKind.mostPullbacks
    for first in stride(from: 0, to: cotangents.count, by: most) {
      let part = cotangents[first..<min(cotangents.count, first + most)]
      let results = try evaluate(x, t, cotangents: part)
      noise = results[0]
      pullbacks += results.dropFirst()
    }
    return (noise, pullbacks)
  }

  /// ε̂ and a pullback a cotangent.
  private func evaluate(
    _ x: Tensor<Scalar>, _ t: Times, cotangents: ArraySlice<Tensor<Scalar>>
  ) throws -> [Tensor<Scalar>] {
    guard x.shape.row == sampleShape else {
      throw ProcessError(
        "the model takes samples of shape \(sampleShape); found \(x.shape.row)")
    }
    if case .perSample(let times) = t, times.count != x.rows {
      throw ProcessError("\(times.count) times for \(x.rows) samples; expected one a sample")
    }
    try checkTimes(t)
    if let rowCount, rowCount != x.rows {
      throw ProcessError(
        "there are conditions of \(rowCount) samples, and the batch has \(x.rows); expected as many"
      )
    }
    if let other = cotangents.first(where: { $0.shape != x.shape }) {
      throw ProcessError("a cotangent has shape \(other.shape); expected the samples' \(x.shape)")
    }
    var results = [Tensor<Scalar>](
      repeating: Tensor(x.shape), count: 1 + cotangents.count)
    let outputs = results.indices.map { index in
      results[index].withUnsafeMutableBuffer { SendablePointer($0.baseAddress) }
    }
    let most = ChunkKind.most(largestValue: programs.largestValue)
    let least = most < 128 ? 1 : 8
    let workers = min(pool.threads, (x.rows + least - 1) / least)
    let shared = if case .shared = t, self.rowCount == nil { true } else { false }
    let next = Atomic(0)
    let run: @Sendable () -> Void = { [self] in
      let outputs = outputs.map { $0.pointer }
      while let rows = Self.nextChunk(of: x.rows, from: next, workers, most: most) {
        let program = program(
          ChunkKind(
            rows: ChunkKind.rows(for: rows.count, most: most), sharedTime: shared,
            pullbacks: cotangents.count))
        program.run(
          rows, x: x, cotangents: cotangents, outputs: outputs
        ) { row, columns in
          withCovariates(of: row) { covariates in
            configuration.fillColumns(
              process.marginal(at: t[row]), at: t[row], label: labelRows?[row] ?? label,
              covariates: covariates, columns)
          }
        }
      }
    }
    if workers <= 1 {
      run()
    } else {
      pool.run { worker, _ in
        if worker < workers { run() }
      }
    }
    return results
  }

  /// Refuses times that the process has not, and those without noise, which no network says anything of.
  private func checkTimes(_ t: Times) throws(ProcessError) {
    try t.check(upTo: process.endTime)
    let first =
      switch t {
      case .shared(let t): t
      case .perSample(let times): times.min() ?? process.endTime
      }
    guard process.marginal(at: first).sigma > 0 else {
      throw ProcessError(
        "the model is asked at t = \(first), where σ is 0 and there is no noise to predict; expected a time at which σ is above 0"
      )
    }
  }

  private func withCovariates(of row: Int, _ body: (UnsafePointer<Double>?) -> Void) {
    if let covariateRows {
      let width = configuration.covariates
      covariateRows.withUnsafeBuffer { body($0.baseAddress.map { $0 + row * width }) }
    } else if let covariates {
      covariates.withUnsafeBufferPointer { body($0.baseAddress) }
    } else {
      body(nil)
    }
  }

  /// Takes the next of `count` rows for one of so many workers, or nil where all are taken.
  private static func nextChunk(
    of count: Int, from next: borrowing Atomic<Int>, _ workers: Int, most: Int
  ) -> Range<Int>? {
    var begin = next.load(ordering: .relaxed)
    while begin < count {
      let size = ChunkKind.next(
        count - begin, of: count, workers: workers, most: most)
      let (taken, seen) = next.compareExchange(
        expected: begin, desired: begin + size, ordering: .relaxed)
      if taken { return begin..<begin + size }
      begin = seen
    }
    return nil
  }

  private func program(_ kind: ChunkKind) -> ChunkProgram<Scalar> {
    programs.compiled.withLock { compiled in
      if let program = compiled[kind] { return program }
      let program = ChunkProgram(kind, configuration, parameters, programs.products)
      compiled[kind] = program
      return program
    }
  }

  /// What is compiled of a model, shared by those that differ by the class alone.
  private final class Programs: Sendable {
    let products: ProductPrecision
    let largestValue: Int
    let compiled = Mutex<[ChunkKind: ChunkProgram<Scalar>]>([:])

    init(products: ProductPrecision, largestValue: Int) {
      self.products = products
      self.largestValue = largestValue
    }
  }
}

/// A pointer into memory whose writers keep to disjoint rows.
private struct SendablePointer<Scalar>: @unchecked Sendable {
  let pointer: UnsafeMutablePointer<Scalar>?
  init(_ pointer: UnsafeMutablePointer<Scalar>?) { self.pointer = pointer }
}
