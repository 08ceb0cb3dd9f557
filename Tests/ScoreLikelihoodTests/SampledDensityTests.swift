import Foundation
import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Samples with densities in one solve, and paths between data.
@Suite struct SampledDensityTests {
  @Test(arguments: GaussianDensityTests.cases.indices)
  func samplesAndDensitiesAreTheClosedForms(_ index: Int) throws {
    // The flow of N(0.5, 0.3²) keeps the quantile, so sample and density follow from the latent.
    let process = GaussianDensityTests.cases[index].0
    let oracle = try GaussianDensityTests.oracle(process, Double.self)
    let likelihood = try FlowLikelihood(
      oracle, divergence: .exact, method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let drawn = try likelihood.sample(6, key: RandomKey(3))
    let (start, end) = (
      process.marginal(at: likelihood.epsilon), process.marginal(at: process.endTime)
    )
    func spread(_ kernel: Marginal) -> Double { hypot(kernel.alpha * 0.3, kernel.sigma) }
    for row in 0..<6 {
      let z = drawn.likelihood.latent[row, 0]
      let x = start.alpha * 0.5 + spread(start) / spread(end) * (z - end.alpha * 0.5)
      #expect(abs(drawn.samples[row, 0] - x) < 1e-7)
      let s = process.priorDeviation
      let density =
        -0.5 * z * z / (s * s) - log(s * sqrt(2 * .pi)) + log(spread(end) / spread(start))
      #expect(abs(drawn.likelihood.logDensity[row] - density) < 1e-7)
      #expect(try #require(drawn.likelihood.solverError)[row] < 1e-6)
    }
  }

  @Test func theWayBackGivesTheSameDensity() throws {
    for process in GaussianDensityTests.cases.map(\.0) {
      let oracle = try MixtureDensityTests.oracle(process, Double.self)
      let likelihood = try FlowLikelihood(
        oracle, divergence: .exact, method: .adaptive(rtol: 1e-9, atol: 1e-9))
      let drawn = try likelihood.sample(8, key: RandomKey(4))
      let back = try likelihood.logDensity(of: drawn.samples)
      for row in 0..<8 {
        #expect(abs(back.logDensity[row] - drawn.likelihood.logDensity[row]) < 1e-6)
        #expect(abs(back.latent[row, 0] - drawn.likelihood.latent[row, 0]) < 1e-5)
      }
      // The samples of a sampler under the same key, whose grid ends at the same ε.
      let sampler = try Sampler(
        oracle, solver: AdaptiveFlow(rtol: 1e-9, atol: 1e-9), steps: 1,
        epsilon: likelihood.epsilon)
      let samples = try sampler.sample(8, key: RandomKey(4)).samples
      for (a, b) in zip(samples.scalars, drawn.samples.scalars) { #expect(abs(a - b) < 1e-6) }
      // Sample i depends on the key and on i alone.
      let tail = try likelihood.sample(3, key: RandomKey(4), first: 5)
      #expect(tail.samples == drawn.samples.rows(5..<8))
      #expect(tail.likelihood.logDensity == Array(drawn.likelihood.logDensity[5..<8]))
    }
  }

  @Test func probesAreTheSameBothWays() throws {
    // On Gaussian data the Jacobian does not depend on x, so one probe errs alike there and back.
    let oracle = try GaussianOracle<Double>(
      process: try VariancePreserving(), mean: [0.3, -0.2],
      covariance: [[0.2, 0.1], [0.1, 0.3]])
    let likelihood = try FlowLikelihood(
      oracle, divergence: .hutchinson(probes: 1), method: .adaptive(rtol: 1e-9, atol: 1e-9))
    let drawn = try likelihood.sample(5, key: RandomKey(1))
    let back = try likelihood.logDensity(of: drawn.samples, key: RandomKey(1))
    for (a, b) in zip(drawn.likelihood.logDensity, back.logDensity) { #expect(abs(a - b) < 1e-6) }
  }

  @Test func pathsRunAlongGreatCircles() throws {
    // The flow of Gaussian data is affine, so the path is the decoded great circle in closed form.
    let process = try VariancePreserving()
    let oracle = try GaussianOracle<Double>(
      process: process, mean: 0.5, deviation: 0.3, sampleShape: [3])
    let likelihood = try FlowLikelihood(oracle, method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let (a, b) = (
      Tensor<Double>([2, 3], [0.8, 0.5, 0.1, 0.5, 0.6, 0.7]),
      Tensor<Double>([2, 3], [0.3, 0.9, 0.4, 0.2, 0.5, 0.5])
    )
    let fractions = [0, 0.25, 0.7, 1]
    let path = try likelihood.interpolate(from: a, to: b, at: fractions)
    let ends = (try likelihood.encode(a).x, try likelihood.encode(b).x)
    let (start, end) = (
      process.marginal(at: likelihood.epsilon), process.marginal(at: process.endTime)
    )
    func spread(_ kernel: Marginal) -> Double { hypot(kernel.alpha * 0.3, kernel.sigma) }
    for (u, point) in zip(fractions, path) {
      #expect(point.status == [.finished, .finished])
      for row in 0..<2 {
        let (p, q) = (ends.0.row(row), ends.1.row(row))
        func dot(_ p: [Double], _ q: [Double]) -> Double {
          zip(p, q).reduce(0) { $0 + $1.0 * $1.1 }
        }
        let lengths = (sqrt(dot(p, p)), sqrt(dot(q, q)))
        let angle = acos(dot(p, q) / (lengths.0 * lengths.1))
        let length = (1 - u) * lengths.0 + u * lengths.1
        for j in 0..<3 {
          let along = sin((1 - u) * angle) * p[j] / lengths.0 + sin(u * angle) * q[j] / lengths.1
          let z = length * along / sin(angle)
          let x = start.alpha * 0.5 + spread(start) / spread(end) * (z - end.alpha * 0.5)
          #expect(abs(point.x[row, j] - x) < 1e-7)
        }
      }
    }
    // What the two ways to the latents took counts too.
    let (there, here) = (try likelihood.encode(a), try likelihood.encode(b))
    for row in 0..<2 {
      #expect(path[1].evaluations[row] > there.evaluations[row] + here.evaluations[row])
    }
    for j in 0..<6 {
      #expect(abs(path[0].x.scalars[j] - a.scalars[j]) < 1e-7)
      #expect(abs(path[3].x.scalars[j] - b.scalars[j]) < 1e-7)
    }
    #expect(throws: SamplingError.self) {
      try likelihood.interpolate(from: a, to: b.rows(0..<1), at: [0.5])
    }
    // A way that stops before its latent has not finished, though the way back may.
    var calls = 0
    let stopped = try likelihood.interpolate(from: a, to: b, at: [0.5]) { _ in
      calls += 1
      return calls != 3
    }
    #expect(calls == 3)
    #expect(
      stopped[0].status.allSatisfy {
        if case .cancelled(let t) = $0 { return t < process.endTime }
        return false
      })
    let none = try likelihood.interpolate(from: a, to: b, at: [])
    #expect(none.isEmpty)
  }

  /// Latents of different norms on nearly opposite sides: the norm goes from one to the other.
  @Test func normsAlongPathsStayBetweenThoseOfTheEnds() {
    let (a, b) = (Tensor<Double>([1, 2], [1, 0]), Tensor<Double>([1, 2], [-3, 0.03]))
    for u in [0.25, 0.5, 0.75] {
      let z = FlowLikelihood<Double>.onGreatCircle(a, b, u).scalars
      let expected = (1 - u) + u * (9 + 0.03 * 0.03).squareRoot()
      #expect(abs((z[0] * z[0] + z[1] * z[1]).squareRoot() - expected) < 1e-9)
    }
  }

  @Test func inOneDimensionPathsAreStraight() throws {
    let oracle = try GaussianDensityTests.oracle(try VariancePreserving(), Double.self)
    let likelihood = try FlowLikelihood(oracle, method: .adaptive(rtol: 1e-10, atol: 1e-10))
    let path = try likelihood.interpolate(
      from: Tensor([1, 1], [0.2]), to: Tensor([1, 1], [0.9]), at: [0.5])
    #expect(abs(path[0].x[0, 0] - 0.55) < 1e-6)
  }
}
