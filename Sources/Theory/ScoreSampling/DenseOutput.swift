/// States at given times, by interpolation between the steps of a Runge–Kutta pair.
struct DenseOutput {
  /// The states at each of the times, rows × width.
  private(set) var states: [[Double]]
  private let times: [Double]
  private let direction: Double
  private let width: Int
  private let continuation: [Double]
  private var waiting: [Int]

  init(
    _ times: [Double], direction: Double, rows: Int, width: Int, continuation: [Double]
  ) {
    self.continuation = continuation
    self.times = times
    self.direction = direction
    self.width = width
    states = times.map { _ in [Double](repeating: 0, count: rows * width) }
    waiting = [Int](repeating: 0, count: rows)
  }

  /// Whether the row still wants a state at a time up to `time`.
  func isWaiting(row: Int, until time: Double) -> Bool {
    waiting[row] < times.count && direction * (times[waiting[row]] - time) <= 0
  }

  /// Keeps the initial state for the times that are not past the start.
  mutating func store(row: Int, initial state: UnsafePointer<Double>, at time: Double) {
    while isWaiting(row: row, until: time) { keep(row, state) }
  }

  /// Keeps the states inside one step from y0 to y1, with its slopes, the last of them at the end.
  ///
  /// ```
  /// y(θ) = y0 + θ (Δ + (1 − θ) (b + θ (Δ − h k′ − b + (1 − θ) h Σ d k))),   Δ = y1 − y0,  b = h k − Δ
  /// ```
  ///
  /// Without d this is Hermite's cubic.
  mutating func store(
    row: Int, from t0: Double, to t1: Double, from y0: UnsafePointer<Double>,
    to y1: UnsafePointer<Double>, _ slopes: [UnsafeMutablePointer<Double>]
  ) {
    let h = t1 - t0
    var state = [Double](repeating: 0, count: width)
    while isWaiting(row: row, until: t1) {
      let time = times[waiting[row]]
      let theta = (time - t0) / h
      for j in 0..<width {
        let change = y1[j] - y0[j]
        let bend = h * slopes[0][j] - change
        var last = 0.0
        for (weight, slope) in zip(continuation, slopes) where weight != 0 {
          last += weight * slope[j]
        }
        let inner = change - h * slopes[slopes.count - 1][j] - bend + (1 - theta) * h * last
        state[j] =
          time == t1 ? y1[j] : y0[j] + theta * (change + (1 - theta) * (bend + theta * inner))
      }
      keep(row, state)
    }
  }

  /// Fills the times that the row will not reach.
  mutating func fill(row: Int, with state: UnsafePointer<Double>) {
    while waiting[row] < times.count { keep(row, state) }
  }

  private mutating func keep(_ row: Int, _ state: UnsafePointer<Double>) {
    let place = waiting[row]
    for j in 0..<width { states[place][row * width + j] = state[j] }
    waiting[row] += 1
  }
}
