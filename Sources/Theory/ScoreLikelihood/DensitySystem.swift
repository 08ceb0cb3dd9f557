import ScoreProcesses
import ScoreSampling
import ScoreTensors

/// The probability-flow ODE together with what the log density gains along it.
///
/// ```
/// dx/dt = f x + (g²/2σ) ε̂(x, t),   dℓ_k/dt = D f + (g²/2σ) vₖᵀ (∂ε̂/∂x) vₖ
/// ```
///
/// Rows are [x, ℓ_1 … ℓ_K], with one ℓ a probe, or a single one for the exact trace. Then
/// log p_ε(x_ε) = log p_T(x_T) + ℓ(T) − ℓ(ε).
struct DensitySystem<Scalar: TensorScalar>: RowSystem {
  private let field: any DifferentiableScoreField<Scalar>
  private let process: any LinearProcess
  private let dimensions: Int
  // One tensor a probe, with a row for each of the original rows, and for those present.
  private let allProbes: [Tensor<Scalar>]
  private var probes: [Tensor<Scalar>]

  let width: Int
  let blocks: [Int]

  init(
    _ field: any DifferentiableScoreField<Scalar>, _ divergence: Divergence, rows: Int,
    key: RandomKey, samples: SampleIndices
  ) {
    self.field = field
    process = field.process
    dimensions = field.sampleShape.count
    switch divergence {
    case .exact: allProbes = []
    case .hutchinson(let probe, let count):
      let shape = Shape([rows] + field.sampleShape.extents)
      let key = key.folded("probes")
      allProbes = (0..<count).map {
        probe.draw(shape, key: key.folded(UInt64($0)), samples: samples)
      }
    }
    probes = allProbes
    blocks = [dimensions, max(1, allProbes.count)]
    width = blocks[0] + blocks[1]
  }

  mutating func select(rows: [Int]) {
    probes = allProbes.map { rows.count == $0.rows ? $0 : $0.rows(rows) }
  }

  mutating func rates(
    of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool,
    into rates: UnsafeMutablePointer<Double>
  ) throws {
    let x = Tensor<Scalar>(
      rows: y, stride: width, shape: Shape([times.count] + field.sampleShape.extents))
    let t: Times = sharesTime ? .shared(times[0]) : .perSample(times)
    let gains = process.rates(at: times, sharesTime: sharesTime)
    func write(_ traces: [Double], column: Int) {
      for (i, trace) in traces.enumerated() {
        rates[i * width + dimensions + column] =
          Double(dimensions) * gains[i].drift + gains[i].noiseGain * trace
      }
    }
    guard !probes.isEmpty else {
      let (noise, trace) = try field.noiseAndTrace(x, at: t)
      noise.writeFlow(gains, of: y, stride: width, into: rates)
      write(trace.doubles, column: 0)
      return
    }
    for (column, probe) in probes.enumerated() {
      let (noise, pullback) = try field.noiseAndPullback(x, at: t, cotangent: probe)
      if column == 0 { noise.writeFlow(gains, of: y, stride: width, into: rates) }
      write(pullback.doubleRowDots(probe), column: column)
    }
  }

  // ℓ + log p_t(x) does not change along the flow, so an error (e, d) at time t comes to d + ∇log p_t(x)·e in the end.
  // The two may cancel in the estimate where they do not in truth, so their magnitudes are added. The score is read off
  // the rate, which holds ε̂.
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
