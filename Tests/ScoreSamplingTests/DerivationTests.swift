import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// The published multistep formulas, written out here on numbers, against the solvers.
@Suite struct DerivationTests {
  /// α, σ and λ at the times of a grid, and the field's predictions.
  private struct Setting {
    let process: any LinearProcess
    let field: BentField<Double>
    let times: [Double]

    init(_ process: any LinearProcess) {
      self.process = process
      field = BentField(process: process, sampleShape: [1])
      times = [0.9, 0.75, 0.66, 0.5, 0.37, 0.3, 0.19]
    }

    func alpha(_ i: Int) -> Double { process.marginal(at: times[i]).alpha }
    func sigma(_ i: Int) -> Double { process.marginal(at: times[i]).sigma }
    func lambda(_ i: Int) -> Double { log(alpha(i) / sigma(i)) }

    func noise(_ x: Double, _ i: Int) throws -> Double {
      try field.noise(Tensor([1, 1], [x]), at: .shared(times[i]))[0, 0]
    }
    func data(_ x: Double, _ i: Int) throws -> Double {
      try (x - sigma(i) * noise(x, i)) / alpha(i)
    }

    func run(_ spec: String) throws -> Double {
      let sampler = Sampler(
        field, solver: try SolverSpec(spec).solver, grid: try TimeGrid(times: times))
      return try sampler.sample(from: Tensor([1, 1], [0.8]), key: RandomKey(0)).samples[0, 0]
    }
  }

  @Test(arguments: processes.indices)
  func dpmSolverTwoM(_ index: Int) throws {
    let s = Setting(processes[index])
    var (x, last) = (0.8, 0.0)
    for i in 0..<6 {
      let data = try s.data(x, i)
      let h = s.lambda(i + 1) - s.lambda(i)
      var d = data
      if i > 0 {
        let r = (s.lambda(i) - s.lambda(i - 1)) / h
        d = (1 + 1 / (2 * r)) * data - 1 / (2 * r) * last
      }
      x = s.sigma(i + 1) / s.sigma(i) * x - s.alpha(i + 1) * (exp(-h) - 1) * d
      last = data
    }
    #expect(abs(try s.run("dpm-solver++:method=2m") - x) < 1e-10)
  }

