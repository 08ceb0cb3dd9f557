import Foundation
import ScoreAutodiff
import ScoreModels
import ScoreProcesses
import ScoreTensors

/// A score matching loss of a process, the same for all processes, networks and parametrisations.
///
/// ```
/// denoising   L = E w(t) |ε̂(x_t, t) − z|² / D                              Vincent 2011; Song et al. 2021, eq. 7
/// hyvarinen   L = E w(t) (|ε̂|² − 2σ tr ∂ε̂/∂x) / D                          Hyvärinen 2005, ½|s|² + ∇·s for s = −ε̂/σ
/// sliced-vr   L = E w(t) (|ε̂|² − 2σ vᵀ (∂ε̂/∂x) v) / D                      Song et al. 2020, eq. 8
/// sliced      L = E w(t) ((vᵀ ε̂)² − 2σ vᵀ (∂ε̂/∂x) v) / D                   Song et al. 2020, eq. 7
/// x_t = α x₀ + σ z,   w = λ(t)/q(t),   v of random signs
/// ```
///
/// λ is the weighting and q the density of the drawn times over the uniform one, so that the loss is a mean over even
/// times for every q. By partial integration all four have one minimiser, and the last three are the first less the mean
/// of w. At one noise level the time is fixed and w = 1: a denoising autoencoder.
public struct ScoreMatchingLoss: Sendable {
  /// The process that makes the noise.
  public let process: any LinearProcess
  /// Which of the forms.
  public let objective: LossObjective
  /// λ(t).
  public let weighting: LossWeighting
  /// q(t).
  public let times: TrainingTimes
  /// Whether a batch draws its times in strata, one in each of as many slices as there are samples.
  public let stratified: Bool
  private let dataDeviation: Double
  private let likelihoodTimes: TrainingTimes
  // Those of the weightings `edm` and `balanced`.
  private let logNormalTimes: TrainingTimes?
  private let ownWeight: (@Sendable (Double) -> Double)?
  private let fixedTime: Double?

  /// Creates the loss.
  ///
  /// - Parameters:
  ///   - dataDeviation: the deviation of the data, 0 or more, for the weighting and the times of EDM.
  ///   - noiseLevel: the ratio σ/α at which all times are, or nil.
  /// - Throws: `ProcessError` where the deviation is none, α/σ does not fall, or EDM's times are wanted of data that no noise of the
  ///   process is near;
  ///   `TrainingError` where no time has the noise level, and where a weighting or a density of one's own is none.
  public init(
    process: any LinearProcess, objective: LossObjective = .denoising, weighting: LossWeighting,
    times: TimeSampling, stratified: Bool = true, dataDeviation: Double = 1,
    noiseLevel: Double? = nil
  ) throws {
    guard dataDeviation >= 0, dataDeviation.isFinite else {
      throw ProcessError(
        "the data's deviation is \(dataDeviation.inSentence); expected a finite number of 0 or more"
      )
    }
    self.process = process
    self.objective = objective
    self.weighting = weighting
    self.stratified = stratified
    self.dataDeviation = dataDeviation
    self.times = try TrainingTimes(process, times, dataDeviation: dataDeviation)
    likelihoodTimes = try TrainingTimes(process, .importance)
    func logNormal() throws -> TrainingTimes {
      try TrainingTimes(process, .logNormal, dataDeviation: dataDeviation)
    }
    logNormalTimes =
      switch weighting {
      case .edm: try logNormal()
      case .balanced: try? logNormal()
      case .noise, .likelihood, .minSNR, .own: nil
      }
    if case .own(let own) = weighting {
      ownWeight = try own.checked("weighting", at: LikelihoodWeightedTimes(process).time)
    } else {
      ownWeight = nil
    }
    fixedTime = try noiseLevel.map { level in
      let lambda = -log(level)
      let range = [process.cutoffs.training, process.endTime].map {
        process.marginal(at: $0).halfLogSNR
      }
      guard lambda <= range[0], lambda >= range[1] else {
        throw TrainingError(
          "the noise level is \(level); expected one that \(process.name) has, from \(exp(-range[0])) to \(exp(-range[1]))"
        )
      }
      return process.time(halfLogSNR: lambda)
    }
  }

  /// The time at quantile `u` of q.
  public func time(at u: Double) -> Double { fixedTime ?? times.time(at: u) }

