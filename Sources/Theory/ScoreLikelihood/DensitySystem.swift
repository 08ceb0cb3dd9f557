import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// The probability-flow ODE together with what the log density gains along it.
///
/// ```
/// dx/dt = f x + (g²/2σ) ε̂(x, t),   dℓ_k/dt = D f + (g²/2σ) τ_k(x, t)
/// ```
///
/// τ_k are estimates of the trace of ∂ε̂/∂x. Rows are [x, ℓ_1 … ℓ_K], with one ℓ a probe, or a single one for the exact
/// trace. Then log p_ε(x_ε) = log p_T(x_T) + ℓ(T) − ℓ(ε).
struct DensitySystem<Scalar: TensorScalar>: RowSystem {
  private let whole: any DifferentiableScoreField<Scalar>
  // That of the rows present.
  private var field: any DifferentiableScoreField<Scalar>
  private let process: any LinearProcess
  private let dimensions: Int
  private var trace: TraceEstimator<Scalar>

  let width: Int
  let blocks: [Int]
  var integrals: Int { blocks[1] }
  var diffusionTime: DiffusionTime? { (process as? any JumpingProcess)?.diffusionTime }

  init(
    _ field: any DifferentiableScoreField<Scalar>, _ divergence: Divergence, rows: Int,
    key: RandomKey, samples: SampleIndices
  ) {
    (whole, self.field) = (field, field)
    process = field.process
    dimensions = field.sampleShape.count
    trace = TraceEstimator(field, divergence, rows: rows, key: key, samples: samples)
    blocks = [dimensions, trace.columns]
    width = blocks[0] + blocks[1]
  }

  mutating func select(rows: [Int]) {
    field = whole.rows(rows)
    trace.select(rows: rows)
  }

  mutating func rates(
    of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    let x = Tensor<Scalar>(
      rows: y, stride: width, shape: Shape([times.count] + field.sampleShape.extents))
    let gains = process.rates(at: times, sharesTime: sharesTime)
    let t = sharesTime ? Times.shared(times[0]) : .perSample(times)
    guard withIntegrals else {
      try field.checkedNoise(x, at: t).writeFlow(gains, of: y, stride: width, into: rates)
      for i in times.indices {
        (rates + i * width + dimensions).update(repeating: 0, count: integrals)
      }
      return
    }
    let (noise, columns) = try trace(x, at: t)
    noise.writeFlow(gains, of: y, stride: width, into: rates)
    for (column, traces) in columns.enumerated() {
      for (i, trace) in traces.enumerated() {
        rates[i * width + dimensions + column] =
          Double(dimensions) * gains[i].drift + gains[i].noiseGain * trace
      }
    }
  }

  // ℓ + log p_t(x) does not change along the flow, so an error (e, d) at time t comes to d + ∇log p_t(x)·e in the end,
  // towards T in the density of the start and towards ε in that of the end. The two may cancel in the estimate where
  // they do not in truth, so their magnitudes are added. The score is read off the rate, which holds ε̂.
  func consequence(
    of error: UnsafePointer<Double>, in y: UnsafePointer<Double>, rate: UnsafePointer<Double>,
    at t: Double
  ) -> Double {
    let rates = process.rates(at: t)
    let gain = rates.noiseGain * process.marginal(at: t).sigma
    var sum = 0.0
    if gain > 0 {
      for j in 0..<dimensions { sum -= (rate[j] - rates.drift * y[j]) / gain * error[j] }
    }
    var columns = 0.0
    for k in dimensions..<width { columns += error[k] }
    return abs(sum) + abs(columns) / Double(width - dimensions)
  }
}
