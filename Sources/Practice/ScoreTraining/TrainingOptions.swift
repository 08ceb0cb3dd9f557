import Foundation

/// How a model is trained; with the seed and the data it fixes every bit of the result.
public struct TrainingOptions: Sendable, Equatable, Codable {
  /// Optimiser steps in all.
  public var steps = 2000
  /// Samples a step, at most 2²⁰.
  public var batchSize = 256
  /// The seed of initial parameters, batches, times and noise.
  public var seed: UInt64 = 0
  /// Adam's learning rate after the warm-up.
  public var learningRate = 1e-3
  /// Steps over which the learning rate rises from 0.
  public var warmUp = 200
  /// How the learning rate goes on after the warm-up.
  public var schedule = LearningRateSchedule.cosine
  /// The largest norm of the gradient over all parameters; a longer one is scaled down to it.
  public var clip = 1.0
  /// The decay d of the moving average of the parameters; the first steps take (1 + k)/(10 + k) where that is less.
  public var averageDecay = 0.999
  /// The form of the loss.
  public var objective = LossObjective.denoising
  /// The weight of a time in the loss.
  public var weighting: LossWeighting
  /// The density that times are drawn from.
  public var times: TimeSampling
  /// Whether a batch draws its times in strata: one in each of as many slices as there are samples.
  public var stratifiesTimes = true
  /// The one noise level σ/α that is trained at, as a denoising autoencoder is; nil trains at all.
  public var noiseLevel: Double?
  /// The share of samples whose label and covariates a model does not see, and of those of the rest of which it sees one of the
  /// two, so that it learns the score of all samples together as well, which guidance needs (Ho & Salimans 2022); nil is a tenth.
  public var labelDropout: Double?

  /// Options of the balanced weighting, and of `minSNR` for networks that give the data: on the error of ε̂, a weight that does
  /// not fall with α/σ asks x̂₀ for the little noise there is near ε, and for nothing else.
  /// - Parameter givesData: whether the network gives x̂₀.
  public init(givesData: Bool = false) {
    weighting = givesData ? .minSNR : .balanced
    times = weighting.usualTimes
  }

  /// The share of labels and covariates that is hidden where none is given.
  public static var usualLabelDropout: Double { 0.1 }

  package static var mostBatchSize: Int { 1 << 20 }

  /// - Throws: `TrainingError` that names the option out of range.
  public func check() throws(TrainingError) {
    func require(_ holds: Bool, _ name: String, _ found: Any, _ expected: String)
      throws(TrainingError)
    {
      if !holds { throw TrainingError("\(name) is \(found); expected \(expected)") }
    }
    try require(steps >= 1, "steps", steps, "at least 1")
    try require(
      (1...Self.mostBatchSize).contains(batchSize), "batch-size", batchSize,
      "from 1 to \(Self.mostBatchSize)")
    try require(
      learningRate > 0 && learningRate.isFinite, "learning-rate", learningRate, "a number above 0")
    try require(warmUp >= 0, "warm-up", warmUp, "at least 0")
    if let noiseLevel {
      try require(
        noiseLevel > 0 && noiseLevel.isFinite, "noise-level", noiseLevel, "a number above 0")
    }
    if let labelDropout {
      try require(
        (0...1).contains(labelDropout), "label-dropout", labelDropout, "from 0 to 1")
    }
    try require(clip > 0, "clip", clip, "a number above 0")
    try require(
      averageDecay >= 0 && averageDecay < 1, "average-decay", averageDecay, "from 0 to below 1")
  }

  /// The learning rate of step `step`, counted from 1.
  func learningRate(at step: Int) -> Double {
    let rise = min(1, Double(step) / Double(max(1, warmUp)))
    return learningRate * rise * schedule.factor(Double(step) / Double(steps))
  }
}

/// How the learning rate goes on after its warm-up.
public enum LearningRateSchedule: String, Sendable, Codable, CaseIterable {
  /// It stays.
  case constant
  /// It falls to a fiftieth along half a cosine over all steps.
  case cosine

  /// The share of the full rate when `done` of all steps are done.
  func factor(_ done: Double) -> Double {
    switch self {
    case .constant: 1
    case .cosine: 0.02 + 0.98 * 0.5 * (1 + cos(Double.pi * min(1, done)))
    }
  }
}

/// The form of the loss; see `ScoreMatchingLoss`. All have the same minimiser.
public enum LossObjective: String, Sendable, Codable, CaseIterable {
  /// The squared error of the predicted noise: the form for large networks.
  case denoising
  /// Sliced score matching: one derivative along random signs instead of the noise.
  case sliced
  /// Sliced score matching with |ε̂|² in closed form, which has less variance.
  case slicedVR = "sliced-vr"
  /// Hyvärinen's, with the exact trace: one derivative a dimension, so for few of them.
  case hyvarinen
}

/// An error of training: one sentence with what was found and expected.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  public let description: String
  public init(_ description: String) { self.description = description }
}
