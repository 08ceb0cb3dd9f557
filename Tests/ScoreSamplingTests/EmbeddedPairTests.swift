import Foundation
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

@Suite struct EmbeddedPairTests {
  @Test(arguments: EmbeddedPair.all.map(\.method.name))
  func coefficientsMeetTheOrderConditions(_ name: String) throws {
    let pair = try #require(EmbeddedPair.all.first { $0.method.name == name })
    let method = pair.method
    for (node, row) in zip(method.nodes, method.stages) {
      #expect(abs(row.reduce(0, +) - node) < 1e-14)
    }
    // Every rooted tree up to the order, 200 for order 8: Φ(tree) = 1/γ(tree) (Butcher).
    let trees = RootedTree.all(upTo: method.order)
    #expect(trees.count == [3: 4, 5: 17, 8: 200][method.order])
    for tree in trees {
      let sum = zip(method.weights, tree.elementaryWeights(method)).reduce(0) { $0 + $1.0 * $1.1 }
      #expect(abs(sum * tree.density - 1) < 1e-11, "\(name): \(tree)")
    }
    #expect(pair.evaluationsPerStep >= method.order)
  }

  /// The leading terms of these methods are so small that on most flows the next ones hide them until rounding does: slopes
  /// are then above the order. So they are taken where the leading term shows: at the finest pair of steps whose errors
  /// stand clear of rounding, on a field of its own for each variable.
  @Test(arguments: EmbeddedPair.all.map(\.method.name), [FlowRungeKutta.Variable.time, .noise])
  func fixedStepsHaveTheirOrder(_ name: String, _ variable: FlowRungeKutta.Variable) throws {
    let method = try #require(EmbeddedPair.all.first { $0.method.name == name }).method
    // The ends of σ/α, and a mixture.
    let (high, low, parameters) =
      variable == .time
      ? (
        5.0, 0.1,
        MixtureParameters(
          weights: [0.5, 0.5], means: [[-0.25, 0.75], [0.25, 0.5]],
          covariances: [[[0.35, 0], [0, 0.05]], [[0.35, 0], [0, 0.15]]])
      )
      : (
        5, 0.2,
        MixtureParameters(
          weights: [5.0 / 14, 5.0 / 14, 4.0 / 14], means: [[2, 0], [0, -1.5], [-0.75, 0.75]],
          covariances: [
            [[0.45, 0], [0, 0.25]], [[0.15, 0], [0, 0.3]], [[0.25, 0], [0, 0.3]],
          ])
      )
    for process in processes {
      let field = try MixtureOracle<Double>(process: process, parameters: parameters)
      let (start, end) = (
        process.time(halfLogSNR: -log(high)), process.time(halfLogSNR: -log(low))
      )
      let scale = process.marginal(at: start).alpha * (high * high + 1).squareRoot()
      let x = scale * Tensor<Double>([4, 2], [0.6, -0.9, -1.3, 0.4, 0.2, 1.1, 1.7, -0.3])
      func run(_ method: RungeKuttaTableau, _ steps: Int) throws -> Tensor<Double> {
        let grid = try TimeGrid.logSNR(of: process, from: start, to: end, steps: steps)
        return try Sampler(
          field, solver: FlowRungeKutta(method, variable: variable), grid: grid
        ).sample(from: x, key: RandomKey(0)).samples
      }
      let exact = try run(EmbeddedPair.dormandPrince8.method, 300)
      func error(_ steps: Int) throws -> Double {
        let difference = try run(method, steps) - exact
        return (difference.scalars.reduce(0) { $0 + $1 * $1 } / 8).squareRoot()
      }
      var slopes: [Double] = []
      for steps in method.order == 8 ? [4, 6, 8, 12, 16] : [16, 24, 32, 48, 64, 96, 128] {
        let (coarse, fine) = (try error(steps), try error(2 * steps))
        guard fine > 6e-14 else { break }
        slopes.append(log2(coarse / fine))
      }
      print(
        "\(name) in \(variable) on \(process.name), mixture: order",
        slopes.map { ($0 * 100).rounded() / 100 })
      let last = try #require(slopes.last)
      #expect(
        abs(last - Double(method.order)) < 0.2,
        "\(name) in \(variable) on \(process.name): \(slopes)")
    }
  }

  @Test(arguments: EmbeddedPair.all.map(\.method.name))
  func orderOnAnEquationWithAClosedForm(_ name: String) throws {
    // A rotation, y = (cos t, −sin t).
    struct Rotation: RowSystem {
      let width = 2
      mutating func rates(
        of y: UnsafePointer<Double>, at times: [Double], sharesTime: Bool, withIntegrals: Bool,
        into rates: UnsafeMutablePointer<Double>
      ) {
        for row in times.indices {
          rates[2 * row] = y[2 * row + 1]
          rates[2 * row + 1] = -y[2 * row]
        }
      }
    }
    let method = try #require(EmbeddedPair.all.first { $0.method.name == name }).method
    let errors = try (method.order == 8 ? [4, 8, 16] : [32, 64, 128]).map { steps in
      var system = Rotation()
      let result = try FixedIntegrator(method, steps: steps)
        .integrate(&system, [1, 0], from: 0, to: 3)
      return hypot(result.states[0] - cos(3.0), result.states[1] + sin(3.0))
    }
    let slope = log2(errors[1] / errors[2])
    print("\(name): order \(slope), errors \(errors)")
    #expect(abs(slope - Double(method.order)) < 0.2, "\(name): \(errors)")
  }

  @Test(arguments: EmbeddedPair.all.map(\.method.name))
  func adaptiveStepsKeepTheToleranceAndTheirCost(_ name: String) throws {
    for process in processes {
      let field = GaussianField<Double>(process: process)
      let x = Tensor<Double>([2, 1], [0.9, -1])
      for tolerance in [1e-4, 1e-8] {
        let spec = "ode:method=\(name),rtol=\(tolerance),atol=\(tolerance)"
        let solver = try SolverSpec(spec).solver
        let result = try Sampler(field, solver: solver, steps: 1, epsilon: 1e-3)
          .sample(from: x, key: RandomKey(0))
        #expect(result.isFinished)
        for (row, start) in [0.9, -1].enumerated() {
          let exact = field.flow(start, from: 1, to: 1e-3)
          #expect(
            abs(result.samples[row, 0] - exact) < 100 * tolerance,
            "\(spec) on \(process.name): \(result.samples[row, 0] - exact)")
          #expect((result.evaluations[row] - 2) % solver.evaluationsPerStep == 0)
        }
      }
    }
  }

  @Test(arguments: EmbeddedPair.all.map(\.method.name))
  func aHardSampleChangesNobodyElse(_ name: String) throws {
    let field = try planarMixture(VariancePreserving())
    var x = RandomKey(3).normal([12, 2], of: Double.self)
    x[7, 0] = 1e5
    let sampler = try Sampler(field, SolverSpec("ode:method=\(name),rtol=1e-7,atol=1e-7"), steps: 1)
    let together = try sampler.sample(from: x, key: RandomKey(0))
    for row in 0..<12 {
      let alone = try sampler.sample(from: x.rows(row..<row + 1), key: RandomKey(0))
      #expect(alone.samples == together.samples.rows(row..<row + 1))
      #expect(alone.evaluations[0] == together.evaluations[row])
    }
    #expect(Set(together.evaluations).count > 1)
  }

  @Test(arguments: EmbeddedPair.all.map(\.method.name))
  func trajectoriesLieOnTheFlow(_ name: String) throws {
    let field = GaussianField<Double>(process: try VariancePreserving())
    var sampler = try Sampler(
      field, SolverSpec("ode:method=\(name),rtol=1e-8,atol=1e-8"), steps: 40, epsilon: 0.1)
    sampler.trajectoryStride = 1
    let result = try sampler.sample(2, key: RandomKey(2))
    #expect(result.trajectory.count == 41)
    for point in result.trajectory {
      for row in 0..<2 {
        let start = try #require(result.trajectory.first).x[row, 0]
        #expect(abs(point.x[row, 0] - field.flow(start, from: 1, to: point.time)) < 2e-4)
      }
    }
  }
}

