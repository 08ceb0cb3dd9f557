import Foundation
import ScoreSDE

/// Likelihoods of data sets under one model, and their report.
struct LikelihoodJob<Scalar: TensorScalar> {
  let session: Session
  let model: LoadedModel<Scalar>
  let likelihood: FlowLikelihood<Scalar>
  let strata: Int
  let pilots: Int
  let key: RandomKey

  /// What the command prints: the members of its JSON object and the lines of its text.
  struct Report {
    var members: [(String, JSON)] = []
    var lines: [String] = []
    /// Nats a sample in the data's own units.
    var nats: [Double] = []
    /// Where the flow carries the samples.
    var latents: Tensor<Scalar>?

    mutating func add(_ key: String, _ value: JSON, line: String) {
      members.append((key, value))
      lines.append(line)
    }
  }

  /// The computation for data, with the field of what is given of them.
  private func likelihood(of data: Dataset<Scalar>) throws -> FlowLikelihood<Scalar> {
    try FlowLikelihood(
      model.field(of: data), divergence: likelihood.divergence, method: likelihood.method,
      epsilon: likelihood.epsilon)
  }

  /// Log densities of points that the model sees.
  private func solve(
    _ points: Tensor<Scalar>, by likelihood: FlowLikelihood<Scalar>, title: String, _ key: RandomKey
  ) throws -> LikelihoodResult<Scalar> {
    let bar = session.progress(title)
    let result = try likelihood.logDensity(of: points, key: key) { progress in
      bar.update(min(0.999, progress.fraction))
      return true
    }
    bar.update(1, "NFE \(NumberText.trimmed(result.meanEvaluations))")
    if let bad = result.status.firstIndex(where: { !$0.isFinished }) {
      throw CommandError.failure("the solve of sample \(bad) did not finish: \(result.status[bad])")
    }
    return result
  }

  /// The densities of a data set with their errors.
  func report(on data: Dataset<Scalar>) throws -> Report {
    let (points, scale, spread) = try model.inModelSpace(data, key: key.folded("bins"))
    if scale == nil, model.scale != nil {
      session.remark(
        "\(data.name): not the levels that the model was trained on, so scored as points, without bits per dimension"
      )
    }
    if spread.isEmpty, model.discrete != nil {
      session.remark(
        "\(data.name): not the whole numbers that the model was trained on, so scored as points within their bins"
      )
    }
    let start = ContinuousClock.now
    let likelihood = try likelihood(of: data)
    var result = try solve(points, by: likelihood, title: "likelihood", key.folded("probes"))
    var bound = strata > 0 ? try bound(on: points, likelihood) : nil
    var budget = try budget(of: result, for: points, likelihood)
    for (sample, nats) in spread.enumerated() {
      result.logDensity[sample] -= nats
      budget.logDensity[sample] -= nats
      bound?.reconstruction[sample] -= nats
    }
    var report = heading(data, likelihood, result, start.duration(to: .now).seconds)
    // Densities are those of the data's own units, whatever affine map the model sees them through.
    report.nats = result.logDensity.map { $0 + model.logVolume }
    report.latents = result.latent
    var figures = DensityTable(
      scale: scale, dimensions: data.dimensions, shift: model.logVolume)
    figures.add(
      "log density", "logDensity", bits: "bitsPerDimension", result.mean,
      result.standardError ?? .nan)
    if let bound {
      figures.add(
        "variational bound", "variationalBound", bits: "variationalBoundBitsPerDimension",
        bound.mean, bound.meanStandardError ?? bound.standardError[0])
    }
    let corrected = budget.corrected
    figures.add(
      "log density, less truncation and mismatch", "correctedLogDensity",
      bits: "correctedBitsPerDimension", corrected.mean, corrected.standardError ?? .nan)
    let parts = figures.add(budget)
    report.members += figures.members
    report.add("errorBudget", parts, line: figures.table.text.trimmedEnd)
    return report
  }

  /// What was scored, how, and at what cost: the evaluations of the solve, and the seconds of all.
  private func heading(
    _ data: Dataset<Scalar>, _ likelihood: FlowLikelihood<Scalar>,
    _ result: LikelihoodResult<Scalar>, _ seconds: Double
  ) -> Report {
    var report = Report()
    report.members = [
      ("count", .integer(data.count)), ("dimensions", .integer(data.dimensions)),
      ("divergence", .string(likelihood.divergence.kind)),
    ]
    report.members += model.conditionMembers(of: data)
    report.members += [
      ("epsilon", .number(likelihood.epsilon)), ("nfe", .number(result.meanEvaluations)),
      ("seconds", .number(seconds)),
    ]
    report.lines = [
      "\(NumberText.counted(data.count, "sample")) of \(NumberText.counted(data.dimensions, "dimension"))\(model.condition(of: data)) from ε = \(Spec.text(likelihood.epsilon)), NFE \(NumberText.trimmed(result.meanEvaluations)), \(NumberText.significant(seconds, digits: 3)) s in all"
    ]
    return report
  }

  /// The bound of the reverse SDE.
  private func bound(
    on points: Tensor<Scalar>, _ likelihood: FlowLikelihood<Scalar>
  ) throws -> VariationalBoundResult {
    let bar = session.progress("bound")
    // The data's own spread, so that the bound's variance is small; its mean does not depend on it.
    let bound = try VariationalBound(
      likelihood.field, strata: strata, epsilon: likelihood.epsilon,
      dataDeviation: points.deviation
    )(points, key: key.folded("bound")) { fraction in
      bar.update(min(0.999, fraction))
      return true
    }
    bar.update(1)
    return bound
  }

