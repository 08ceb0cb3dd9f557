import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors

extension FlowLikelihood {
  /// log N(z; 0, s² I) − log p_T(z) with p_T from the score at T.
  ///
  /// ```
  /// log p_T(z) = log p_T(0) + ∫₀¹ z·s(θ z) dθ,   log p_T(0) = −½ D log(2πσ²) + h(a)
  /// h(a) = log E exp(−a |x₀|²),   a = α²/(2σ²),   h′(a) = −E[|x₀|² | x_t = 0]
  /// ```
  ///
  /// The ray takes Gauss's three points, exact for scores up to degree 5 in θ; h takes a line through h′ at a and 2a.
  func priorMismatchByScore(
    _ latent: Tensor<Scalar>, _ prior: [Double]
  ) throws -> [Extrapolated] {
    let process = field.process
    let end = process.endTime
    let kernel = process.marginal(at: end)
    let centres = try centreLogDensities()
    let node = (3.0 / 5).squareRoot() / 2
    let rule = [(0.5 - node, 5.0 / 18), (0.5, 8.0 / 18), (0.5 + node, 5.0 / 18)]
    return try batches(latent, nil) { batch, start, _ in
      let field = field.rows(start..<start + batch.rows)
      var along = [Double](repeating: 0, count: batch.rows)
      for (place, weight) in rule {
        let noise = try field.checkedNoise(Scalar(place) * batch, at: .shared(end))
        for (row, dot) in noise.doubleRowDots(batch).enumerated() {
          along[row] -= weight * dot / kernel.sigma
        }
      }
      return (0..<batch.rows).map { row in
        let centre = centres[centres.count == 1 ? 0 : start + row]
        return Extrapolated(
          value: prior[start + row] - along[row] - centre.value, uncertainty: centre.uncertainty)
      }
    }.flatMap { $0 }
  }

  // log p_T(0), one for all, or one a sample where each has a field of its own.
  private func centreLogDensities() throws -> [Extrapolated] {
    let process = field.process
    let kernel = process.marginal(at: process.endTime)
    let dimensions = Double(field.sampleShape.count)
    // a h′(a), which stays finite where a does not: Cov[x₀ | x_t] = (σ²/α²) (1 − σ ∂ε̂/∂x), and x̂₀ = −(σ/α) ε̂ at 0.
    func change(_ t: Double, _ kernel: Marginal) throws -> [Double] {
      let origin = Tensor<Scalar>(Shape([field.rowCount ?? 1] + field.sampleShape.extents))
      let (noise, traces) = try field.checkedNoiseAndTrace(origin, at: .shared(t))
      return zip(noise.doubleRowDots(noise), traces).map { square, trace in
        -0.5 * (square + dimensions - kernel.sigma * Double(trace))
      }
    }
    let last = try change(process.endTime, kernel)
    let earlier = process.time(halfLogSNR: kernel.halfLogSNR + 0.5 * log(2))
    let near = process.marginal(at: earlier)
    // a there over a at T, which is 2 but for rounding.
    let growth = exp(2 * (near.halfLogSNR - kernel.halfLogSNR))
    let before = growth > 1 ? try change(earlier, near) : last
    let normalisation = -0.5 * dimensions * log(2 * Double.pi * kernel.sigma * kernel.sigma)
    return zip(last, before).map { last, before in
      let correction = growth > 1 ? -0.5 / (growth - 1) * (before / growth - last) : 0
      return Extrapolated(
        value: normalisation + last + correction, uncertainty: abs(correction))
    }
  }

  /// log N(z; 0, s² I) − log p_T(z) with p_T the mean of the kernel over data, and its standard error.
  func priorMismatch(
    _ latent: Tensor<Scalar>, _ prior: [Double], by data: Tensor<Scalar>
  ) throws -> [Extrapolated] {
    guard data.shape.rank > 0, data.shape.row == field.sampleShape, data.rows > 1 else {
      throw SamplingError(
        "the data of the end marginal have shape \(data.shape); expected [n] followed by \(field.sampleShape), n 2 or more"
      )
    }
    guard data.isFinite else {
      throw SamplingError(
        "the data of the end marginal hold a number that is not finite; expected finite ones")
    }
    let width = data.shape.rowCount
    let kernel = field.process.marginal(at: field.process.endTime)
    let (points, latents) = (
      Tensor<Double>(data).reshaped([data.rows, width]),
      Tensor<Double>(latent).reshaped([latent.rows, width])
    )
    // |z − α x₀|² less |z|², over −2σ².
    let products = latents.matmul(points, transposeOther: true).scalars
    let squares = points.rowDots(points)
    let normals = latents.rowDots(latents)
    let (alpha, variance) = (kernel.alpha, kernel.sigma * kernel.sigma)
    let count = data.rows
    let normalisation = -0.5 * Double(width) * log(2 * Double.pi * variance)
    return (0..<latent.rows).map { row in
      let exponents = (0..<count).map {
        (alpha * products[row * count + $0] - 0.5 * alpha * alpha * squares[$0]) / variance
      }
      let greatest = exponents.max() ?? 0
      let weights = exponents.map { exp($0 - greatest) }
      let mean = weights.reduce(0, +) / Double(count)
      let square = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let density =
        normalisation - 0.5 * normals[row] / variance + greatest + log(mean)
      return Extrapolated(
        value: prior[row] - density,
        uncertainty: (square / Double(count * (count - 1))).squareRoot() / mean)
    }
  }
}
