import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// Any step solver made to keep known entries: imputation by replacement (Song et al. 2021, appendix I.2).
///
/// ```
/// known entries at t:  α(t) x_known + σ(t) z,   z drawn anew at each step
/// ```
///
/// The state that the solver steps from has its known entries at the noise of that time, at T too, never clean ones; the
/// last step, which adds no noise, puts in the known entries themselves, as Tweedie's denoising does after it. With
/// `denoising: .none` the result's known entries have the noise of the grid's end. Replacement is approximate: known entries steer the others through the score alone and
/// late, as they say little under noise. Correctors before each step, as `PredictorCorrector` makes them, let the others
/// catch up.
public struct Inpainting: StepSolver {
  /// The solver of the steps.
  public let solver: any StepSolver
  /// Whether each entry of a sample is known.
  public let mask: [Bool]
  private let known: Tensor<Double>

  /// Creates the solver.
  /// - Parameters:
  ///   - known: the known samples: one for all, `[1, …]`, or sample i's in row i, to the last one that is drawn; entries that
  ///     are not known do not count.
  ///   - mask: true for each known entry of a sample, in the order of the entries.
  /// - Throws: `SamplingError` unless there is a known sample, one flag for each of its entries, and every known entry is a
  ///   finite number.
  public init<Scalar: TensorScalar>(
    _ solver: any StepSolver, known: Tensor<Scalar>, mask: [Bool]
  ) throws(SamplingError) {
    guard known.shape.rank > 1, known.rows >= 1, known.shape.rowCount == mask.count else {
      throw SamplingError(
        "the known samples have shape \(known.shape) and the mask \(mask.count) entries; expected [n, …] with one flag an entry"
      )
    }
    self.solver = solver
    self.known = Tensor<Double>(known)
    self.mask = mask
    let entries = self.known.scalars
    let broken = entries.indices.first { mask[$0 % mask.count] && !entries[$0].isFinite }
    if let broken {
      throw SamplingError(
        "entry \(broken % mask.count) of known sample \(broken / mask.count) is \(entries[broken]); expected a finite number"
      )
    }
  }

  /// The inner solver's; the known samples are no part of the text.
  public var spec: Spec { solver.spec }
  public var order: Int { solver.order }
  public var usesNoise: Bool { true }
  public var evaluationsPerStep: Int { solver.evaluationsPerStep }

  public func suitedSchedule(for process: any LinearProcess) -> GridSchedule {
    solver.suitedSchedule(for: process)
  }

  public func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> {
    guard x.shape.rowCount == mask.count else {
      throw SamplingError(
        "the state has \(x.shape.rowCount) entries a sample; expected \(mask.count), as the mask")
    }
    let samples = context.samples
    if known.rows > 1,
      let other = (0..<x.rows).first(where: { !(0..<known.rows).contains(samples[$0]) })
    {
      throw SamplingError(
        "there are known entries of \(known.rows) samples, but sample \(samples[other]) is drawn; expected those of one sample for all, or of each"
      )
    }
    let from = replaced(x, at: step.time, step, &context)
    let next = try solver.step(from, step, in: &context)
    if step.isNoiseless { return replaced(next, at: nil, step, &context) }
    let isLast = step.index + 1 == context.stepCount
    // The reference grid ends a little before 0.
    return isLast ? replaced(next, at: max(0, step.next), step, &context) : next
  }

  public func completed<Scalar: TensorScalar>(
    _ denoised: Tensor<Scalar>, samples: SampleIndices
  ) -> Tensor<Scalar> {
    let inner = solver.completed(denoised, samples: samples)
    return replaced(inner, by: nil, noise: inner, samples)
  }

  // x with its known entries at the noise of t, or clean where t is nil.
  private func replaced<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Double?, _ step: TimeStep, _ context: inout SolverContext<Scalar>
  ) -> Tensor<Scalar> {
    let kernel = t.map { context.process.marginal(at: $0) }
    let noise = t == nil ? x : context.normal(like: x, in: step)
    return replaced(x, by: kernel, noise: noise, context.samples)
  }

  private func replaced<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, by kernel: Marginal?, noise: Tensor<Scalar>, _ samples: SampleIndices
  ) -> Tensor<Scalar> {
    let (alpha, sigma) = (kernel?.alpha ?? 1, kernel?.sigma ?? 0)
    let width = mask.count
    var result = x
    result.withUnsafeMutableBuffer { out in
      noise.withUnsafeBuffer { noise in
        known.withUnsafeBuffer { known in
          for row in 0..<x.rows {
            let source = self.known.rows == 1 ? 0 : samples[row]
            for j in 0..<width where mask[j] {
              let place = row * width + j
              let value = alpha * known[source * width + j]
              out[place] = Scalar(kernel == nil ? value : value + sigma * Double(noise[place]))
            }
          }
        }
      }
    }
    return result
  }
}