  /// What the densities may be off by.
  private func budget(
    of result: LikelihoodResult<Scalar>, for points: Tensor<Scalar>,
    _ likelihood: FlowLikelihood<Scalar>
  ) throws -> ErrorBudget {
    // The score at T of a network that knows little there says more of the network than of the prior.
    let data = endSamples(points)
    let bar = session.progress("budget")
    let budget = try likelihood.budget(
      of: result, for: points, key: key.folded("probes"),
      endMarginal: data.map { .data($0) } ?? .score, pilots: pilots
    ) { progress in
      bar.update(min(0.999, progress.fraction))
      return true
    }
    bar.update(1)
    return budget
  }

  /// Samples of what the model is a density of, whose p_T the prior is held to: those that it was trained on, or, of a run whose
  /// data are not at hand, as of one that was imported, those that are scored; nil for exact models, and where there are few.
  private func endSamples(_ points: Tensor<Scalar>) -> Tensor<Scalar>? {
    // Data of all classes and covariates together are no samples of those under one.
    guard model.run != nil, model.givenNote == nil, model.labelSource == nil else { return nil }
    let most = min(10_000, max(100, (1 << 23) / points.rows))
    if let own = model.trainingSamples(atMost: most) { return own }
    return model.labels.isEmpty && points.rows >= 16
      ? points.rows(Array(0..<min(most, points.rows))) : nil
  }

  /// Adds how well densities tell a data set from other data, whose nats are written where a file is named.
  func add(
    _ other: Dataset<Scalar>, named name: String, writingTo out: String?, to report: inout Report
  ) throws {
    let (points, _, spread) = try model.inModelSpace(other, key: key.folded("other bins"))
    var result = try solve(
      points, by: likelihood(of: other), title: "against", key.folded("other probes"))
    for (sample, nats) in spread.enumerated() { result.logDensity[sample] -= nats }
    let shift = model.logVolume
    let nats = result.logDensity.map { $0 + shift }
    if case .hutchinson(_, probes: 1) = likelihood.divergence {
      session.remark(
        "--against: a single probe has noise of its own in each log density, so that they tell the sets apart less well than they could; --probes 16 has a quarter of it, --divergence exact none"
      )
    }
    let roc = Metrics.areaUnderROC(positives: report.nats, negatives: nats)
    if let out { try NPY.write(Tensor<Double>([nats.count], nats), to: out) }
    let error = result.standardError ?? .nan
    report.add(
      "against",
      .object(
        [
          ("data", .string(name)), ("count", .integer(other.count)),
        ] + model.conditionMembers(of: other) + [
          ("logDensity", DensityTable.pair(result.mean + shift, error)),
          (
            "areaUnderROC",
            .object([("value", .number(roc.value)), ("standardError", .number(roc.standardError))])
          ),
        ] + (out.map { [("out", .string($0))] } ?? [])),
      line:
        "against \(name)\(model.condition(of: other)): log density \(NumberText.plusMinus(result.mean + shift, error)) nats; area under ROC \(NumberText.plusMinus(roc.value, roc.standardError))\(out.map { "\nnats a sample of \(name): \($0)" } ?? "")"
    )
  }
}

extension Divergence {
  /// As `--divergence` spells it.
  fileprivate var kind: String {
    switch self {
    case .exact: "exact"
    case .hutchinson: "hutchinson"
    case .hutchPlusPlus: "hutch++"
    }
  }
}

extension ErrorBudget {
  /// The mean of the corrected log densities with its standard error over the samples, which one sample has not.
  fileprivate var corrected: (mean: Double, standardError: Double?) {
    let (values, count) = (correctedLogDensity, Double(logDensity.count))
    let mean = values.reduce(0, +) / count
    guard values.count > 1 else { return (mean, nil) }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / (count * (count - 1))).squareRoot())
  }
}

extension String {
  /// Without line ends at the end.
  var trimmedEnd: String { String(reversed().drop { $0 == "\n" }.reversed()) }
}

extension LoadedModel {
  /// Data as the model sees them, with the scale by which bits per dimension follow where they are quantised, and the nats that
  /// each sample of whole numbers and texts was spread by, which its log density has more than it should; none of others.
  ///
  /// Data in a file that are levels of the model's scale, or rows of whole numbers and choices as the model's, count as quantised;
  /// others are points of the data's own space.
  func inModelSpace(
    _ data: Dataset<Scalar>, key: RandomKey
  ) throws -> (points: Tensor<Scalar>, scale: DataScale?, spread: [Double]) {
    let shape = Shape([data.count] + field.sampleShape.extents)
    guard let scale else {
      var (samples, spread) = (data.samples, [Double]())
      // A table as text has what the run's had, and no points.
      if let discrete, data.lines != nil { _ = try data.discretized(as: discrete) }
      if let discrete, discrete.holds(samples) {
        samples = discrete.dequantised(samples, key: key)
        spread = discrete.bins.logDensity(of: samples, above: data.samples)
      }
      samples = samples.reshaped(shape)
      return (standardization?.standardized(samples) ?? samples, nil, spread)
    }
    if let own = data.scale?.levels, own < scale.levels {
      session.remark(
        "\(data.name): its \(own) levels are taken as the first of the \(scale.levels) that the run's data had"
      )
    }
    // Data with levels of their own are refused where these are no levels of the model's.
    let levels = try data.scale == nil ? try? data.scaled(by: scale) : data.scaled(by: scale)
    if let levels { return (levels.modelSamples(key: key).reshaped(shape), scale, []) }
    let points = data.samples.map { Scalar(scale.offset + scale.factor * Double($0)) }
    return (points.reshaped(shape), nil, [])
  }
}
