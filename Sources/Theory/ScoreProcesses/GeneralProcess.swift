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
/// Functions take one sample in Double. g acts on each entry. The law at T should be near the prior N(0, s² I), as where
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

  public func drift<Scalar: TensorScalar>(_ x: Tensor<Scalar>, at t: Times) -> Tensor<Scalar> {
    rowwise(x, t, drift)
  }

  public func squaredDiffusion<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar> { rowwise(x, t, squared) }

  /// ∂(gᵢ²)/∂xᵢ by central differences, to about 10⁻⁹; nil where g is g(t). 2D evaluations of g² a row.
  public func diffusionSlope<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar>? {
    guard dependsOnState else { return nil }
    return rowwise(x, t) { x, t in
      x.indices.map { i in
        let h = 1e-5 * max(1, abs(x[i]))
        var (low, high) = (x, x)
        low[i] -= h
        high[i] += h
        return (squared(high, t)[i] - squared(low, t)[i]) / (high[i] - low[i])
      }
    }
  }

  // In Double throughout: a generic conversion goes entry by entry through protocol witnesses.
  private func rowwise<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ t: Times, _ function: ([Double], Double) -> [Double]
  ) -> Tensor<Scalar> {
    let width = x.shape.rowCount
    let source = Tensor<Double>(x)
    let result = Tensor<Double>(x.shape) { out in
      source.withUnsafeBuffer { source in
        for row in 0..<x.rows {
          let values = function(Array(source[row * width..<(row + 1) * width]), t[row])
          precondition(values.count == width, "\(values.count) values for \(width) entries")
          for j in 0..<width { out[row * width + j] = values[j] }
        }
      }
    }
    return Tensor<Scalar>(result)
  }
}
