import ScoreProcesses
import ScoreTensors

/// Mean and covariance of a sampler's results over infinitely many samples, where every step is affine.
///
/// On a Gaussian field a solver maps its state and each normal number that it draws affinely. The response to each number
/// is read off by running the sampler itself, one sample for each of them set to 1 and the others to 0: so the moments
/// are those of the code that draws samples, to rounding, and no Monte Carlo error hides a mistake.
public struct AffineMoments: Sendable, Equatable {
  /// The mean, one number an entry of a sample.
  public var mean: [Double]
  /// The covariance, row by row.
  public var covariance: [[Double]]
}

extension Sampler where Scalar == Double {
  /// The exact moments of this sampler's results on an affine field.
  ///
  /// Cost: as many samples as one sample draws numbers, the prior's included.
  /// - Throws: `SamplingError` where the sampler is not affine in its random numbers, as with the Langevin corrector
  ///   (whose step depends on the numbers) or a field that is not Gaussian.
  public func affineMoments() throws -> AffineMoments {
    if solver is any FieldFittedSolver { return try fitted().affineMoments() }
    let width = field.sampleShape.count
    var numbers = width
    if solver.usesNoise {
      var counting = self
      counting.trajectoryStride = nil
      numbers = try counting.countNumbers()
    }
    // Sample 0 sees zeros, sample 1 + j number j, and one more ones everywhere, to see whether responses add up.
    let result = try run(numbers + 2, .unit(total: numbers), 0, nil, nil)
    guard result.isFinished else {
      throw SamplingError(
        "the sampler's moments are not defined: a probe ended as \(result.status.first { !$0.isFinished }?.description ?? "")"
      )
    }
    let rows = (0..<numbers + 2).map { result.samples.row($0) }
    let mean = rows[0]
    let responses = rows[1...numbers].map { row in zip(row, mean).map { $0 - $1 } }
    for entry in 0..<width {
      let sum = responses.reduce(mean[entry]) { $0 + $1[entry] }
      let size = responses.reduce(abs(mean[entry])) { $0 + abs($1[entry]) }
      guard abs(sum - rows[numbers + 1][entry]) <= 1e-9 * size else {
        throw SamplingError(
          "the sampler \(solver.spec) is not affine in its random numbers: together they give \(rows[numbers + 1][entry]), their responses add up to \(sum)"
        )
      }
    }
    return AffineMoments(
      mean: mean,
      covariance: (0..<width).map { i in
        (0..<width).map { j in responses.reduce(0) { $0 + $1[i] * $1[j] } }
      })
  }

  private func countNumbers() throws -> Int {
    let noise = NoiseStream(.unit(total: 0), samples: .consecutive(first: 0))
    var context = SolverContext(field: field, noise: noise, monitor: Monitor())
    let x = context.prior(1, at: grid.start)
    let grid = denoising == .mean ? grid.withNoiselessEnd() : grid
    _ = try solver.solve(x, along: grid, in: &context)
    return context.noise.drawn
  }
}
