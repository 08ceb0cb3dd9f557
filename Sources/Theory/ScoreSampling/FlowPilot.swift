import Foundation
import ScoreProcesses
import ScoreTensors

/// Samples on the flow from a fine solve, which solvers are fitted on.
///
/// The classical Runge–Kutta method in σ/α, with steps even in log(σ/α) of a tenth or less, keeps states and slopes; in
/// between, y = x/α is Hermite's cubic in log(σ/α). Costs 4 evaluations a step and sample.
struct FlowPilot<Scalar: TensorScalar> {
  /// The field of the pilot's samples.
  private(set) var field: any ScoreField<Scalar>
  let process: any LinearProcess
  /// The number of samples.
  private(set) var count: Int
  private let times: [Double]
  private let logRatios: [Double]
  private let states: [Tensor<Scalar>]
  private let noises: [Tensor<Scalar>]

  /// Solves for `count` samples of the prior under a key, from one time to an earlier one.
  ///
  /// `check` is told the part of the solve that is done before each step, and what it throws ends the solve.
  init(
    _ field: any ScoreField<Scalar>, count: Int, from start: Double, to end: Double, key: RandomKey,
    check: (_ done: Double) throws -> Void
  ) throws {
    let field = field.cycled(to: count)
    self.field = field
    self.count = count
    process = field.process
    let process = process
    let (high, low) = (process.logNoiseRatio(at: start), process.logNoiseRatio(at: end))
    guard low < high, let steps = Self.steps(from: high, to: low) else {
      throw SamplingError(
        "a solver is fitted from t = \(start) to \(end), where log(sigma/alpha) goes from \(high) to \(low); expected finite falling values, and \(Int(Self.mostSpan)) between them at most"
      )
    }
    // States and predictions are kept.
    try SamplingError.checkSamples(
      count, of: field.sampleShape, Scalar.self, states: 2 * steps + 1)
    let grid = try TimeGrid.logSNR(of: process, from: start, to: end, steps: steps)
    let normal: Tensor<Scalar> = key.folded("pilot").normal(
      Shape([count] + field.sampleShape.extents))
    var x = Scalar(process.priorDeviation(at: start)) * normal
    var (states, noises) = ([x], [try field.checkedNoise(x, at: .shared(start))])
    for step in grid.steps {
      try check(Double(step.index) / Double(steps))
      x = try Self.advanced(x, noises[noises.count - 1], step, field)
      states.append(x)
      noises.append(try field.checkedNoise(x, at: .shared(step.next)))
    }
    guard x.isFinite else {
      throw SamplingError(
        "the flow that a solver is fitted on does not stay finite", isNumerical: true)
    }
    times = [start] + grid.steps.map(\.next)
    logRatios = times.map { process.logNoiseRatio(at: $0) }
    (self.states, self.noises) = (states, noises)
  }

  /// How far apart the ends may be in log(σ/α): a float's least and greatest are 177 apart.
  private static var mostSpan: Double { 2000 }

  /// The steps of a solve; nil where its ends are not finite, or too far apart.
  private static func steps(from high: Double, to low: Double) -> Int? {
    let span = high - low
    return span <= mostSpan ? max(40, Int((span / 0.1).rounded(.up))) : nil
  }

  /// The evaluations that the solve costs each sample; 0 where there is none.
  static func evaluations(
    of process: any LinearProcess, from start: Double, to end: Double
  ) -> Double {
    let (high, low) = (process.logNoiseRatio(at: start), process.logNoiseRatio(at: end))
    return steps(from: high, to: low).map { Double(4 * $0 + 1) } ?? 0
  }

  /// The pilot of the first samples alone.
  func first(_ count: Int) -> FlowPilot {
    var pilot = self
    pilot.count = min(count, self.count)
    pilot.field = field.rows(0..<pilot.count)
    return pilot
  }

  /// One step of the method in u = σ/α, from a state and the prediction there.
  private static func advanced(
    _ x: Tensor<Scalar>, _ first: Tensor<Scalar>, _ step: TimeStep, _ field: any ScoreField<Scalar>
  ) throws -> Tensor<Scalar> {
    let process = field.process
    let (from, to) = (process.marginal(at: step.time), process.marginal(at: step.next))
    let (u, next) = (exp(-from.halfLogSNR), exp(-to.halfLogSNR))
    let middle = process.time(
      logNoiseRatio: log(0.5 * (u + next)), between: step.next, and: step.time)
    func state(
      _ slopes: [Tensor<Scalar>], _ weights: [Double], at marginal: Marginal
    ) -> Tensor<Scalar> {
      x.adding(
        slopes, weights.map { marginal.alpha * (next - u) * $0 },
        scale: exp(marginal.logAlpha - from.logAlpha))
    }
    let half = process.marginal(at: middle)
    let second = try field.checkedNoise(state([first], [0.5], at: half), at: .shared(middle))
    let third = try field.checkedNoise(state([second], [0.5], at: half), at: .shared(middle))
    let fourth = try field.checkedNoise(state([third], [1], at: to), at: .shared(step.next))
    return state([first, second, third, fourth], [1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6], at: to)
  }

  /// The states at the start.
  var start: Tensor<Scalar> { used(states[0]) }
  /// The states at the end.
  var end: Tensor<Scalar> { used(states[states.count - 1]) }
  /// The root mean square distance of the states at the end from their mean.
  var spread: Double {
    let end = Tensor<Double>(end).reshaped([count, field.sampleShape.count])
    let ones = Tensor<Double>([count, 1], repeating: 1)
    let sum = ones.matmul(end, transposeSelf: true)
    let centred = end - ones.matmul(1 / Double(count) * sum)
    return (centred.rowDots(centred).reduce(0, +) / Double(count)).squareRoot()
  }
  /// log(σ/α) at the start and at the end.
  var ends: (high: Double, low: Double) { (logRatios[0], logRatios[logRatios.count - 1]) }

  /// The time at which log(σ/α) has a given value.
  func time(at logRatio: Double) -> Double {
    process.time(logNoiseRatio: logRatio, between: times[times.count - 1], and: times[0])
  }

  /// The process's functions where log(σ/α) has a given value.
  func marginal(at logRatio: Double) -> Marginal { process.marginal(at: time(at: logRatio)) }

  /// The states where log(σ/α) has a given value.
  func state(at logRatio: Double) -> Tensor<Scalar> {
    let place = min(
      logRatios.count - 2, max(0, (logRatios.lastIndex { $0 >= logRatio } ?? 0)))
    let h = logRatios[place + 1] - logRatios[place]
    let s = (logRatio - logRatios[place]) / h
    let logAlpha = marginal(at: logRatio).logAlpha
    // x = α y and dy = u ε̂ d(log u), so that a slope weighs α u h.
    func factors(_ place: Int) -> (Double, Double) {
      (
        exp(logAlpha - process.marginal(at: times[place]).logAlpha),
        exp(logAlpha + logRatios[place]) * h
      )
    }
    let (from, to) = (factors(place), factors(place + 1))
    let rest = 1 - s
    return used(states[place]).adding(
      [used(noises[place]), used(states[place + 1]), used(noises[place + 1])],
      [
        rest * rest * s * from.1, s * s * (3 - 2 * s) * to.0, -s * s * rest * to.1,
      ], scale: rest * rest * (1 + 2 * s) * from.0)
  }

  private func used(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    count < x.rows ? x.rows(0..<count) : x
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
