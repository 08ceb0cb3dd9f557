import ScoreProcesses

extension TimeGrid {
  /// The steps of a DDPM chain, or of some of its steps, from noise to data.
  ///
  /// With `Ancestral` it is DDPM's sampler, with the variance β̃ (`.posterior`) or β (`.forward`); with `DDIM` that of
  /// DDIM. The last step leads to t = 0 and its posterior has no variance.
  /// - Parameter steps: steps of the chain, rising; all of them where none are given. See `DDPMChain.strided`.
  /// - Throws: `SamplingError` unless there are steps, rising, all of the chain.
  public static func chain(
    _ chain: DDPMChain, steps: [Int]? = nil
  ) throws(SamplingError) -> TimeGrid {
    let steps = steps ?? Array(0..<chain.count)
    guard let first = steps.first, let last = steps.last, first >= 0, last < chain.count,
      zip(steps, steps.dropFirst()).allSatisfy({ $0 < $1 })
    else {
      throw SamplingError(
        "the steps of the chain are \(steps.count), from \(steps.first ?? 0) to \(steps.last ?? 0); expected rising numbers from 0 to \(chain.count - 1)"
      )
    }
    return try TimeGrid(
      steps: steps.indices.reversed().map { place in
        let before = place > 0 ? steps[place - 1] : nil
        return TimeStep(
          index: steps.count - 1 - place, time: chain.time(ofStep: steps[place]),
          next: before.map { chain.time(ofStep: $0) } ?? 0,
          transition: chain.transition(from: before, to: steps[place]))
      })
  }
}
