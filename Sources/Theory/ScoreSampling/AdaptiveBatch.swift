import Foundation
import ScoreTensors

/// The rows of one adaptive integration on their way.
///
/// Places are the rows present, original rows are what results are kept by. A row that is done takes steps of length 0
/// until the round ends, and is dropped before the next.
final class AdaptiveBatch {
  private let integrator: AdaptiveIntegrator
  private let width: Int
  private let blocks: [Int]
  private let (t0, t1): (Double, Double)
  private let direction: Double

  // By place. The slopes hold one stage each, the last one at the end of the step.
  private var rows: [Int]
  private var times: [Double]
  private var lengths: [Double]
  private var isLive: [Bool]
  private var controllers: [StepController]
  // Where a try last came upon something that is not finite.
  private var breakTimes: [Double]
  private var liveCount: Int
  private let y: UnsafeMutableBufferPointer<Double>
  private let next: UnsafeMutableBufferPointer<Double>
  private let slopes: [UnsafeMutableBufferPointer<Double>]
  private let errors: UnsafeMutableBufferPointer<Double>
  private let crudeErrors: UnsafeMutableBufferPointer<Double>
  private var stageTimes: [Double]

  // By original row.
  private var results: RowSolution
  private var reached: [Double]
  private var dense: DenseOutput

  init(
    _ states: [Double], width: Int, blocks: [Int], from t0: Double, to t1: Double,
    outputs: [Double], integrator: AdaptiveIntegrator
  ) {
    precondition(blocks.reduce(0, +) == width, "blocks \(blocks) do not make up width \(width)")
    precondition(states.count % max(1, width) == 0, "\(states.count) entries in rows of \(width)")
    let count = width == 0 ? 0 : states.count / width
    self.integrator = integrator
    self.width = width
    self.blocks = blocks
    (self.t0, self.t1) = (t0, t1)
    direction = t1 > t0 ? 1 : -1
    rows = Array(0..<count)
    times = [Double](repeating: t0, count: count)
    stageTimes = times
    lengths = [Double](repeating: 0, count: count)
    isLive = [Bool](repeating: true, count: count)
    controllers = [StepController](
      repeating: StepController(errorOrder: integrator.pair.errorOrder), count: count)
    breakTimes = [Double](repeating: .infinity, count: count)
    liveCount = count
    func buffer() -> UnsafeMutableBufferPointer<Double> {
      let buffer = UnsafeMutableBufferPointer<Double>.allocate(capacity: max(1, states.count))
      buffer.initialize(repeating: 0)
      return buffer
    }
    y = buffer()
    next = buffer()
    slopes = integrator.pair.nodes.map { _ in buffer() }
    errors = buffer()
    crudeErrors = buffer()
    for i in 0..<states.count { y[i] = states[i] }
    results = RowSolution(
      states: states, status: [SolveStatus](repeating: .finished, count: count),
      evaluations: [Int](repeating: 0, count: count), steps: [Int](repeating: 0, count: count),
      consequences: [Double](repeating: 0, count: count), outputs: [])
    reached = times
    dense = DenseOutput(
      outputs, direction: direction, rows: count, width: width,
      continuation: integrator.pair.continuation)
  }

  deinit {
    y.deallocate()
    next.deallocate()
    errors.deallocate()
    crudeErrors.deallocate()
    for slope in slopes { slope.deallocate() }
  }

  var isDone: Bool { liveCount == 0 }

  /// What has come of the rows, complete once all are done.
  var solution: RowSolution {
    var solution = results
    solution.outputs = dense.states
    return solution
  }

  // MARK: The start