  /// w(t) = λ(t)/q(t), with q over the uniform density.
  public func weight(at t: Double) -> Double {
    if fixedTime != nil { return 1 }
    switch (weighting, times.sampling) {
    // Where the two agree the weight has no rounding.
    case (.likelihood, .importance): return 1
    case (.edm, .logNormal): return edmFactor(at: t)
    default: return relativeWeight(at: t) / times.relativeDensity(at: t)
    }
  }

  /// λ(t).
  public func relativeWeight(at t: Double) -> Double {
    switch weighting {
    case .noise: 1
    case .likelihood: likelihoodTimes.relativeDensity(at: t)
    case .minSNR: min(1, 5 * exp(-2 * process.marginal(at: t).halfLogSNR))
    case .edm: edmWeight(at: t) ?? .nan
    case .balanced:
      edmWeight(at: t).map { LossWeighting.balance(likelihoodTimes.relativeDensity(at: t), $0) }
        ?? likelihoodTimes.relativeDensity(at: t)
    case .own: ownWeight?(t) ?? .nan
    }
  }

  private func edmWeight(at t: Double) -> Double? {
    logNormalTimes.map { edmFactor(at: t) * $0.relativeDensity(at: t) }
  }

  // What a weight of 1 on the error of EDM's F is on that of ε̂: 1 + (σ/(α d))².
  private func edmFactor(at t: Double) -> Double {
    1 + exp(-2 * process.marginal(at: t).halfLogSNR) / (dataDeviation * dataDeviation)
  }

  /// What one evaluation of the loss takes: noised samples, the noise or the probes, columns of time and class, and weights.
  package struct Batch<Scalar: TensorScalar>: Sendable {
    package var noised: Tensor<Scalar>
    package var noise: Tensor<Scalar>
    package var columns: Tensor<Scalar>
    package var weights: Tensor<Scalar>
    /// In the order in which the loss takes them.
    package var arguments: [Tensor<Scalar>] { [noised, columns, noise, weights] }
  }

  /// The number of weights a row: w, and w σ where derivatives are taken.
  package var weightColumns: Int { objective == .denoising ? 1 : 2 }

  /// Draws times and noise for clean samples `[n, D]`; in strata sample i's quantile lies in [i/n, (i+1)/n).
  package func batch<Scalar: TensorScalar>(
    _ clean: Tensor<Scalar>, labels: [Int?]? = nil, covariates: Tensor<Double>? = nil,
    model: ModelConfiguration, key: RandomKey
  ) -> Batch<Scalar> {
    let count = clean.rows
    let noise: Tensor<Scalar> = key.folded("noise").normal(clean.shape)
    let draws: Tensor<Double> = key.folded("times").uniform([count, 1])
    let times = draws.withUnsafeBuffer { draws in
      draws.indices.map { i in
        time(at: stratified ? (Double(i) + draws[i]) / Double(count) : draws[i])
      }
    }
    return batch(
      clean, noise: noise,
      probes: objective == .denoising ? noise : key.folded("probes").rademacher(clean.shape),
      at: times, labels: labels, covariates: covariates, model: model)
  }

  /// The batch of clean samples `[n, D]` under given noises at given times; probes are what the loss takes in the noise's place
  /// where it takes derivatives.
  package func batch<Scalar: TensorScalar>(
    _ clean: Tensor<Scalar>, noise: Tensor<Scalar>, probes: Tensor<Scalar>, at times: [Double],
    labels: [Int?]? = nil, covariates: Tensor<Double>? = nil, model: ModelConfiguration
  ) -> Batch<Scalar> {
    let rows: Rows<Scalar> = rows(
      at: times, labels: labels, covariates: covariates, model: model
    ) { weight(at: $0) }
    return Batch(
      noised: .combinedRows(
        [Scalar](rounding: rows.alphas), clean, [Scalar](rounding: rows.sigmas), noise),
      noise: objective == .denoising ? noise : probes, columns: rows.columns,
      weights: rows.weights)
  }

