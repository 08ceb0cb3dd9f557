import Foundation
import ScoreSDE

/// What the demo measures of its model: samples by three kinds of solver, and likelihoods.
struct DemoEvaluation {
  let session: Session
  let model: ScoreModel<Float>
  let training: Dataset<Float>
  let test: Dataset<Float>
  let key: RandomKey

  /// The draws of one solver.
  struct Samples {
    let name: String
    /// In grey levels, `[100, 8, 8, 1]`.
    let images: Tensor<Float>
    let evaluations: Double
    let seconds: Double
    let distance: Estimate
  }

  /// Bits per dimension of the test set.
  struct Likelihoods {
    let model: (mean: Double, standardError: Double)
    let baseline: (mean: Double, standardError: Double)
    let evaluations: Double
    let seconds: Double
  }

  /// A hundred digits each.
  func samples() throws -> [Samples] {
    let solvers = [
      ("Euler–Maruyama", "euler-maruyama", 500),
      ("predictor–corrector", "pc:predictor=reverse-diffusion,corrector=langevin,snr=0.1", 250),
      ("probability-flow ODE", "ode:method=dopri5,rtol=1e-4,atol=1e-4", 1),
    ]
    return try solvers.map { name, text, steps in
      let bar = session.progress("sample    ")
      let sampler = try Sampler(model, try SolverSpec(text), steps: steps)
      let start = ContinuousClock.now
      let result = try sampler.sample(100, key: key.folded("samples")) { progress in
        bar.update(min(0.999, progress.fraction), name)
        return true
      }
      let seconds = start.duration(to: .now).seconds
      bar.update(1, "\(name), NFE \(Int(result.meanEvaluations.rounded()))")
      guard result.isFinished else {
        throw CommandError.failure("\(name) did not finish: \(result.status[0])")
      }
      let images = inLevels(result.samples)
      return Samples(
        name: name, images: images, evaluations: result.meanEvaluations, seconds: seconds,
        distance: distance(images))
    }
  }

  /// The distance of a hundred real training digits to the test set: what a perfect model would come to.
  var referenceDistance: Estimate {
    // Drawn at random: the first hundred are by few writers.
    let draws: Tensor<Double> = key.folded("reference").uniform([training.count, 1])
    let order = (0..<training.count).sorted { draws[$0, 0] < draws[$1, 0] }
    return distance(training.samples.rows(Array(order.prefix(100))))
  }

  /// The model's and the baseline's bits per dimension on the test set.
  func likelihood() throws -> Likelihoods {
    let data = test.modelSamples(key: key.folded("bins"))
    let bar = session.progress("likelihood")
    let likelihood = try FlowLikelihood(
      model, divergence: .hutchinson(.rademacher, probes: 1),
      method: .adaptive(rtol: 1e-4, atol: 1e-4))
    let start = ContinuousClock.now
    let result = try likelihood.logDensity(of: data, key: key.folded("probes")) { progress in
      bar.update(min(0.999, progress.fraction))
      return true
    }
    bar.update(1, "NFE \(Int(result.meanEvaluations.rounded()))")
    let bits = try test.bitsPerDimension(
      meanLogDensity: result.mean, standardError: result.standardError ?? .nan)
    let gaussian = try baseline(data)
    return Likelihoods(
      model: bits, baseline: gaussian, evaluations: result.meanEvaluations,
      seconds: start.duration(to: .now).seconds)
  }

  /// A Gaussian with the mean and the full covariance of the training data, bins' spread included.
  private func baseline(_ data: Tensor<Float>) throws -> (mean: Double, standardError: Double) {
    guard let scale = training.scale else {
      throw CommandError.failure("the digits have no scale")
    }
    let bin = scale.factor * scale.binWidth
    let gaussian = try GaussianOracle<Double>(
      process: model.process, momentsOf: scale.centred(training.samples),
      addedVariance: bin * bin / 12)
    let nats = try gaussian.logDataDensity(Tensor<Double>(data))
    let average = nats.reduce(0, +) / Double(nats.count)
    let variance = nats.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(nats.count - 1)
    return try test.bitsPerDimension(
      meanLogDensity: average, standardError: (variance / Double(nats.count)).squareRoot())
  }

  private func inLevels(_ x: Tensor<Float>) -> Tensor<Float> {
    guard let scale = training.scale else { return x }
    return scale.quantised(x)
  }

  private func distance(_ images: Tensor<Float>) -> Estimate {
    Metrics.energyDistance(images, test.samples)
  }
}
