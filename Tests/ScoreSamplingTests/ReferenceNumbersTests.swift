import ScoreProcesses
import ScoreSampling
import Testing

/// The published code's samplers at N = 1000 on data N(0.5, 0.3²): exact mean and deviation of the denoised result.
@Suite struct ReferenceNumbersTests {
  private func expect(
    _ process: any LinearProcess, _ solver: any Solver, _ mean: Double, _ deviation: Double
  ) throws {
    let field = GaussianField<Double>(process: process)
    let sampler = try Sampler(field, solver: solver, steps: 1000, schedule: .reference)
    let moments = try sampler.affineMoments()
    #expect(abs(moments.mean[0] - mean) < 1e-9)
    #expect(abs(moments.covariance[0][0].squareRoot() - deviation) < 1e-9)
  }

  @Test func variancePreserving() throws {
    let process = try VariancePreserving()
    try expect(process, EulerMaruyama(), 0.5002276680826, 0.3000260582375)
    try expect(process, Ancestral(variance: .forward), 0.4998813328926, 0.3017262745684)
    try expect(process, ReverseDiffusion(), 0.4997651105836, 0.3020199975584)
  }

  @Test func subVariancePreserving() throws {
    let process = try SubVariancePreserving()
    try expect(process, EulerMaruyama(), 0.5003572895531, 0.3002171572272)
    try expect(process, ReverseDiffusion(), 0.5003572895531, 0.3002171572272)
  }

  @Test func varianceExploding() throws {
    let process = try VarianceExploding()
    try expect(process, ReverseDiffusion(), 0.4999819927167, 0.3011315224770)
    try expect(process, Ancestral(), 0.4999819927167, 0.2985751648384)
  }

  @Test func ourOwnGridIsNearerToTheData() throws {
    // The reference's last step passes ε, down to t = 0; ours ends at ε, with T − ε in N equal parts.
    let process = try VariancePreserving()
    let reference = try TimeGrid.reference(for: process, steps: 1000, epsilon: 1e-3)
    #expect(abs(reference.end) < 1e-12)
    let own = try TimeGrid.uniform(from: 1, to: 1e-3, steps: 1000)
    #expect(own.end == 1e-3 && own.start == 1)
    let field = GaussianField<Double>(process: process)
    let moments = try Sampler(field, solver: EulerMaruyama(), grid: own).affineMoments()
    #expect(abs(moments.mean[0] - 0.5) < 3e-4)
  }
}