  /// The batch of points of a flow, whose noise (x_t − α f)/σ is not drawn: that which leads from the origin f to the state.
  ///
  /// The weight is 1 on the error of what the network gives, (ε̂ − z)/gain, at all points alike.
  package func batch<Scalar: TensorScalar>(
    _ points: FlowPoints<Scalar>, model: ModelConfiguration
  ) -> Batch<Scalar> {
    let shape: Shape = [points.states.rows, model.dimensions]
    let (states, origins) = (points.states.reshaped(shape), points.origins.reshaped(shape))
    let rows: Rows<Scalar> = rows(
      at: points.times, labels: points.labels, covariates: nil, model: model
    ) {
      let gain = model.preconditioning.columns(process.marginal(at: $0)).gain
      return 1 / (gain * gain)
    }
    let inverses = rows.sigmas.map { 1 / $0 }
    return Batch(
      noised: states,
      noise: .combinedRows(
        [Scalar](rounding: inverses), states,
        [Scalar](rounding: zip(rows.alphas, inverses).map { -$0 * $1 }), origins),
      columns: rows.columns, weights: rows.weights)
  }

  /// What a batch's rows have of their times: columns, weights, and the marginals' α and σ.
  private struct Rows<Scalar: TensorScalar> {
    var columns: Tensor<Scalar>
    var weights: Tensor<Scalar>
    var alphas: [Double]
    var sigmas: [Double]
  }

  private func rows<Scalar: TensorScalar>(
    at times: [Double], labels: [Int?]?, covariates: Tensor<Double>?, model: ModelConfiguration,
    weight weightAt: (Double) -> Double
  ) -> Rows<Scalar> {
    let count = times.count
    let (width, weightColumns) = (model.columns, weightColumns)
    var columns = Tensor<Scalar>([count, width])
    var weights = Tensor<Scalar>([count, weightColumns])
    var alphas = [Double](repeating: 0, count: count)
    var sigmas = alphas
    columns.withUnsafeMutableBuffer { out in
      weights.withUnsafeMutableBuffer { weights in
        guard let weights = weights.baseAddress, let out = out.baseAddress else { return }
        for (i, t) in times.enumerated() {
          let marginal = process.marginal(at: t)
          let weight = weightAt(t)
          alphas[i] = marginal.alpha
          sigmas[i] = marginal.sigma
          let place = weights + i * weightColumns
          withUnsafePointer(to: weight) { Scalar._round(1, $0, place) }
          if weightColumns == 2 {
            withUnsafePointer(to: weight * marginal.sigma) { Scalar._round(1, $0, place + 1) }
          }
          let label = labels.flatMap { $0[i] }
          guard let covariates else {
            model.fillColumns(marginal, at: t, label: label, out + i * width)
            continue
          }
          covariates.withUnsafeBuffer { values in
            model.fillColumns(
              marginal, at: t, label: label,
              covariates: values.baseAddress.map { $0 + i * model.covariates }, out + i * width)
          }
        }
      }
    }
    return Rows(columns: columns, weights: weights, alphas: alphas, sigmas: sigmas)
  }

  /// The loss of a prediction at x as a formula: `prediction`, `x` and `noise` are `[n, D]`, `weights` `[n, 1 or 2]`.
  package func value(
    _ prediction: Formula, at x: Formula, noise: Formula, weights: Formula
  ) -> Formula {
    let count = Double(max(1, noise.shape.count))
    guard objective != .denoising else {
      return (weights * square(prediction - noise)).sum() / count
    }
    let (weight, sigmaWeight) = (
      weights.slice(axis: 1, 0..<1), weights.slice(axis: 1, 1..<2)
    )
    func derivative(along v: Formula) -> Formula {
      v * jvp([prediction], withRespectTo: [x], tangents: [v])[0]
    }
    let squares: Formula
    let divergence: Formula
    switch objective {
    case .denoising, .slicedVR:
      (squares, divergence) = (square(prediction), derivative(along: noise))
    case .sliced:
      squares = square((noise * prediction).sum([1], keepDims: true))
      divergence = derivative(along: noise)
    case .hyvarinen:
      squares = square(prediction)
      let (rows, width) = (x.shape[0], x.shape[1])
      divergence = (0..<width).map { j in
        derivative(
          along: Formula(
            Tensor<Double>([rows, width], (0..<rows * width).map { $0 % width == j ? 1 : 0 })))
      }.reduce(Formula(0), +)
    }
    return ((weight * squares).sum() - 2 * (sigmaWeight * divergence).sum()) / count
  }
}