/// A rooted tree, by the trees at its root.
private struct RootedTree {
  let branches: [RootedTree]

  var order: Int { branches.reduce(1) { $0 + $1.order } }
  var density: Double { branches.reduce(Double(order)) { $0 * $1.density } }

  /// For each stage the product over the branches of Σ a_ij (the branch's own weight at j).
  func elementaryWeights(_ method: RungeKuttaTableau) -> [Double] {
    let inner = branches.map { $0.elementaryWeights(method) }
    return method.stages.map { row in
      inner.reduce(1.0) { product, weights in
        product * zip(row, weights).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
  }

  static func all(upTo order: Int) -> [RootedTree] {
    var trees: [RootedTree] = []
    for size in 1...order {
      trees += forests(of: size - 1, from: trees[...]).map { RootedTree(branches: $0) }
    }
    return trees
  }

  /// The multisets of the given trees with so many vertices in all.
  private static func forests(
    of size: Int, from trees: ArraySlice<RootedTree>
  ) -> [[RootedTree]] {
    guard size > 0 else { return [[]] }
    return trees.indices.flatMap { place -> [[RootedTree]] in
      let tree = trees[place]
      guard tree.order <= size else { return [] }
      return forests(of: size - tree.order, from: trees[place...]).map { [tree] + $0 }
    }
  }
}