  /// First slopes, and first step lengths after Hairer, Nørsett & Wanner 1993, II.4: two evaluations.
  func start<System: RowSystem>(_ system: inout System) throws {
    guard !rows.isEmpty else { return }
    system.select(rows: rows)
    try evaluate(&system, y, stage: 0)
    let span = abs(t1 - t0)
    var firstLengths = [Double](repeating: 0, count: rows.count)
    var sizes = firstLengths
    for i in rows.indices {
      let (state, slope) = (row(y, i), row(slopes[0], i))
      if dense.isWaiting(row: i, until: t0) { dense.store(row: i, initial: state, at: t0) }
      let size = norm(state, scaledBy: state, state)
      sizes[i] = norm(slope, scaledBy: state, state)
      guard size.isFinite, sizes[i].isFinite else {
        finish(i, .nonFinite(time: t0))
        continue
      }
      firstLengths[i] = min(span, size < 1e-5 || sizes[i] < 1e-5 ? 1e-6 : 0.01 * size / sizes[i])
      let h = direction * firstLengths[i]
      // Rounded, the whole way could lead past the end, where a field may have no answer.
      stageTimes[i] = firstLengths[i] < span ? t0 + h : t1
      for j in 0..<width { next[i * width + j] = state[j] + h * slope[j] }
    }
    try evaluate(&system, next, stage: 1)
    for i in rows.indices where isLive[i] {
      let (state, slope, second) = (row(y, i), row(slopes[0], i), row(slopes[1], i))
      let change = row(next, i)
      for j in 0..<width { change[j] = second[j] - slope[j] }
      let curvature = norm(change, scaledBy: state, state) / firstLengths[i]
      let greatest = max(sizes[i], curvature)
      let bound =
        greatest <= 1e-15
        ? max(1e-6, 1e-3 * firstLengths[i])
        : pow(0.01 / greatest, 1 / Double(integrator.pair.errorOrder))
      // A second slope that is not finite leaves the first guess; the error control sorts it out.
      let length = curvature.isFinite ? min(100 * firstLengths[i], bound) : firstLengths[i]
      lengths[i] = direction * min(span, length)
    }
  }

  // MARK: A round of steps

  /// One step of every row present, then each row accepts or rejects its own.
  func round<System: RowSystem>(_ system: inout System) throws {
    let pair = integrator.pair
    for i in rows.indices where isLive[i] {
      if results.evaluations[rows[i]] + pair.evaluationsPerStep > integrator.maxEvaluations {
        finish(i, .budgetSpent(time: times[i]))
      } else if abs(lengths[i]) < 10 * max(abs(times[i]), 1e-6 * abs(t1 - t0)).ulp {
        let isNearBreak = abs(times[i] - breakTimes[i]) < 1e-6 * abs(t1 - t0)
        finish(i, isNearBreak ? .nonFinite(time: times[i]) : .stepUnderflow(time: times[i]))
      } else if direction * (times[i] + lengths[i] * (1 + 1e-10) - t1) >= 0 {
        lengths[i] = t1 - times[i]
      }
    }
    guard liveCount > 0 else { return }
    for stage in 1..<pair.nodes.count {
      combine(pair.stages[stage], into: next, base: y)
      let node = pair.nodes[stage]
      for i in rows.indices {
        let full = lengths[i] == t1 - times[i]
        stageTimes[i] = node == 1 && full ? t1 : times[i] + node * lengths[i]
      }
      try evaluate(
        &system, next, stage: stage, withIntegrals: pair.integralStages.contains(stage))
    }
    combine(pair.errors, into: errors, base: nil)
    if !pair.crudeErrors.isEmpty { combine(pair.crudeErrors, into: crudeErrors, base: nil) }
    for i in rows.indices where isLive[i] { judge(i, system) }
  }

  private func judge<System: RowSystem>(_ i: Int, _ system: System) {
    let (state, new, error) = (row(y, i), row(next, i), row(errors, i))
    var size = norm(error, scaledBy: state, new)
    if !integrator.pair.crudeErrors.isEmpty, size > 0 {
      let crude = norm(row(crudeErrors, i), scaledBy: state, new)
      size =
        crude.isFinite
        ? size * size / (size * size + 0.01 * crude * crude).squareRoot() : .infinity
    }
    guard size <= 1 else {
      if !size.isFinite { breakTimes[i] = times[i] }
      lengths[i] *= controllers[i].factorAfterRejecting(size)
      return
    }
    let time = stageTimes[i]
    let original = rows[i]
    if dense.isWaiting(row: original, until: time) {
      dense.store(
        row: original, from: times[i], to: time, from: state, to: new, slopes.map { row($0, i) })
    }
    results.steps[original] += 1
    results.consequences[original] += abs(
      system.consequence(of: error, in: new, rate: row(slopes[slopes.count - 1], i), at: time))
    for j in 0..<width {
      state[j] = new[j]
      slopes[0][i * width + j] = slopes[slopes.count - 1][i * width + j]
    }
    times[i] = time
    reached[original] = time
    if time == t1 {
      finish(i, .finished)
    } else {
      lengths[i] *= controllers[i].factorAfterAccepting(size)
    }
  }

