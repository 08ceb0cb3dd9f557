import Foundation
import ScoreProcesses
import ScoreTensors

/// Samples on the flow from a fine solve, which solvers are fitted on.
///
/// The classical Runge–Kutta method in σ/α, with steps even in log(σ/α) of a tenth or less, keeps states and slopes; in
/// between, y = x/α is Hermite's cubic in log(σ/α). Costs about 5 evaluations a step and sample.
struct FlowPilot<Scalar: TensorScalar> {
  let field: any ScoreField<Scalar>
  let process: any LinearProcess
  /// The evaluations of the field that each sample took.
  private(set) var evaluations = 0
  private let times: [Double]
  private let logRatios: [Double]
  private let states: [Tensor<Scalar>]
  private let noises: [Tensor<Scalar>]

  /// Solves for `count` samples of the prior under a key, from one time to an earlier one.
  init(
    _ field: any ScoreField<Scalar>, count: Int, from start: Double, to end: Double, key: RandomKey
  ) throws {
    self.field = field
    process = field.process
    let process = process
    let (high, low) = (process.logNoiseRatio(at: start), process.logNoiseRatio(at: end))
    guard high.isFinite, low.isFinite, low < high else {
      throw SamplingError(
        "a solver is fitted from t = \(start) to \(end), where log(sigma/alpha) goes from \(high) to \(low); expected finite falling values"
      )
    }
    let steps = max(40, Int(((high - low) / 0.1).rounded(.up)))
    let grid = try TimeGrid.logSNR(of: process, from: start, to: end, steps: steps)
    var context = SolverContext(field: field, key: key)
    let normal: Tensor<Scalar> = key.folded("pilot").normal(
      Shape([count] + field.sampleShape.extents))
    var x = Scalar(process.priorDeviation(at: start)) * normal
    var (states, noises) = ([x], [try context.predictedNoise(x, at: start)])
    let solver = FlowRungeKutta(.rk4, variable: .noise)
    for step in grid.steps {
      x = try solver.step(x, step, in: &context)
      states.append(x)
      noises.append(try context.predictedNoise(x, at: step.next))
    }
    guard x.isFinite else {
      throw SamplingError("the flow that a solver is fitted on does not stay finite")
    }
    times = [start] + grid.steps.map(\.next)
    logRatios = times.map { process.logNoiseRatio(at: $0) }
    evaluations = context.evaluations
    (self.states, self.noises) = (states, noises)
  }

  /// The number of samples.
  var count: Int { states[0].rows }
  /// The states at the start.
  var start: Tensor<Scalar> { states[0] }
  /// The states at the end.
  var end: Tensor<Scalar> { states[states.count - 1] }
  /// log(σ/α) at the start and at the end.
  var ends: (high: Double, low: Double) { (logRatios[0], logRatios[logRatios.count - 1]) }

  /// The states where log(σ/α) has a given value.
  func state(at logRatio: Double) -> Tensor<Scalar> {
    let place = min(
      logRatios.count - 2, max(0, (logRatios.lastIndex { $0 >= logRatio } ?? 0)))
    let h = logRatios[place + 1] - logRatios[place]
    let s = (logRatio - logRatios[place]) / h
    let time = process.time(
      logNoiseRatio: logRatio, between: times[times.count - 1], and: times[0])
    let logAlpha = process.marginal(at: time).logAlpha
    // x = α y and dy = u ε̂ d(log u), so that a slope weighs α u h.
    func factors(_ place: Int) -> (Double, Double) {
      (
        exp(logAlpha - process.marginal(at: times[place]).logAlpha),
        exp(logAlpha + logRatios[place]) * h
      )
    }
    let (from, to) = (factors(place), factors(place + 1))
    let rest = 1 - s
    return states[place].adding(
      [noises[place], states[place + 1], noises[place + 1]],
      [
        rest * rest * s * from.1, s * s * (3 - 2 * s) * to.0, -s * s * rest * to.1,
      ], scale: rest * rest * (1 + 2 * s) * from.0)
  }

  /// How far states are from those at the end: the mean over samples of distance^(3/2), to the power 2/3.
  ///
  /// Few samples, those between two modes, make up most of a mean square, and a search that follows them learns the pilot
  /// rather than the flow.
  func error(of x: Tensor<Scalar>) -> Double {
    let difference = x - end
    let sum = difference.doubleRowDots(difference).reduce(0) { $0 + pow($1, 0.75) }
    return sum.isFinite ? pow(sum / Double(count), 2.0 / 3) : .infinity
  }
}
