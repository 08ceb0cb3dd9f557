import ScoreProcesses
import ScoreTensors

/// The probability-flow ODE of a field as a system of rows: dx/dt = f x + (g²/2σ) ε̂(x, t).
package struct FlowSystem<Scalar: TensorScalar>: RowSystem {
  private let whole: any ScoreField<Scalar>
  // That of the rows present.
  private var field: any ScoreField<Scalar>
  private let process: any LinearProcess
  package let width: Int
  package var diffusionTime: DiffusionTime? { (process as? any JumpingProcess)?.diffusionTime }

  package init(_ field: any ScoreField<Scalar>) {
    (whole, self.field) = (field, field)
    process = field.process
    width = field.sampleShape.count
  }

  package mutating func select(rows: [Int]) { field = whole.rows(rows) }

  package mutating func rates(
    of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    let x = Tensor<Scalar>(
      rows: y, stride: width, shape: Shape([times.count] + field.sampleShape.extents))
    let noise = try field.checkedNoise(x, at: sharesTime ? .shared(times[0]) : .perSample(times))
    let gains = process.rates(at: times, sharesTime: sharesTime)
    noise.writeFlow(gains, of: y, stride: width, into: rates)
  }
}

extension LinearProcess {
  /// The rates at each of the times, computed once where they are all the same.
  package func rates(at times: [Double], sharesTime: Bool) -> [Rates] {
    sharesTime
      ? [Rates](repeating: rates(at: times[0]), count: times.count) : times.map { rates(at: $0) }
  }
}
