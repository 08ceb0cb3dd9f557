import ScoreProcesses
import ScoreSampling
import ScoreTensors

extension Sampler {
  /// Noises given samples to the time at which the grid starts, and carries them back: image to image (SDEdit, Meng et al.
  /// 2022).
  ///
  /// ```
  /// x_s = α(s) x + σ(s) z,   s the grid's start
  /// ```
  ///
  /// What is smaller than σ/α at s is drawn anew, as the field knows it; what is larger stays. Row i is sample number
  /// `first + i`, and its z depends on the key and that number alone.
  ///
  /// ```swift
  /// let start = field.process.time(halfLogSNR: -log(0.5))  // where σ/α is a half
  /// let edited = try Sampler(field, SolverSpec("dpm-solver++"), steps: 30, from: start)
  ///   .sample(editing: sketches, key: RandomKey(1))
  /// ```
  ///
  /// - Parameter samples: `[n] + sampleShape`, where the field's data are.
  /// - Throws: as `sample(from:key:first:progress:)`.
  public func sample(
    editing samples: Tensor<Scalar>, key: RandomKey, first: Int = 0,
    progress: ((SamplingProgress) -> Bool)? = nil
  ) throws -> SamplingResult<Scalar> {
    guard samples.isFinite else {
      throw SamplingError("the samples to edit hold entries that are not finite numbers")
    }
    let noised = field.process.perturb(
      samples, at: .shared(grid.start), key: key.folded("edit"), samples: .consecutive(first: first)
    )
    return try sample(from: noised, key: key, first: first, progress: progress)
  }
}
