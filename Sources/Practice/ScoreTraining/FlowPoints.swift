import ScoreModels
import ScoreProcesses
import ScoreTensors

/// States on a probability flow and where the flow comes from: what a consistency function is learnt from.
///
/// ```
/// ((x_t, t), x_ε/α_ε)   of solutions x_t of the flow
/// ```
public struct FlowPoints<Scalar: TensorScalar>: Sendable {
  /// The states x_t, `[n, …]`.
  public let states: Tensor<Scalar>
  /// The time of each.
  public let times: [Double]
  /// The end of the flow through each, over α_ε: `[n, …]`.
  public let origins: Tensor<Scalar>
  /// The class whose flow each is on, nil for that of all classes together; nil for models without classes.
  public let labels: [Int?]?

  /// - Throws: `TrainingError` where there are none, numbers or shapes differ, or an entry is not finite.
  public init(
    states: Tensor<Scalar>, times: [Double], origins: Tensor<Scalar>, labels: [Int?]? = nil
  ) throws(TrainingError) {
    guard states.shape.rank >= 2, states.count > 0, states.shape == origins.shape,
      times.count == states.rows, labels.map({ $0.count == states.rows }) ?? true
    else {
      let classes = labels.map { ", with \($0.count) labels" } ?? ""
      throw TrainingError(
        "the points of a flow have states of shape \(states.shape) at \(times.count) times and origins of shape \(origins.shape)\(classes); expected [n, …] of both, n of the rest"
      )
    }
    guard states.isFinite, origins.isFinite, times.allSatisfy(\.isFinite) else {
      throw TrainingError("the points of a flow hold numbers that are not finite")
    }
    self.states = states
    self.times = times
    self.origins = origins
    self.labels = labels
  }

  /// Points of trajectories, as samplers of the flow keep them: the last states are at ε, and all before them are points.
  /// - Parameters:
  ///   - trajectory: the states `[n, …]` of the same samples at falling times, two times or more.
  ///   - labels: the class of each sample.
  /// - Throws: `TrainingError` as the other, and where there are fewer than two times or they do not fall.
  public init(
    along trajectory: [(time: Double, x: Tensor<Scalar>)], of process: any LinearProcess,
    labels: [Int?]? = nil
  ) throws(TrainingError) {
    guard let last = trajectory.last, trajectory.count > 1 else {
      throw TrainingError(
        "a trajectory has \(trajectory.count) times; expected two or more, of which the last is its end"
      )
    }
    for (point, next) in zip(trajectory, trajectory.dropFirst()) where !(next.time < point.time) {
      throw TrainingError(
        "a trajectory goes from t = \(point.time) to \(next.time); expected falling times, from noise to data"
      )
    }
    let points = trajectory.dropLast()
    guard let other = points.first(where: { $0.x.shape != last.x.shape }) else {
      let origins = Scalar(1 / process.marginal(at: last.time).alpha) * last.x
      try self.init(
        states: .concatenated(points.map(\.x)),
        times: points.flatMap { [Double](repeating: $0.time, count: $0.x.rows) },
        origins: .concatenated(points.map { _ in origins }),
        labels: labels.map { labels in points.flatMap { _ in labels } })
      return
    }
    throw TrainingError(
      "a trajectory has states of shape \(other.x.shape) at \(other.time) and \(last.x.shape) at its end; expected one shape"
    )
  }

  /// - Throws: `TrainingError` where a model takes other samples, classes or times, or covariates.
  func check(for model: ModelConfiguration, of process: any LinearProcess) throws(TrainingError) {
    guard states.shape.row == model.sampleShape else {
      throw TrainingError(
        "the points of a flow have shape \(states.shape.row); the model takes \(model.sampleShape)")
    }
    if let time = times.first(where: { !($0 > 0 && $0 <= process.endTime) }) {
      throw TrainingError(
        "a point of a flow is at t = \(time); expected a time above 0, and at most \(process.endTime)"
      )
    }
    if let label = labels?.lazy.compactMap({ $0 }).first(where: {
      !(0..<model.classes).contains($0)
    }) {
      throw TrainingError(
        "a point of a flow is of class \(label), and the model has \(model.classes) classes; expected one of these"
      )
    }
    guard model.covariates == 0 else {
      throw TrainingError(
        "the model has \(model.covariates) covariates, which points of a flow do not; expected a model without"
      )
    }
  }
}
