import Foundation
import ScoreProcesses
import ScoreTensors

/// A multistep solver fitted to a pilot batch at given knots, with the states and predictions that it goes through.
struct MultistepFit<Scalar: TensorScalar> {
  /// log(σ/α) where the field is evaluated, and at the end.
  let knots: [Double]
  /// The map from the start to the first knot, and those of the steps.
  private(set) var maps: [PrincipalMap] = []
  /// The error at the end; see `FlowPilot.error`.
  private(set) var error = Double.infinity
  private let memory: Int
  // At each knot but the last, in the coordinates of the axes.
  private var states: [Tensor<Double>] = []
  private var noises: [Tensor<Double>] = []

  /// Fits every step in turn; `check` is called before each, and what it throws ends the fit.
  init(
    _ pilot: FlowPilot<Scalar>, axes: PrincipalAxes, knots: [Double], memory: Int,
    check: () throws -> Void
  ) throws {
    self.knots = knots
    self.memory = memory
    try fit(pilot, axes, check)
  }

  private init(_ other: MultistepFit, knots: [Double], from moved: Int) {
    self.knots = knots
    memory = other.memory
    maps = Array(other.maps.prefix(moved))
    states = Array(other.states.prefix(moved))
    noises = Array(other.noises.prefix(moved))
  }

  /// The fit at knots that are others from one on.
  func changed(
    _ pilot: FlowPilot<Scalar>, axes: PrincipalAxes, knots: [Double], from moved: Int,
    check: () throws -> Void
  ) throws -> MultistepFit {
    var fit = MultistepFit(self, knots: knots, from: moved)
    try fit.fit(pilot, axes, check)
    return fit
  }

  private mutating func fit(
    _ pilot: FlowPilot<Scalar>, _ axes: PrincipalAxes, _ check: () throws -> Void
  ) throws {
    for place in maps.count..<knots.count {
      try check()
      let isLast = place + 1 == knots.count
      let target = axes.coordinates(isLast ? pilot.end : pilot.state(at: knots[place]))
      let terms: [Tensor<Double>]
      var start: [Double]
      if place == 0 {
        terms = [axes.coordinates(pilot.start)]
        start = [pilot.marginal(at: knots[0]).sigma / pilot.marginal(at: pilot.ends.high).sigma]
      } else {
        terms = [states[place - 1]] + noises.suffix(memory).reversed()
        let full = ExponentialStep(
          .noise, from: pilot.marginal(at: knots[place - 1]), to: pilot.marginal(at: knots[place]))
        let places = knots[max(0, place - 2)..<place].reversed().map { full.place(of: -$0) }
        start = [full.scale] + full.weights(Array(places.prefix(memory)))
      }
      start += [Double](repeating: 0, count: terms.count - start.count)
      let map = PrincipalMap(
        fitting: terms, to: target, from: start, ridge: 1e-6, isShared: axes.axes == nil)
      maps.append(map)
      let state = map(terms)
      if isLast {
        error = pilot.error(of: axes.states(state))
      } else {
        states.append(state)
        let time = pilot.time(at: knots[place])
        noises.append(
          axes.coordinates(try pilot.field.checkedNoise(axes.states(state), at: .shared(time))))
      }
    }
  }
}
