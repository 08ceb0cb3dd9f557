import Foundation
import ScoreTensors

/// A process of any drift and diffusion, which may depend on the state; it has no kernel in closed form.
///
/// ```
/// dx = f(x, t) dt + g(x, t) dw
/// ```
///
/// ```swift
/// let well = try GeneralProcess(
///   name: "well", drift: { x, t in x.map { $0 - $0 * $0 * $0 } }, diffusion: { t in 1 })
/// ```
///
/// Functions take one sample in Double; one that gives another number of entries is an error where it is used. g acts on each entry. The law at T should be near the prior N(0, s² I), as where
/// the process comes to rest there. It is simulated by `simulate`, its score is learnt from short steps of the
/// simulation, see `shortSteps`, and `GeneralSampler` runs it back.
public struct GeneralProcess: DiffusionProcess {
  public let name: String
  public let endTime: Double
  public let cutoffs: Cutoffs
  public let priorDeviation: Double
  private let drift: @Sendable ([Double], Double) -> [Double]
  private let squared: @Sendable ([Double], Double) -> [Double]
  private let dependsOnState: Bool

  /// Creates a process from f(x, t) and g(t).
  /// - Throws: `ProcessError` unless T, the cutoffs and the prior's deviation are positive, the cutoffs below T.
  public init(
    name: String, drift: @escaping @Sendable ([Double], Double) -> [Double],
    diffusion: @escaping @Sendable (Double) -> Double, endTime: Double = 1, cutoffs: Cutoffs? = nil,
    priorDeviation: Double = 1
  ) throws(ProcessError) {
    try self.init(
      name: name, drift: drift,
      squared: { x, t in
        let g = diffusion(t)
        return [Double](repeating: g * g, count: x.count)
      }, dependsOnState: false, endTime: endTime, cutoffs: cutoffs, priorDeviation: priorDeviation)
  }

  /// Creates a process from f(x, t) and g(x, t)², one number an entry, of which entry i's derivative in xᵢ counts.
  /// - Throws: `ProcessError` unless T, the cutoffs and the prior's deviation are positive, the cutoffs below T.
  public init(
    name: String, drift: @escaping @Sendable ([Double], Double) -> [Double],
    squaredDiffusion: @escaping @Sendable ([Double], Double) -> [Double], endTime: Double = 1,
    cutoffs: Cutoffs? = nil, priorDeviation: Double = 1
  ) throws(ProcessError) {
    try self.init(
      name: name, drift: drift, squared: squaredDiffusion, dependsOnState: true, endTime: endTime,
      cutoffs: cutoffs, priorDeviation: priorDeviation)
  }

  private init(
    name: String, drift: @escaping @Sendable ([Double], Double) -> [Double],
    squared: @escaping @Sendable ([Double], Double) -> [Double], dependsOnState: Bool,
    endTime: Double, cutoffs: Cutoffs?, priorDeviation: Double
  ) throws(ProcessError) {
    let cutoffs =
      cutoffs
      ?? Cutoffs(sampling: 1e-3 * endTime, training: 1e-3 * endTime, likelihood: 1e-3 * endTime)
    for (what, value, limit) in [
      ("end time", endTime, Double.infinity), ("prior deviation", priorDeviation, .infinity),
      ("sampling cutoff", cutoffs.sampling, endTime),
      ("training cutoff", cutoffs.training, endTime),
      ("likelihood cutoff", cutoffs.likelihood, endTime),
    ] {
      guard value > 0, value < limit else {
        throw ProcessError(
          "the process \"\(name)\" has the \(what) \(value); expected a number above 0 and below \(limit)"
        )
      }
    }
    self.name = name
    self.endTime = endTime
    self.cutoffs = cutoffs
    self.priorDeviation = priorDeviation
    self.drift = drift
    self.squared = squared
    self.dependsOnState = dependsOnState
  }

  public func drift<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar> {
    try rowwise(x, t) { x, t throws(ProcessError) in try entries("drift", drift(x, t), x, t) }
  }

  public func squaredDiffusion<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar> {
    try rowwise(x, t) { x, t throws(ProcessError) in try entries("g²", squared(x, t), x, t) }
  }

  /// ∂(gᵢ²)/∂xᵢ by central differences, to about 10⁻⁹; nil where g is g(t). 2D evaluations of g² a row.
  public func diffusionSlope<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) throws(ProcessError) -> Tensor<Scalar>? {
    guard dependsOnState else { return nil }
    return try rowwise(x, t) { x, t throws(ProcessError) in
      var slopes: [Double] = []
      for i in x.indices {
        let h = 1e-5 * max(1, abs(x[i]))
        var (low, high) = (x, x)
        low[i] -= h
        high[i] += h
        let (below, above) = (
          try entries("g²", squared(low, t), low, t), try entries("g²", squared(high, t), high, t)
        )
        slopes.append((above[i] - below[i]) / (high[i] - low[i]))
      }
      return slopes
    }
  }

  // What a closure gave, if it is one number an entry.
  private func entries(
    _ what: String, _ values: [Double], _ x: [Double], _ t: Double
  ) throws(ProcessError) -> [Double] {
    guard values.count == x.count else {
      throw ProcessError(
        "the process \"\(name)\" has a \(what) of \(values.count) \(values.count == 1 ? "entry" : "entries") at t = \(t) for a state of \(x.count); expected as many"
      )
    }
    return values
  }

  // In Double throughout: a generic conversion goes entry by entry through protocol witnesses.
  private func rowwise<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ t: Times,
    _ function: ([Double], Double) throws(ProcessError) -> [Double]
  ) throws(ProcessError) -> Tensor<Scalar> {
    try t.check(rows: x.rows)
    let width = x.shape.rowCount
    let source = Tensor<Double>(x).scalars
    var values: [Double] = []
    values.reserveCapacity(source.count)
    for row in 0..<x.rows {
      values += try function(Array(source[row * width..<(row + 1) * width]), t[row])
    }
    return Tensor<Scalar>(Tensor<Double>(x.shape, values))
  }
}
