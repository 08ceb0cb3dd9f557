import Foundation
import ScoreProcesses
import ScoreTensors

/// A multistep solver fitted to a pilot batch on one grid, with the states and predictions that it goes through.
struct MultistepFit<Scalar: TensorScalar> {
  let grid: TimeGrid
  private(set) var weights: [[Double]] = []
  /// The error at the end; see `FlowPilot.error`.
  private(set) var error = Double.infinity
  private let memory: Int
  // Before each step.
  private var states: [Tensor<Scalar>]
  private var noises: [Tensor<Scalar>] = []

  /// Fits every step in turn.
  init(_ pilot: FlowPilot<Scalar>, grid: TimeGrid, knots: [Double], memory: Int) throws {
    self.grid = grid
    self.memory = memory
    states = [pilot.start]
    try fit(pilot, knots)
  }

  private init(_ other: MultistepFit, grid: TimeGrid, from step: Int) {
    self.grid = grid
    memory = other.memory
    weights = Array(other.weights.prefix(step))
    states = Array(other.states.prefix(step + 1))
    noises = Array(other.noises.prefix(step + 1))
  }

  /// The fit on a grid that is another from the end of a step on.
  func changed(
    _ pilot: FlowPilot<Scalar>, grid: TimeGrid, knots: [Double], from step: Int
  ) throws -> MultistepFit {
    var fit = MultistepFit(self, grid: grid, from: step)
    try fit.fit(pilot, knots)
    return fit
  }

  private mutating func fit(_ pilot: FlowPilot<Scalar>, _ knots: [Double]) throws {
    for (index, step) in grid.steps.enumerated().dropFirst(weights.count) {
      let x = states[index]
      if noises.count == index {
        noises.append(try pilot.field.noise(x, at: .shared(step.time)))
      }
      let used = Array(noises.suffix(memory).reversed())
      let (from, to) = (
        pilot.process.marginal(at: step.time), pilot.process.marginal(at: step.next)
      )
      let full = ExponentialStep(.noise, from: from, to: to)
      let standard = full.weights(
        knots[max(0, index - 1)...index].reversed().map { full.place(of: -$0) })
      let start = standard + [Double](repeating: 0, count: max(0, used.count - standard.count))
      let reached = x.adding(used, start, scale: full.scale)
      let isLast = index + 1 == grid.steps.count
      let target = isLast ? pilot.end : pilot.state(at: knots[index + 1])
      let change = Self.leastSquares(used, target - reached)
      let row = zip(start, change).map { $0 + $1 }
      weights.append(row)
      let next = x.adding(used, row, scale: full.scale)
      if isLast { error = pilot.error(of: next) } else { states.append(next) }
    }
  }

  /// The c that minimise ‖Σ cⱼ yⱼ − r‖² + 10⁻⁴ (mean ‖y‖²) ‖c‖².
  private static func leastSquares(_ terms: [Tensor<Scalar>], _ rest: Tensor<Scalar>) -> [Double] {
    let count = terms.count
    var gram = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    for i in 0..<count {
      for j in 0...i {
        let product = terms[i].doubleRowDots(terms[j]).reduce(0, +)
        (gram[i][j], gram[j][i]) = (product, product)
      }
    }
    var right = terms.map { $0.doubleRowDots(rest).reduce(0, +) }
    let ridge = 1e-4 * (0..<count).reduce(0) { $0 + gram[$1][$1] } / Double(count)
    guard ridge > 0, ridge.isFinite, right.allSatisfy(\.isFinite) else {
      return [Double](repeating: 0, count: count)
    }
    for i in 0..<count { gram[i][i] += ridge }
    // The matrix is positive definite: elimination needs no pivots.
    for k in 0..<count {
      for i in k + 1..<max(count, k + 1) {
        let factor = gram[i][k] / gram[k][k]
        for j in k..<count { gram[i][j] -= factor * gram[k][j] }
        right[i] -= factor * right[k]
      }
    }
    for k in (0..<count).reversed() {
      for j in k + 1..<max(count, k + 1) { right[k] -= gram[k][j] * right[j] }
      right[k] /= gram[k][k]
    }
    return right
  }
}