  @Test(arguments: processes.indices)
  func dpmSolverTwoAndThree(_ index: Int) throws {
    let process = processes[index]
    let field = BentField<Double>(process: process, sampleShape: [1])
    func lambda(_ t: Double) -> Double {
      log(process.marginal(at: t).alpha / process.marginal(at: t).sigma)
    }
    func time(_ target: Double) -> Double {
      // Bisection.
      var (low, high) = (0.3, 0.9)
      for _ in 0..<200 {
        let middle = (low + high) / 2
        if lambda(middle) > target { low = middle } else { high = middle }
      }
      return (low + high) / 2
    }
    func noise(_ x: Double, _ t: Double) throws -> Double {
      try field.noise(Tensor([1, 1], [x]), at: .shared(t))[0, 0]
    }
    let (t, end, x) = (0.9, 0.3, 0.8)
    let h = lambda(end) - lambda(t)
    let m = process.marginal(at: t)
    let (r1, r2) = (1.0 / 3, 2.0 / 3)
    let (t1, t2) = (time(lambda(t) + r1 * h), time(lambda(t) + r2 * h))
    let (m1, m2, ms) = (
      process.marginal(at: t1), process.marginal(at: t2), process.marginal(at: end)
    )
    let e0 = try noise(x, t)
    let u1 = m1.alpha / m.alpha * x - m1.sigma * (exp(r1 * h) - 1) * e0
    let d1 = try noise(u1, t1) - e0
    let u2 =
      m2.alpha / m.alpha * x - m2.sigma * (exp(r2 * h) - 1) * e0
      - m2.sigma * r2 / r1 * ((exp(r2 * h) - 1) / (r2 * h) - 1) * d1
    let d2 = try noise(u2, t2) - e0
    let third =
      ms.alpha / m.alpha * x - ms.sigma * (exp(h) - 1) * e0
      - ms.sigma / r2 * ((exp(h) - 1) / h - 1) * d2
    let grid = try TimeGrid(times: [t, end])
    func run(_ spec: String) throws -> Double {
      try Sampler(field, solver: SolverSpec(spec).solver, grid: grid)
        .sample(from: Tensor([1, 1], [x]), key: RandomKey(0)).samples[0, 0]
    }
    #expect(abs(try run("dpm-solver:order=3") - third) < 1e-10 * max(1, abs(third)))
    let v1 = m1.alpha / m.alpha * x - m1.sigma * (exp(r1 * h) - 1) * e0
    let second =
      ms.alpha / m.alpha * x - ms.sigma * (exp(h) - 1) * e0
      - ms.sigma / (2 * r1) * (exp(h) - 1) * (try noise(v1, t1) - e0)
    #expect(
      abs(try run("dpm-solver:order=2,r1=0.3333333333333333") - second)
        < 1e-10 * max(1, abs(second)))
  }

  /// UniPC as its authors state it: R a B(h) = φ, with Vandermonde rows of the places, by Gaussian elimination.
  private func uniPC(
    _ s: Setting, p: Int, usesBH2: Bool, usesData: Bool
  ) throws -> Double {
    func prediction(_ x: Double, _ i: Int) throws -> Double {
      try usesData ? s.data(x, i) : s.noise(x, i)
    }
    func increment(
      _ x: Double, _ i: Int, _ models: [Double], _ earlier: [Int], new: Double?
    ) -> Double {
      let h = s.lambda(i + 1) - s.lambda(i)
      let z = usesData ? -h : h
      let b = usesBH2 ? exp(z) - 1 : z
      var places: [Double] = earlier.map { (s.lambda($0) - s.lambda(i)) / h }
      var slopes = zip(earlier, places).map { (models[$0] - models[i]) / $1 }
      if let new {
        places.append(1)
        slopes.append(new - models[i])
      }
      let n = places.count
      var phi = (exp(z) - 1) / z - 1
      var (rows, right, factorial) = ([[Double]](), [Double](), 1.0)
      for k in 1...max(1, n) {
        factorial *= Double(k)
        rows.append(places.map { pow($0, Double(k - 1)) })
        right.append(phi * factorial / b)
        phi = phi / z - 1 / (factorial * Double(k + 1))
      }
      let simple = n == 1
      let weights = n == 0 ? [] : simple ? [0.5] : solve(rows, right)
      let sum = zip(weights, slopes).reduce(0) { $0 + $1.0 * $1.1 }
      let scale =
        usesData ? s.sigma(i + 1) / s.sigma(i) : s.alpha(i + 1) / s.alpha(i)
      let factor = usesData ? s.alpha(i + 1) : s.sigma(i + 1)
      return scale * x - factor * ((exp(z) - 1) * models[i] + b * sum)
    }
    var x = 0.8
    var states: [Double] = []
    var models: [Double] = []
    for i in 0..<6 {
      models.append(try prediction(x, i))
      if i > 0 {
        let order = min(i, p)
        let earlier = (1..<max(1, order)).map { i - 1 - $0 }
        x = increment(states[i - 1], i - 1, models, earlier, new: models[i])
      }
      states.append(x)
      let order = min(i + 1, p)
      x = increment(x, i, models, (1..<max(1, order)).map { i - $0 }, new: nil)
    }
    return x
  }

  private func solve(_ rows: [[Double]], _ right: [Double]) -> [Double] {
    var (a, b) = (rows, right)
    for k in b.indices {
      for i in b.indices where i > k {
        let factor = a[i][k] / a[k][k]
        for j in b.indices { a[i][j] -= factor * a[k][j] }
        b[i] -= factor * b[k]
      }
    }
    for k in b.indices.reversed() {
      for j in b.indices where j > k { b[k] -= a[k][j] * b[j] }
      b[k] /= a[k][k]
    }
    return b
  }

  @Test(arguments: processes.indices, [1, 2, 3])
  func uniPCOfEveryKind(_ index: Int, _ p: Int) throws {
    let s = Setting(processes[index])
    for usesBH2 in [true, false] {
      for usesData in [true, false] {
        let expected = try uniPC(s, p: p, usesBH2: usesBH2, usesData: usesData)
        let spec =
          "unipc:order=\(p),b=\(usesBH2 ? "bh2" : "bh1"),prediction=\(usesData ? "data" : "noise")"
        let found = try s.run(spec)
        #expect(
          abs(found - expected) < 1e-10 * max(1, abs(expected)), "\(spec) on \(s.process.name)")
      }
    }
  }

  @Test(arguments: processes.indices)
  func oneStepSolversAreTheExponentialEulerStep(_ index: Int) throws {
    let s = Setting(processes[index])
    var x = 0.8
    for i in 0..<6 {
      let h = s.lambda(i + 1) - s.lambda(i)
      x = try s.alpha(i + 1) / s.alpha(i) * x - s.sigma(i + 1) * (exp(h) - 1) * s.noise(x, i)
    }
    let specs = [
      "ddim", "dpm-solver:order=1", "dpm-solver++:method=1s", "deis:order=1",
      "deis:order=1,variable=log-snr", "ode:method=euler,variable=noise",
    ]
    for spec in specs {
      #expect(abs(try s.run(spec) - x) < 1e-10 * max(1, abs(x)), "\(spec)")
    }
  }

  @Test func theParabolaOfThreeMWithHalfItsSecondDifferenceIsOfOrderTwo() throws {
    // What 3M would be with φ₃ where 2 φ₃ belongs: shown here so that nobody brings it back.
    let process = try VariancePreserving()
    let field = BentField<Double>(process: process, sampleShape: [1])
    func solve(_ count: Int, factor: Double) throws -> Double {
      let top = process.marginal(at: 0.8).halfLogSNR
      let h = (process.marginal(at: 0.4).halfLogSNR - top) / Double(count)
      // Two earlier predictions on the exact solution, so that the start does no harm.
      let fine = try AdaptiveFlow(method: .dormandPrince8, rtol: 1e-13, atol: 1e-13)
      func time(_ k: Int) -> Double { process.time(halfLogSNR: top + Double(k) * h) }
      func data(_ x: Double, _ k: Int) throws -> Double {
        try field.denoised(Tensor([1, 1], [x]), at: .shared(time(k)))[0, 0]
      }
      var x = 0.2
      var models: [Double] = [try data(x, 0)]
      for k in 0..<count {
        if k < 2 {
          let grid = try TimeGrid(times: [time(k), time(k + 1)])
          x = try Sampler(field, solver: fine, grid: grid)
            .sample(from: Tensor([1, 1], [x]), key: RandomKey(0)).samples[0, 0]
        } else {
          let d10 = models[k] - models[k - 1]
          let d11 = models[k - 1] - models[k - 2]
          let (d1, d2) = (d10 + 0.5 * (d10 - d11), 0.5 * (d10 - d11))
          let (from, to) = (process.marginal(at: time(k)), process.marginal(at: time(k + 1)))
          let p1 = exp(-h) - 1
          let p2 = p1 / h + 1
          let p3 = p2 / h - 0.5
          x =
            to.sigma / from.sigma * x - to.alpha * p1 * models[k] + to.alpha * p2 * d1
            - to.alpha * factor * p3 * d2
        }
        models.append(try data(x, k + 1))
      }
      return x
    }
    let fine = try solve(4096, factor: 2)
    for (factor, order) in [(1.0, 2.0), (2.0, 3.0)] {
      let (a, b) = (
        abs(try solve(256, factor: factor) - fine), abs(try solve(512, factor: factor) - fine)
      )
      print("3M with \(factor) phi_3: order", log2(a / b))
      #expect(abs(log2(a / b) - order) < 0.25)
    }
  }

  @Test func aCleanEndIsReachedWithoutDividingByZero() throws {
    // σ = 0 at the end: λ is infinite there, so the last step gives the denoised data.
    let field = GaussianField<Double>(process: CosineProcess())
    let grid = try TimeGrid(times: [0.9, 0.7, 0.5, 0.3, 0.1, 0.01, 0])
    for spec in ExponentialOrderTests.specs + ["sde-dpm-solver++", "sde-dpm-solver++:order=1"] {
      let solver = try SolverSpec(spec).solver
      let result = try Sampler(field, solver: solver, grid: grid)
        .sample(from: Tensor([2, 1], [1.2, -0.4]), key: RandomKey(1))
      #expect(result.isFinished, "\(spec)")
      #expect(abs(result.samples[0, 0]) < 3, "\(spec): \(result.samples[0, 0])")
      if !solver.usesNoise {
        // Steps this long leave up to a few tenths.
        let exact = field.flow(1.2, from: 0.9, to: 0)
        #expect(abs(result.samples[0, 0] - exact) < 0.4, "\(spec)")
      }
    }
  }
}
