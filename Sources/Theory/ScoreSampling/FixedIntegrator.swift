/// A Runge–Kutta method with the same steps for every row.
package struct FixedIntegrator: Sendable {
  /// The method.
  package var method: RungeKuttaTableau
  /// The number of steps.
  package var steps: Int

  /// Creates the integrator.
  /// - Throws: `SamplingError` unless steps is 1 to `TimeGrid.mostSteps`.
  package init(_ method: RungeKuttaTableau, steps: Int) throws(SamplingError) {
    try SamplingError.check(steps, "steps", most: TimeGrid.mostSteps)
    self.method = method
    self.steps = steps
  }

  /// Solves from t0 to t1, in either direction, in steps of one length.
  package func integrate<System: RowSystem>(
    _ system: inout System, _ states: [Double], from t0: Double, to t1: Double,
    shouldContinue: ((_ fraction: Double, _ time: Double, _ evaluations: Int) -> Bool)? = nil
  ) throws -> RowSolution {
    let width = system.width
    let count = width == 0 ? 0 : states.count / width
    var y = states
    var (time, evaluations, done) = (t0, 0, 0)
    var isCancelled = false
    if count > 0 { system.select(rows: Array(0..<count)) }
    for step in 0..<steps where count > 0 {
      if Task.isCancelled
        || !(shouldContinue?(Double(step) / Double(steps), time, evaluations) ?? true)
      {
        isCancelled = true
        break
      }
      let end = step + 1 == steps ? t1 : t0 + (t1 - t0) * Double(step + 1) / Double(steps)
      let h = end - time
      var slopes: [[Double]] = []
      for (node, weights) in zip(method.nodes, method.stages) {
        let stage = Self.sum(y, h, weights, slopes)
        let stageTime = node == 1 ? end : time + node * h
        slopes.append(
          try [Double](unsafeUninitializedCapacity: y.count) { out, filled in
            if let out = out.baseAddress {
              try system.rates(
                of: stage, at: [Double](repeating: stageTime, count: count), sharesTime: true,
                withIntegrals: true, into: out)
            }
            filled = y.count
          })
        evaluations += 1
      }
      y = Self.sum(y, h, method.weights, slopes)
      time = end
      done += 1
    }
    let status = (0..<count).map { row -> SolveStatus in
      let isFinite = y[row * width..<(row + 1) * width].allSatisfy(\.isFinite)
      return !isFinite
        ? .nonFinite(time: time) : isCancelled ? .cancelled(time: time) : .finished
    }
    return RowSolution(
      states: y, status: status, evaluations: [Int](repeating: evaluations, count: count),
      steps: [Int](repeating: done, count: count),
      consequences: [Double](repeating: .nan, count: count), outputs: [])
  }

  private static func sum(
    _ y: [Double], _ h: Double, _ weights: [Double], _ slopes: [[Double]]
  ) -> [Double] {
    var y = y
    for (weight, slope) in zip(weights, slopes) where weight != 0 {
      for j in y.indices { y[j] += h * weight * slope[j] }
    }
    return y
  }
}
