import ScoreProcesses

// What all solvers say of their stochasticity λ: 1 for the reverse SDE, 0 for the flow.

extension SamplingError {
  /// Refuses a stochasticity below 0, or one that is not finite.
  static func check(stochasticity: Double) throws(SamplingError) {
    guard stochasticity >= 0, stochasticity.isFinite else {
      throw SamplingError("the stochasticity is \(stochasticity); expected 0 or more, finite")
    }
  }
}

extension Spec {
  /// The text of a solver of which it is the only parameter, and 1 where nothing is said.
  init(solver name: String, stochasticity: Double) {
    self.init(
      kind: "solver", name: name,
      parameters: stochasticity == 1 ? [:] : ["stochasticity": Spec.text(stochasticity)])
  }
}