  // MARK: The end

  private func finish(_ i: Int, _ status: SolveStatus) {
    let original = rows[i]
    isLive[i] = false
    liveCount -= 1
    lengths[i] = 0
    results.status[original] = status
    let state = row(y, i)
    for j in 0..<width { results.states[original * width + j] = state[j] }
    dense.fill(row: original, with: state)
  }

  /// Ends all rows where they are.
  func cancel() {
    for i in rows.indices where isLive[i] { finish(i, .cancelled(time: times[i])) }
  }

  /// Tells how far the rows are.
  func report(to shouldContinue: (Double, Double, Int) -> Bool) -> Bool {
    let part = reached.reduce(0) { $0 + ($1 - t0) / (t1 - t0) }
    let live = rows.indices.filter { isLive[$0] }
    let last = live.map { times[$0] }.min { direction * $0 < direction * $1 } ?? t1
    return shouldContinue(
      part / Double(max(1, reached.count)), last, results.evaluations.max() ?? 0)
  }

  /// Drops rows that are done.
  func compact<System: RowSystem>(_ system: inout System) {
    guard liveCount < rows.count, liveCount > 0 else { return }
    let kept = rows.indices.filter { isLive[$0] }
    for (target, source) in kept.enumerated() where target != source {
      for j in 0..<width {
        y[target * width + j] = y[source * width + j]
        slopes[0][target * width + j] = slopes[0][source * width + j]
      }
    }
    rows = kept.map { rows[$0] }
    times = kept.map { times[$0] }
    stageTimes = times
    lengths = kept.map { lengths[$0] }
    isLive = kept.map { isLive[$0] }
    controllers = kept.map { controllers[$0] }
    breakTimes = kept.map { breakTimes[$0] }
    system.select(rows: rows)
  }

  // MARK: Arithmetic

  private func row(
    _ buffer: UnsafeMutableBufferPointer<Double>, _ i: Int
  ) -> UnsafeMutablePointer<Double> {
    // The buffers hold one entry at least, so there is a base.
    buffer.baseAddress.unsafelyUnwrapped + i * width
  }

  private func evaluate<System: RowSystem>(
    _ system: inout System, _ states: UnsafeMutableBufferPointer<Double>, stage: Int,
    withIntegrals: Bool = true
  ) throws {
    try system.rates(
      of: row(states, 0), at: stageTimes, sharesTime: false, withIntegrals: withIntegrals,
      into: row(slopes[stage], 0))
    for i in rows.indices where isLive[i] { results.evaluations[rows[i]] += 1 }
  }

  /// target = base + h Σ weights·slopes, row by row, each with its own h.
  private func combine(
    _ weights: [Double], into target: UnsafeMutableBufferPointer<Double>,
    base: UnsafeMutableBufferPointer<Double>?
  ) {
    let terms = zip(weights, slopes).filter { $0.0 != 0 }
    for i in rows.indices {
      let out = row(target, i)
      let h = lengths[i]
      if let base {
        let state = row(base, i)
        for j in 0..<width { out[j] = state[j] }
      } else {
        for j in 0..<width { out[j] = 0 }
      }
      for (weight, slope) in terms {
        let (factor, slope) = (h * weight, row(slope, i))
        for j in 0..<width { out[j] += factor * slope[j] }
      }
    }
  }

  /// The greatest over the blocks of the root mean square of x/(atol + rtol max(|a|, |b|)).
  private func norm(
    _ x: UnsafeMutablePointer<Double>, scaledBy a: UnsafeMutablePointer<Double>,
    _ b: UnsafeMutablePointer<Double>
  ) -> Double {
    var (greatest, first) = (0.0, 0)
    for block in blocks {
      var sum = 0.0
      for j in first..<first + block {
        let ratio = x[j] / (integrator.atol + integrator.rtol * max(abs(a[j]), abs(b[j])))
        sum += ratio * ratio
      }
      // A maximum would lose what is not a number.
      guard sum.isFinite else { return .infinity }
      greatest = max(greatest, (sum / Double(max(1, block))).squareRoot())
      first += block
    }
    return greatest
  }
}
