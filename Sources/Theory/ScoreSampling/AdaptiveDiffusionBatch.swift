import Foundation
import ScoreProcesses
import ScoreTensors

/// The rows of one adaptive solve of the reverse SDE on their way.
///
/// In each round every row that is left tries one step. Rows that are done leave, so the number of the round is the number
/// of the row's tries, whoever else is there: its random numbers hang on that.
final class AdaptiveDiffusionBatch<Scalar: TensorScalar> {
  /// What is known of a row's Brownian path ahead, in stretches, the nearest last: their lengths, and their changes, one
  /// number an entry.
  private struct Path {
    var lengths: [Double] = []
    var changes: [Double] = []
  }

  private let solver: AdaptiveDiffusion
  private let whole: any ScoreField<Scalar>
  private let process: any LinearProcess
  private let noise: NoiseStream
  private let (start, end): (Double, Double)
  private let width: Int
  private var tries = 0

  // By place among the rows that are left.
  private var field: any ScoreField<Scalar>
  private var rows: [Int]
  private var x: Tensor<Scalar>
  private var lastTried: Tensor<Scalar>
  private var times: [Double]
  // Drift and diffusion at `times`.
  private var rates: [ReverseRates]
  private var lengths: [Double]
  private var ahead: [Path]
  // Where a try last came upon something that is not finite.
  private var breakTimes: [Double]

  // By original row.
  private(set) var result: Tensor<Scalar>
  private(set) var status: [SolveStatus]
  private(set) var evaluations: [Int]
  private var reached: [Double]

  init(
    _ x: Tensor<Scalar>, from start: Double, to end: Double, solver: AdaptiveDiffusion,
    _ context: SolverContext<Scalar>
  ) {
    self.solver = solver
    whole = context.field
    field = whole
    process = context.process
    noise = context.noise
    (self.start, self.end) = (start, end)
    width = x.shape.rowCount
    rows = Array(0..<x.rows)
    self.x = x
    lastTried = x
    times = rows.map { _ in start }
    rates = [ReverseRates](repeating: process.reverseRates(at: start), count: rows.count)
    lengths = rows.map { _ in 0.01 * (start - end) }
    ahead = rows.map { _ in Path() }
    breakTimes = rows.map { _ in .infinity }
    result = x
    status = rows.map { _ in .finished }
    evaluations = rows.map { _ in 0 }
    reached = times
    let broken = zip(rows, x.finiteRows).filter { !$0.1 }.map(\.0)
    for row in broken { status[row] = .nonFinite(time: start) }
    keep(rows.filter { !broken.contains($0) })
  }

  var isDone: Bool { rows.isEmpty }

  /// The part of the way that all rows together have gone.
  var fraction: Double {
    reached.reduce(0) { $0 + (start - $1) } / ((start - end) * Double(max(1, reached.count)))
  }

  /// The time of the row that is last.
  var slowest: Double { times.max() ?? end }

  /// Ends all rows where they are.
  func cancel() {
    for place in rows.indices { finish(place, .cancelled(time: times[place])) }
    keep([])
  }

  /// One try of every row that is left.
  func round() throws {
    dropRowsThatCannotGoOn()
    guard !rows.isEmpty else { return }
    let changes = drawChanges()
    tries += 1
    // What rounding leaves of the way is no step of its own.
    let least = 1e-12 * (start - end)
    let ends = zip(times, lengths).map { t, h in t - h - end <= least ? end : t - h }
    let endRates = ends.map { process.reverseRates(at: $0) }
    let path = Tensor<Scalar>(rows: changes, stride: width, shape: x.shape)
    let first = try field.checkedNoise(x, at: .perSample(times))
    let tried = stepped(x, first, rates, path)
    let second = try field.checkedNoise(tried, at: .perSample(ends))
    // Heun's step from both slopes, on the same noise.
    let again = stepped(x, second, endRates, path, driftOf: tried)
    judge(tried, Tensor.combined(0.5, tried, 0.5, again), changes, ends, endRates)
  }

  private func dropRowsThatCannotGoOn() {
    var kept: [Int] = []
    for place in rows.indices {
      lengths[place] = min(lengths[place], times[place] - end, longestStep(rates[place]))
      if evaluations[rows[place]] + 2 > solver.maxEvaluations {
        finish(place, .budgetSpent(time: times[place]))
      } else if lengths[place] < 10 * times[place].ulp {
        let isNearBreak = abs(times[place] - breakTimes[place]) < 1e-6 * (start - end)
        finish(
          place,
          isNearBreak ? .nonFinite(time: times[place]) : .stepUnderflow(time: times[place]))
      } else {
        kept.append(place)
      }
    }
    keep(kept)
  }

  /// ½ σ²/g²: longer steps are taken where x′ and x″ agree by chance, and then the sample is off by as much as the noise.
  private func longestStep(_ rates: ReverseRates) -> Double {
    // The rates have g²/σ and g.
    let ratio = rates.diffusion / rates.noiseGain
    return 0.5 * ratio * ratio
  }

