import Foundation
import ScoreProcesses
import ScoreTensors
import Testing

/// The kernel of critically damped Langevin diffusion and its exact field.
@Suite struct CriticallyDampedLangevinTests {
  static func processes() throws -> [CriticallyDampedLangevin] {
    [
      try CriticallyDampedLangevin(),
      try CriticallyDampedLangevin(mass: 1, rate: 2, initialShare: 0, endTime: 3),
      try CriticallyDampedLangevin(mass: 0.04, rate: 1, initialShare: 1),
    ]
  }

  static func product(_ a: PhaseMatrix, _ b: PhaseMatrix) -> PhaseMatrix {
    PhaseMatrix(
      xx: a.xx * b.xx + a.xv * b.vx, xv: a.xx * b.xv + a.xv * b.vv,
      vx: a.vx * b.xx + a.vv * b.vx, vv: a.vx * b.xv + a.vv * b.vv)
  }

  static func relative(_ a: Double, _ b: Double) -> Double {
    a == b ? 0 : abs(a - b) / max(abs(a), abs(b))
  }

  /// E solves E′ = A E with A = β [[0, 1/M], [−1, −Γ/M]], and times add up.
  @Test func propagator() throws {
    for process in try Self.processes() {
      let (m, beta, friction) = (process.mass, process.rate, process.friction)
      #expect(abs(friction * friction / (4 * m) - 1) < 1e-15)
      let a = PhaseMatrix(xx: 0, xv: beta / m, vx: -beta, vv: -beta * friction / m)
      #expect(process.propagator(over: 0) == PhaseMatrix(xx: 1, xv: 0, vx: 0, vv: 1))
      for t in [0.03, 0.4, 1] {
        let h = 1e-5
        let (low, high) = (process.propagator(over: t - h), process.propagator(over: t + h))
        let slope = Self.product(a, process.propagator(over: t))
        for (found, expected) in [
          ((high.xx - low.xx) / (2 * h), slope.xx), ((high.xv - low.xv) / (2 * h), slope.xv),
          ((high.vx - low.vx) / (2 * h), slope.vx), ((high.vv - low.vv) / (2 * h), slope.vv),
        ] { #expect(abs(found - expected) < 1e-6) }
        let (sum, parts) = (
          process.propagator(over: t + 0.2),
          Self.product(process.propagator(over: t), process.propagator(over: 0.2))
        )
        #expect(abs(sum.xx - parts.xx) < 1e-14 && abs(sum.xv - parts.xv) < 1e-14)
        #expect(abs(sum.vx - parts.vx) < 1e-14 && abs(sum.vv - parts.vv) < 1e-14)
      }
    }
  }

  /// The covariance is ∫ E(s) diag(0, 2Γβ) E(s)ᵀ ds, by quadrature, and small ones keep their digits.
  @Test func covariance() throws {
    for process in try Self.processes() {
      let strength = 2 * process.friction * process.rate
      for t in [1e-4, 1e-2, 0.2, 0.7, process.endTime] {
        func sum(_ entry: @escaping (PhaseMatrix) -> Double) -> Double {
          integral(from: 0, to: t) { strength * entry(process.propagator(over: $0)) }.value
        }
        let found = process.diffused(over: t)
        #expect(Self.relative(found.xx, sum { $0.xv * $0.xv }) < 1e-11, "xx at \(t)")
        #expect(Self.relative(found.xv, sum { $0.xv * $0.vv }) < 1e-11, "xv at \(t)")
        #expect(Self.relative(found.vv, sum { $0.vv * $0.vv }) < 1e-11, "vv at \(t)")
        let kernel = process.kernel(at: t)
        let map = process.propagator(over: t)
        let share = process.initialShare * process.mass
        #expect(Self.relative(kernel.xv, found.xv + share * map.xv * map.vv) < 1e-14)
        let plain = kernel.xx * kernel.vv - kernel.xv * kernel.xv
        #expect(abs(kernel.determinant - plain) < 1e-14 * kernel.xx * kernel.vv)
        // The factor makes it.
        let root = kernel.factor
        #expect(Self.relative(root.xx * root.xx, kernel.xx) < 1e-14)
        #expect(Self.relative(root.xx * root.vx, kernel.xv) < 1e-14)
        #expect(Self.relative(root.vx * root.vx + root.vv * root.vv, kernel.vv) < 1e-13)
      }
      // As t → 0: det = ¾ of xx · vv with γ = 0, i.e. 4/3 y⁴ M.
      let y = 1e-5
      let small = process.diffused(over: y * process.mass.squareRoot() / process.rate)
      #expect(abs(small.determinant / (4.0 / 3 * pow(y, 4) * process.mass) - 1) < 1e-4)
      #expect(process.kernel(at: 0).conditionalDeviation == 0)
    }
    // At rest x ~ N(0, 1) and v ~ N(0, M).
    let rest = try CriticallyDampedLangevin().kernel(at: 5)
    #expect(abs(rest.xx - 1) < 1e-12 && abs(rest.vv - 0.25) < 1e-12 && abs(rest.xv) < 1e-12)
  }

  /// ε̂_v = −ℓ ∇_v log p_t, by differences of the log density.
  @Test func theOracleIsTheScoreInTheVelocity() throws {
    for process in try Self.processes() {
      let oracle = try PhaseOracle<Double>(
        process: process, mean: [0.5, -1], covariance: [[0.5, 0.2], [0.2, 0.3]])
      let times = [1e-3, 0.05, 0.4, 1]
      let z = PhaseState<Double>(
        position: RandomKey(1).normal([4, 2]), velocity: RandomKey(2).normal([4, 2]))
      let u = process.perturb(
        oracle.sample(4, key: RandomKey(3)), noise: z, at: .perSample(times))
      let found = try oracle.noise(u, at: .perSample(times))
      for row in 0..<4 {
        let length = process.kernel(at: times[row]).conditionalDeviation
        for j in 0..<2 {
          func density(_ step: Double) throws -> Double {
            var moved = u
            moved.velocity[row, j] += step
            return try oracle.logDensity(moved, at: .perSample(times))[row]
          }
          let h = 1e-3 * length
          let slope =
            try (density(-2 * h) - 8 * density(-h) + 8 * density(h) - density(2 * h)) / (12 * h)
          #expect(abs(found[row, j] + length * slope) < 1e-8, "t = \(times[row])")
        }
        let one = PhaseState(
          position: u.position.rows(row..<row + 1), velocity: u.velocity.rows(row..<row + 1))
        #expect(try oracle.noise(one, at: .shared(times[row])) == found.rows(row..<row + 1))
      }
    }
  }

  /// At the mean the density is 1/(2π √det C) for each axis.
  @Test func theDensityIsNormalised() throws {
    let process = try CriticallyDampedLangevin()
    let oracle = try PhaseOracle<Double>(process: process, mean: [2], covariance: [[0.09]])
    let map = process.propagator(over: 0.3)
    let mean = PhaseState(
      position: Tensor<Double>([1, 1], [2 * map.xx]), velocity: Tensor([1, 1], [2 * map.vx]))
    let kernel = process.kernel(at: 0.3)
    let c = (
      kernel.xx + 0.09 * map.xx * map.xx, kernel.xv + 0.09 * map.xx * map.vx,
      kernel.vv + 0.09 * map.vx * map.vx
    )
    let expected = -log(2 * .pi) - 0.5 * log(c.0 * c.2 - c.1 * c.1)
    #expect(abs(try oracle.logDensity(mean, at: .shared(0.3))[0] - expected) < 1e-12)
  }

  /// The flow dx = βv/M, dv = −β(x + Γv/M) + Γβ ε̂_v/ℓ carries p_t along: its map A has C_s = A C_t Aᵀ.
  @Test func theFlowKeepsTheMarginals() throws {
    let process = try CriticallyDampedLangevin()
    let oracle = try PhaseOracle<Double>(process: process, mean: [0], covariance: [[0.09]])
    func slope(_ u: PhaseState<Double>, _ t: Double) throws -> PhaseState<Double> {
      let (beta, m, g) = (process.rate, process.mass, process.friction)
      let length = process.kernel(at: t).conditionalDeviation
      let noise = try oracle.noise(u, at: .shared(t))
      return PhaseState(
        position: beta / m * u.velocity,
        velocity: .combined(
          -beta, u.position, -beta * g / m, u.velocity, g * beta / length, noise))
    }
    // RK4 from t to s on the two unit states; the field is linear.
    var u = PhaseState(
      position: Tensor<Double>([2, 1], [1, 0]), velocity: Tensor([2, 1], [0, 1]))
    let (start, end, count) = (0.9, 0.05, 4000)
    let h = (end - start) / Double(count)
    func moved(_ u: PhaseState<Double>, _ k: PhaseState<Double>, _ h: Double) -> PhaseState<Double>
    {
      PhaseState(position: u.position + h * k.position, velocity: u.velocity + h * k.velocity)
    }
    for i in 0..<count {
      let t = start + Double(i) * h
      let a = try slope(u, t)
      let b = try slope(moved(u, a, h / 2), t + h / 2)
      let c = try slope(moved(u, b, h / 2), t + h / 2)
      let d = try slope(moved(u, c, h), t + h)
      for (k, weight) in [(a, 1.0), (b, 2), (c, 2), (d, 1)] { u = moved(u, k, h / 6 * weight) }
    }
    let (c, e) = (oracle.covariance(0, at: start), oracle.covariance(0, at: end))
    let (p, q) = (u.position, u.velocity)
    func pushed(_ a: Tensor<Double>, _ b: Tensor<Double>) -> Double {
      a[0, 0] * b[0, 0] * c.xx + (a[0, 0] * b[1, 0] + a[1, 0] * b[0, 0]) * c.xv
        + a[1, 0] * b[1, 0] * c.vv
    }
    #expect(abs(pushed(p, p) - e.xx) < 1e-8)
    #expect(abs(pushed(p, q) - e.xv) < 1e-8)
    #expect(abs(pushed(q, q) - e.vv) < 1e-8)
  }

  @Test func refusesBadParameters() throws {
    #expect(throws: ProcessError.self) { try CriticallyDampedLangevin(mass: 0) }
    #expect(throws: ProcessError.self) { try CriticallyDampedLangevin(rate: .nan) }
    #expect(throws: ProcessError.self) { try CriticallyDampedLangevin(initialShare: 1.1) }
    #expect(throws: ProcessError.self) { try CriticallyDampedLangevin(endTime: -1) }
    let oracle = try PhaseOracle<Double>(
      process: CriticallyDampedLangevin(), mean: [0], covariance: [[1]])
    let u = PhaseState(position: Tensor<Double>([2, 2]), velocity: Tensor([2, 2]))
    #expect(throws: ProcessError.self) { try oracle.noise(u, at: .shared(0.5)) }
    let v = PhaseState(position: Tensor<Double>([2, 1]), velocity: Tensor([2, 1]))
    #expect(throws: ProcessError.self) { try oracle.noise(v, at: .perSample([0.5])) }
  }
}
