import ScoreProcesses

/// A system of ordinary differential equations that is solved for many rows at once, each with its own time.
///
/// States are in Double whatever the field computes in: a tolerance means the same for every scalar type, and long sums
/// such as a log density keep their digits.
package protocol RowSystem {
  /// The number of entries of a row.
  var width: Int { get }

  /// The widths of the parts of a row whose errors are held to the tolerance separately; together the width.
  var blocks: [Int] { get }

  /// How many of a row's last entries are integrals along the way, which no rate depends on.
  var integrals: Int { get }

  /// The time in which the solution is smooth, where the rates jump in t.
  var diffusionTime: DiffusionTime? { get }

  /// Takes note of which of the original rows are present from now on, in order.
  mutating func select(rows: [Int])

  /// Writes dy/dt of the rows present, `times.count` of them, into `rates`.
  ///
  /// Rows do not depend on one another. `sharesTime` says that all times are the same by construction. Without
  /// `withIntegrals` the rates of the integrals may be left at 0: methods have stages that only the state needs.
  mutating func rates(
    of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws

  /// What a small error in a row's state at time t comes to in the end, to first order; summed over the steps.
  func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at t: Double
  ) -> Double
}

extension RowSystem {
  package var blocks: [Int] { [width] }
  package var integrals: Int { 0 }
  package var diffusionTime: DiffusionTime? { nil }
  package mutating func select(rows: [Int]) {}
  package func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at t: Double
  ) -> Double { 0 }
}

/// The end of an integration of rows.
package struct RowSolution: Sendable {
  /// The last states, n × width.
  package var states: [Double]
  /// How each row ended.
  package var status: [SolveStatus]
  /// The evaluations of the rates that each row took.
  package var evaluations: [Int]
  /// The steps of each row that were accepted.
  package var steps: [Int]
  /// The sum over each row's steps of the magnitude of the local error's consequence.
  package var consequences: [Double]
  /// The states at the times asked for, each n × width; rows that never came so far keep their last state.
  package var outputs: [[Double]]
}
