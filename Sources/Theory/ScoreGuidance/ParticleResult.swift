import Foundation
import ScoreSampling
import ScoreTensors

/// Samples of a posterior that sets of particles gave, and how well they did.
public struct ParticleResult<Scalar: TensorScalar>: Sendable {
  /// The samples, `[n] + sampleShape`, equally weighted, set after set. A particle of much weight is there more than once.
  public var samples: Tensor<Scalar>
  /// How each sample's solve ended. Where a set has lost all particles, or was stopped, its samples are particles' last states.
  public var status: [SolveStatus]
  /// The evaluations of the field that each sample's particle took, each with as many pullbacks as numbers are observed.
  public var evaluations: [Int]
  /// The sets, in their order.
  public var sets: [ParticleSet]

  /// Whether all samples finished.
  public var isFinished: Bool { status.allSatisfy(\.isFinished) }
  /// The greatest number of function evaluations that a particle took.
  public var maxEvaluations: Int { evaluations.max() ?? 0 }

  /// log p(y) in nats, by the mean of the sets' estimates of p(y), with its standard error; nil where a set did not finish.
  ///
  /// ```
  /// log p̄,   p̄ = 1/J Σⱼ p̂ⱼ,   standard error  √(Σⱼ (p̂ⱼ − p̄)²/(J (J − 1))) / p̄
  /// ```
  ///
  /// Each p̂ is without bias for the discretised reverse SDE, so that log p̄ is low by half the square of its error. A single
  /// set has no standard error, and that of a few is itself rough. Where a set's weights degenerated there is none either: on a
  /// mixture in the plane, 4 sets of 200 particles whose least effective sample size was 1.0 were off by 3 to 9 nats, and had
  /// such errors of 0.4 to 1.
  public var logEvidence: (value: Double, standardError: Double?)? {
    let logs = sets.compactMap(\.logEvidence)
    guard let largest = logs.max(), logs.count == sets.count else { return nil }
    let parts = logs.map { exp($0 - largest) }
    let count = Double(parts.count)
    let mean = parts.reduce(0, +) / count
    let squares = parts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (
      largest + log(mean),
      parts.count > 1 && !sets.contains(where: \.isDegenerate)
        ? (squares / (count * (count - 1))).squareRoot() / mean : nil
    )
  }
}

extension ParticleResult {
  /// Several results as one, in their order.
  public init(joining parts: [ParticleResult]) {
    self.init(
      samples: .concatenated(parts.map(\.samples)), status: parts.flatMap(\.status),
      evaluations: parts.flatMap(\.evaluations), sets: parts.flatMap(\.sets))
  }
}

/// How a set of particles did.
public struct ParticleSet: Sendable, Equatable {
  /// The logarithm of the estimate of p(y), in nats; nil where the set lost all particles or was stopped.
  public var logEvidence: Double?
  /// The effective sample sizes at the grid's times, its start first, each before the resampling that it may call for.
  public var effectiveSizes: [Double]
  /// How often particles were resampled on the way; the samples are drawn once more at the end.
  public var resamplings: Int
  /// Of how many of the particles at the grid's start the samples come.
  public var ancestors: Int
  /// How many particles left the finite numbers, and got the weight 0. Then p(y) is short of their part.
  public var lost: Int

  /// The least effective sample size.
  public var leastEffectiveSize: Double { effectiveSizes.min() ?? 0 }
  /// Whether one particle had most of the weight at some time, so that the effective sample size was below 2.
  public var isDegenerate: Bool { leastEffectiveSize < 2 }
}
