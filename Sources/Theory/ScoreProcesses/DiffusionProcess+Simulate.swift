import Foundation
import ScoreTensors

extension DiffusionProcess {
  /// Carries samples forward along rising times by Euler–Maruyama, which every process has.
  ///
  /// ```
  /// x ← x + h f(x, t) + √h g(x, t) z
  /// ```
  ///
  /// Weak order 1. The path of a row depends on (key, the sample that the row is) and on the times alone.
  /// - Throws: `ProcessError` unless the times rise, where drift or diffusion are no numbers or not of the shape of x, and where
  ///   the states leave the finite numbers; `CancellationError` where the task is cancelled.
  public func simulate<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along times: [Double], key: RandomKey,
    samples: SampleIndices = .consecutive(first: 0)
  ) throws -> Tensor<Scalar> {
    try checkRise(of: times)
    var x = x
    for (k, (t, next)) in zip(times, times.dropFirst()).enumerated() {
      try Task.checkCancellation()
      let z: Tensor<Scalar> = key.folded(UInt64(k)).normal(x.shape, samples: samples)
      x = try eulerStep(x, from: t, to: next, noise: z)
    }
    return x
  }

  private func checkRise(of times: [Double]) throws(ProcessError) {
    for (t, next) in zip(times, times.dropFirst()) where !(next > t && (next - t).isFinite) {
      throw ProcessError(
        "the process \"\(name)\" is simulated from t = \(t) to t = \(next); expected rising times")
    }
  }

  /// One step of Euler–Maruyama with given standard normal numbers.
  private func eulerStep<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, from t: Double, to next: Double, noise z: Tensor<Scalar>
  ) throws(ProcessError) -> Tensor<Scalar> {
    let h = next - t
    let here = try coefficients(x, at: t)
    let kick = here.squaredDiffusion.zip(with: Tensor<Double>(z)) { (h * $0).squareRoot() * $1 }
    let end = Tensor<Scalar>(.combined(1, Tensor<Double>(x), h, here.drift, 1, kick))
    guard end.isFinite else {
      throw ProcessError(
        "the process \"\(name)\" leaves the finite numbers between t = \(t) and t = \(next); expected finite states, a drift that does not grow so fast, or shorter steps"
      )
    }
    return end
  }
}

/// What a score is learnt from where there is no kernel: ends of short steps, and the score of each step.
public struct ShortSteps<Scalar: TensorScalar>: Sendable {
  /// Where the steps end, `[2n] + sample shape`: rows i and n + i are ends of one step with noise z and −z.
  public var states: Tensor<Scalar>
  /// When they end.
  public var times: [Double]
  /// The scores of the steps, ∇ log p(x′ | x) at the ends.
  public var targets: Tensor<Scalar>
  /// The lengths h of the steps.
  public var lengths: [Double]
}

extension DiffusionProcess {
  /// Draws training pairs from short steps of simulated paths, whose score is known where that of long ones is not.
  ///
  /// ```
  /// x′ = x + h f(x, t) + √h g(x, t) z,   ∇ log p(x′ | x) = −(x′ − x − h f)/(h g²) = −z/(√h g)
  /// E[∇ log p(x′ | x) | x′] = ∇ log p(x′)
  /// ```
  ///
  /// So a regression of the targets on (x′, t′) finds the score of the simulation, whose law is that of the process up to
  /// O(h) (denoising score matching, Vincent 2011, for one step's kernel). A target's variance is 1/(h g²), but z and −z
  /// come together, and what does not depend on their difference cancels in their sum.
  /// Each row of data is simulated along `times` up to a step of its own, drawn evenly.
  /// - Throws: as `simulate`, and `ProcessError` unless there are two times or more, and where a drawn step has no diffusion, and
  ///   so no score.
  public func shortSteps<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, along times: [Double], key: RandomKey
  ) throws -> ShortSteps<Scalar> {
    guard times.count >= 2 else {
      throw ProcessError(
        "the number of times of the process \"\(name)\" is \(times.count); expected 2 or more")
    }
    try checkRise(of: times)
    let steps = times.count - 1
    let last = key.folded("steps").uniform([data.rows, 1], of: Double.self).scalars
      .map { min(Int($0 * Double(steps)), steps - 1) }
    var (present, x) = (Array(0..<data.rows), data)
    var (plus, minus, scores) = (data, data, data)
    for k in 0..<steps where !present.isEmpty {
      try Task.checkCancellation()
      let (t, next) = (times[k], times[k + 1])
      let z: Tensor<Scalar> = key.folded(UInt64(k)).normal(x.shape, samples: .explicit(present))
      let ends = present.indices.filter { last[present[$0]] == k }
      if !ends.isEmpty {
        let (from, noise) = (x.rows(ends), z.rows(ends))
        let rows = ends.map { present[$0] }
        plus.setRows(rows, to: try eulerStep(from, from: t, to: next, noise: noise))
        minus.setRows(rows, to: try eulerStep(from, from: t, to: next, noise: -noise))
        let spread = try coefficients(from, at: t).squaredDiffusion.map {
          ((next - t) * $0).squareRoot()
        }
        guard spread.scalars.allSatisfy({ $0 > 0 }) else {
          throw ProcessError(
            "the process \"\(name)\" has no diffusion at t = \(t) in some state; expected g² above 0 wherever scores are learnt"
          )
        }
        let score = Tensor<Double>(noise).zip(with: spread) { -$0 / $1 }
        scores.setRows(rows, to: Tensor<Scalar>(score))
      }
      x = try eulerStep(x, from: t, to: next, noise: z)
      let rest = present.indices.filter { last[present[$0]] > k }
      x = x.rows(rest)
      present = rest.map { present[$0] }
    }
    let ends = last.map { times[$0 + 1] }
    return ShortSteps(
      states: .concatenated([plus, minus]), times: ends + ends,
      targets: .concatenated([scores, -scores]),
      lengths: (last + last).map { times[$0 + 1] - times[$0] })
  }
}
