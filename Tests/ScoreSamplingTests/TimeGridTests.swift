import Foundation
import ScoreProcesses
import ScoreSampling
import Testing

@Suite struct TimeGridTests {
  @Test func uniformGridsHaveExactEnds() throws {
    for count in [1, 3, 7, 1000] {
      let grid = try TimeGrid.uniform(from: 1, to: 1e-5, steps: count)
      #expect(grid.steps.count == count && grid.start == 1 && grid.end == 1e-5)
      for (step, following) in zip(grid.steps, grid.steps.dropFirst()) {
        #expect(step.next == following.time)
        #expect(abs(step.length - (1 - 1e-5) / Double(count)) < 1e-12)
      }
    }
  }

  @Test func quadraticGridsAreEvenInTheRoot() throws {
    let grid = try TimeGrid.quadratic(from: 1, to: 0.04, steps: 4)
    let times = [grid.start] + grid.steps.map(\.next)
    for (found, root) in zip(times, [1, 0.8, 0.6, 0.4, 0.2]) {
      #expect(abs(found - root * root) < 1e-15)
    }
    #expect(times.count == 5 && times[0] == 1 && times[4] == 0.04)
    // By name too.
    let field = GaussianField<Double>(process: try VariancePreserving())
    let named = try Sampler(field, SolverSpec("ddim:grid=quadratic"), steps: 4, epsilon: 0.04)
    #expect(named.grid == grid)
  }

  @Test func karrasGridIsThePublishedOne() throws {
    // 18 levels from 80 to 0.002 with ρ = 7.
    let published = [
      80, 57.58598, 40.78557, 28.37458, 19.35245, 12.91008, 8.400935, 5.315195, 3.256822, 1.923340,
      1.088171, 0.5853481, 0.2964423, 0.1395165, 0.05994731, 0.02293452, 0.00752802, 0.002,
    ]
    let process = try VarianceExploding(sigmaMin: 1e-3, sigmaMax: 80)
    let epsilon = log(0.002 / 1e-3) / log(80 / 1e-3)
    let grid = try TimeGrid.karras(of: process, from: 1, to: epsilon, steps: 17)
    let levels = (grid.steps.map(\.time) + [grid.end]).map { process.marginal(at: $0).sigma }
    #expect(levels.count == published.count)
    for (level, expected) in zip(levels, published) { #expect(abs(level / expected - 1) < 1e-6) }
  }

  /// However small the last time is, or the noise there.
  @Test func logSNRGridsReachTheSmallestTimes() throws {
    for (process, end) in [
      (try ElucidatedDiffusion(sigmaMin: 1e-100), 1e-100) as (any LinearProcess, Double),
      (try VariancePreserving(), 1e-290),
    ] {
      let grid = try TimeGrid.logSNR(
        of: process, from: process.endTime, to: end, steps: 7)
      let ratios = ([grid.start] + grid.steps.map(\.next)).map {
        process.marginal(at: $0).halfLogSNR
      }
      for (place, ratio) in ratios.enumerated() {
        let even = ratios[0] + Double(place) / 7 * (ratios[7] - ratios[0])
        #expect(abs(ratio - even) < 1e-9 * abs(ratios[7]), "\(process.name) \(place)")
      }
    }
  }

  /// Times where σ is t itself are even in the noise, and those of VP and VE even in t.
  @Test func schedulesSuitTheirProcess() throws {
    let edm = try ElucidatedDiffusion()
    #expect(EulerMaruyama().suitedSchedule(for: try VariancePreserving()) == .uniform)
    #expect(EulerMaruyama().suitedSchedule(for: edm) == .logSNR)
    #expect(try ChurnedHeun().suitedSchedule(for: VarianceExploding()) == .uniform)
    #expect(try ChurnedHeun().suitedSchedule(for: edm) == .karras(rho: 7))
  }

  /// A reference step of length h adds g² h, of which (σ_s/σ_t)² is left where the data are given.
  @Test func referenceStepsOfRatesAreEulers() throws {
    let process = try SubVariancePreserving()
    for step in try TimeGrid.reference(for: process, steps: 50, epsilon: 1e-3).steps {
      let transition = step.transition(of: process)
      let variance = process.rates(at: step.time).squaredDiffusion / 50
      let ratio =
        process.marginal(at: max(0, step.next)).sigma / process.marginal(at: step.time).sigma
      #expect(abs(transition.variance / variance - 1) < 1e-12)
      #expect(abs(transition.posteriorVariance - variance * ratio * ratio) < 1e-12 * variance)
    }
  }

  @Test func logSNRGridIsEvenOnEveryProcess() throws {
    for process in processes {
      let grid = try TimeGrid.logSNR(of: process, from: 1, to: 1e-3, steps: 12)
      let values = (grid.steps.map(\.time) + [grid.end])
        .map { process.marginal(at: $0).halfLogSNR }
      let gap = (values[12] - values[0]) / 12
      for (a, b) in zip(values, values.dropFirst()) { #expect(abs(b - a - gap) < 1e-9) }
      #expect(grid.start == 1 && grid.end == 1e-3)
    }
  }

  @Test func wrongGridsAreRefused() throws {
    #expect(throws: SamplingError("the number of steps is 0; expected 1 or more")) {
      try TimeGrid.uniform(from: 1, to: 0.1, steps: 0)
    }
    #expect(throws: SamplingError("epsilon is 1.0 and T is 1.0; expected 0 < epsilon < T")) {
      try TimeGrid.uniform(from: 1, to: 1, steps: 2)
    }
    for (end, epsilon) in [(1.0, 0.0), (1, -1), (1, 2), (.infinity, 0.1), (1, .nan)] {
      #expect(throws: SamplingError.self) {
        try TimeGrid.uniform(from: end, to: epsilon, steps: 2)
      }
    }
    for times in [[], [1], [1, 1], [0.5, 1], [1, -0.1], [.nan, 0.1], [1, .nan]] {
      #expect(throws: SamplingError.self) { try TimeGrid(times: times) }
    }
    let process = try VariancePreserving()
    for rho in [0, -1, .nan] {
      #expect(throws: SamplingError.self) {
        try TimeGrid.karras(of: process, from: 1, to: 0.1, steps: 3, rho: rho)
      }
    }
    #expect(throws: SamplingError.self) {
      try GridSchedule.uniform.grid(for: process, steps: 3, from: 2)
    }
    // β/N would pass 1.
    #expect(throws: SamplingError.self) {
      try TimeGrid.reference(for: process, steps: 10, epsilon: 1e-3)
    }
    #expect(throws: SamplingError.self) {
      try TimeGrid.reference(for: process, steps: 1, epsilon: 1e-3)
    }
  }
}
