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
  public func simulate<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, along times: [Double], key: RandomKey,
    samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    var x = x
    for (k, (t, next)) in zip(times, times.dropFirst()).enumerated() {
      let z: Tensor<Scalar> = key.folded(UInt64(k)).normal(x.shape, samples: samples)
      x = eulerStep(x, at: t, length: next - t, noise: z)
    }
    return x
  }

  /// One step of Euler–Maruyama from t by h with given standard normal numbers.
  func eulerStep<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Double, length h: Double, noise z: Tensor<Scalar>
  ) -> Tensor<Scalar> {
    precondition(h > 0, "a step of length \(h) at t = \(t)")
    let kick = spread(x, at: t, length: h).zip(with: Tensor<Double>(z)) { $0 * $1 }
    let f = Tensor<Double>(drift(x, at: .shared(t)))
    return Tensor<Scalar>(.combined(1, Tensor<Double>(x), h, f, 1, kick))
  }

  /// √h g(x, t), in Double whatever the state.
  private func spread<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Double, length h: Double
  ) -> Tensor<Double> {
    Tensor<Double>(squaredDiffusion(x, at: .shared(t))).map { (h * $0).squareRoot() }
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
  /// - Throws: `ProcessError` where a drawn step has no diffusion, and so no score.
  public func shortSteps<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, along times: [Double], key: RandomKey
  ) throws(ProcessError) -> ShortSteps<Scalar> {
    precondition(times.count >= 2, "\(times.count) times; expected 2 or more")
    let steps = times.count - 1
    let last = key.folded("steps").uniform([data.rows, 1], of: Double.self).scalars
      .map { min(Int($0 * Double(steps)), steps - 1) }
    var (present, x) = (Array(0..<data.rows), data)
    var (plus, minus, scores) = (data, data, data)
    for k in 0..<steps where !present.isEmpty {
      let (t, h) = (times[k], times[k + 1] - times[k])
      let z: Tensor<Scalar> = key.folded(UInt64(k)).normal(x.shape, samples: .explicit(present))
      let ends = present.indices.filter { last[present[$0]] == k }
      if !ends.isEmpty {
        let (from, noise) = (x.rows(ends), z.rows(ends))
        let rows = ends.map { present[$0] }
        plus.setRows(rows, to: eulerStep(from, at: t, length: h, noise: noise))
        minus.setRows(rows, to: eulerStep(from, at: t, length: h, noise: -noise))
        let spread = spread(from, at: t, length: h)
        guard spread.scalars.allSatisfy({ $0 > 0 }) else {
          throw ProcessError(
            "the process \"\(name)\" has no diffusion at t = \(t) in some state; expected g² above 0 wherever scores are learnt"
          )
        }
        let score = Tensor<Double>(noise).zip(with: spread) { -$0 / $1 }
        scores.setRows(rows, to: Tensor<Scalar>(score))
      }
      x = eulerStep(x, at: t, length: h, noise: z)
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