  /// The path's change over each row's step, from what is known ahead or drawn; may shorten steps.
  private func drawChanges() -> [Double] {
    var stream = NoiseStream(noise.source, samples: noise.samples.rows(rows))
    let step = TimeStep(index: tries, time: start, next: end)
    let z: Tensor<Scalar> = stream.next(x.shape, in: step)
    var changes = z.doubles
    for place in rows.indices {
      let entries = place * width..<(place + 1) * width
      guard let length = ahead[place].lengths.last else {
        let root = lengths[place].squareRoot()
        for entry in entries { changes[entry] *= root }
        continue
      }
      let known = ahead[place].changes.count - width
      if length <= lengths[place] * (1 + 1e-9) {
        lengths[place] = length
        for (offset, entry) in entries.enumerated() {
          changes[entry] = ahead[place].changes[known + offset]
        }
        ahead[place].lengths.removeLast()
        ahead[place].changes.removeLast(width)
        continue
      }
      let part = lengths[place] / length
      let deviation = (part * (1 - part) * length).squareRoot()
      for (offset, entry) in entries.enumerated() {
        let whole = ahead[place].changes[known + offset]
        changes[entry] = part * whole + deviation * changes[entry]
        ahead[place].changes[known + offset] = whole - changes[entry]
      }
      ahead[place].lengths[ahead[place].lengths.count - 1] = length - lengths[place]
    }
    return changes
  }

  /// x − h (f y + (g²/σ) ε̂) + g W with given rates.
  private func stepped(
    _ x: Tensor<Scalar>, _ noise: Tensor<Scalar>, _ rates: [ReverseRates], _ path: Tensor<Scalar>,
    driftOf y: Tensor<Scalar>? = nil
  ) -> Tensor<Scalar> {
    // In Double first: numbers of the scalar's own type are slow to make one by one.
    let gains = [Scalar](rounding: rates.indices.map { -lengths[$0] * rates[$0].noiseGain })
    let diffusions = [Scalar](rounding: rates.map(\.diffusion))
    let drifts = rates.indices.map { -lengths[$0] * rates[$0].drift }
    guard let y else {
      return .combinedRows(
        [Scalar](rounding: drifts.map { 1 + $0 }), x, gains, noise, diffusions, path)
    }
    return x
      + Tensor.combinedRows([Scalar](rounding: drifts), y, gains, noise, diffusions, path)
  }

  private func judge(
    _ tried: Tensor<Scalar>, _ better: Tensor<Scalar>, _ changes: [Double], _ ends: [Double],
    _ endRates: [ReverseRates]
  ) {
    let (low, high, last) = (tried.doubles, better.doubles, lastTried.doubles)
    var accepted: [Int] = []
    for place in rows.indices {
      var sum = 0.0
      for j in place * width..<(place + 1) * width {
        let scale = max(solver.atol, solver.rtol * max(abs(low[j]), abs(last[j])))
        let ratio = (low[j] - high[j]) / scale
        sum += ratio * ratio
      }
      let error = (sum / Double(max(1, width))).squareRoot()
      evaluations[rows[place]] += 2
      let factor = error.isFinite ? 0.9 * pow(max(error, 1e-10), -0.9) : 0.2
      if error <= 1 {
        accepted.append(place)
        times[place] = ends[place]
        rates[place] = endRates[place]
        reached[rows[place]] = ends[place]
      } else {
        if !error.isFinite { breakTimes[place] = times[place] }
        ahead[place].lengths.append(lengths[place])
        ahead[place].changes.append(contentsOf: changes[place * width..<(place + 1) * width])
      }
      // In few dimensions an error is small by chance now and then: steps that grew by it at once would mostly be refused.
      lengths[place] *= min(1.5, max(0.1, error <= 1 ? factor : min(factor, 0.9)))
    }
    x.setRows(accepted, to: better.rows(accepted))
    lastTried.setRows(accepted, to: tried.rows(accepted))
    let done = accepted.filter { times[$0] == end }
    for place in done { finish(place, .finished) }
    if !done.isEmpty { keep(rows.indices.filter { times[$0] != end }) }
  }

  private func finish(_ place: Int, _ end: SolveStatus) {
    status[rows[place]] = end
    result.setRows([rows[place]], to: x.rows([place]))
  }

  private func keep(_ places: [Int]) {
    guard places.count < rows.count else { return }
    x = x.rows(places)
    lastTried = lastTried.rows(places)
    times = places.map { times[$0] }
    rates = places.map { rates[$0] }
    lengths = places.map { lengths[$0] }
    ahead = places.map { ahead[$0] }
    breakTimes = places.map { breakTimes[$0] }
    rows = places.map { rows[$0] }
    field = whole.rows(rows)
  }
}
