import Foundation
import ScoreProcesses

/// A process for which the published reference code has a discretisation of its own.
protocol ReferenceDiscretised: LinearProcess {
  /// The transitions of a chain of N noise levels, the first from the data to the lowest level.
  func referenceTransitions(_ count: Int) throws(SamplingError) -> [Transition]
}

extension TimeGrid {
  /// The steps of the code published with Song et al. 2021, to compare with its numbers.
  ///
  /// Evaluations at N times even from T to ε, each followed by a step of T/N, so that the last one passes ε. VP and VE
  /// take their transitions from a chain of N levels, other processes from an Euler step, a = 1 + f T/N and v = g² T/N.
  /// Our own grids end at ε and use exact transitions. That of DDPM's chain is its own, with N of its steps, the first and the last
  /// among them.
  /// - Throws: `SamplingError` unless 2 ≤ N ≤ `mostSteps`, 0 < ε < T, and the steps are so short that every a is positive.
  public static func reference(
    for process: any LinearProcess, steps count: Int, epsilon: Double
  ) throws(SamplingError) -> TimeGrid {
    let end = process.endTime
    try check(end, epsilon, count)
    guard count >= 2 else {
      throw SamplingError("the reference grid has \(count) step; expected 2 or more")
    }
    if let chain = process as? DDPMChain {
      let first = chain.time(ofStep: 0)
      guard count <= chain.count else {
        throw SamplingError(
          "the reference grid takes \(count) steps of the chain \(chain.name), which has \(chain.count); expected no more"
        )
      }
      guard abs(epsilon - first) <= 4 * first.ulp else {
        throw SamplingError(
          "the reference grid is to end at epsilon \(epsilon), but the first step of the chain \(chain.name) is at t = \(first); expected that"
        )
      }
      return try .chain(chain, steps: chain.strided(count))
    }
    let chain = try (process as? any ReferenceDiscretised)?.referenceTransitions(count)
    var steps: [TimeStep] = []
    for index in 0..<count {
      let time = end + (epsilon - end) * Double(index) / Double(count - 1)
      let transition =
        chain?[count - 1 - index] ?? process.eulerStep(of: end / Double(count), at: time)
      guard transition.scale > 0 else {
        throw SamplingError(
          "the reference grid has \(count) steps, which are too long for \(process.name): at t = \(time) one would multiply states by \(transition.scale); expected more steps"
        )
      }
      steps.append(
        TimeStep(
          index: index, time: time, next: time - end / Double(count), transition: transition))
    }
    return try TimeGrid(steps: steps)
  }
}

extension LinearProcess {
  fileprivate func eulerStep(of h: Double, at t: Double) -> Transition {
    let rates = rates(at: t)
    let variance = h * rates.squaredDiffusion
    let ratio = marginal(at: max(0, t - h)).sigma / marginal(at: t).sigma
    return Transition(
      scale: 1 + h * rates.drift, variance: variance, posteriorVariance: variance * ratio * ratio)
  }
}

extension VariancePreserving: ReferenceDiscretised {
  // β_i even from β₀/N to β₁/N; the chain's own ᾱ_i gives the posterior variance.
  func referenceTransitions(_ count: Int) throws(SamplingError) -> [Transition] {
    do {
      let chain = try DDPMChain(self, steps: count, mayBeginQuiet: true)
      return (0..<count).map { chain.transition(from: $0 == 0 ? nil : $0 - 1, to: $0) }
    } catch {
      throw SamplingError(
        "the reference grid has \(count) steps, which are too long for vp: \(error); expected more steps"
      )
    }
  }
}

extension VarianceExploding: ReferenceDiscretised {
  // σ_i even in the logarithm from σmin to σmax; the level before the first is the clean data.
  func referenceTransitions(_ count: Int) throws(SamplingError) -> [Transition] {
    var before = 0.0
    return (0..<count).map { i in
      let sigma = marginal(at: Double(i) / Double(count - 1)).sigma
      let variance = (sigma - before) * (sigma + before)
      let ratio = before / sigma
      before = sigma
      return Transition(
        scale: 1, variance: variance, posteriorVariance: variance * ratio * ratio)
    }
  }
}
