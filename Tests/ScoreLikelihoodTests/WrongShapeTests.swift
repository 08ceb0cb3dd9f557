import ScoreLikelihood
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// Fields and solvers of one's own that give other shapes than they are asked for: a sentence with both shapes, from every
/// solver and likelihood, and no read or write beyond a buffer.
@Suite struct WrongShapeTests {
  private static let shapes: [Shape] = [[5, 2], [1, 2], [4, 3], [4, 1], [8], [2, 4]]

  private func isRefused(
    _ shape: Shape, _ what: String, expected: String = "[4, 2]",
    sourceLocation: SourceLocation = #_sourceLocation,
    _ run: () throws -> Void
  ) {
    do {
      try run()
      Issue.record("\(what), \(shape): no error", sourceLocation: sourceLocation)
    } catch {
      let words = "\(error)"
      #expect(
        words.contains("\(shape)") && words.contains(expected), "\(what): \(words)",
        sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: SolverSpec.names) func solversRefuseThem(_ name: String) throws {
    let process = try VariancePreserving()
    for shape in Self.shapes {
      let field = WrongField(process: process, noiseShape: shape, otherShape: [4, 2])
      // A fit looks at another number of samples first.
      isRefused(shape, name, expected: name == "fitted" ? ", 2]" : "[4, 2]") {
        _ = try Sampler(field, SolverSpec(name), steps: 5).sample(4, key: RandomKey(1))
      }
    }
  }

  @Test func likelihoodsRefuseThem() throws {
    let process = try VariancePreserving()
    let x = Tensor<Double>([4, 2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    for divergence in [
      Divergence.exact, .hutchinson(probes: 2), .hutchPlusPlus(sketch: 1, probes: 2),
    ] {
      for shape in Self.shapes {
        for field in [
          WrongField(process: process, noiseShape: shape, otherShape: [4, 2]),
          WrongField(process: process, noiseShape: [4, 2], otherShape: shape),
        ] {
          isRefused(shape, "\(divergence)") {
            _ = try FlowLikelihood(field, divergence: divergence).logDensity(of: x)
          }
        }
      }
    }
    for shape in Self.shapes {
      let field = WrongField(process: process, noiseShape: shape, otherShape: [4, 2])
      isRefused(shape, "encode") { _ = try FlowLikelihood(field).encode(x) }
      isRefused(shape, "bound") { _ = try VariationalBound(field, strata: 1)(x) }
      isRefused(shape, "score") { _ = try field.score(x, at: .shared(0.5)) }
    }
    // A number of traces has no shape.
    #expect(throws: ProcessError("the field gives 3 traces of 4 rows; expected one of each")) {
      try FlowLikelihood(FewTraces(process: process), divergence: .exact).logDensity(of: x)
    }
  }

  @Test func stepsOfAnotherShapeAreRefused() throws {
    let field = try GaussianOracle<Double>(
      process: VariancePreserving(), mean: 0, deviation: 1, sampleShape: [2])
    isRefused([1, 2], "step") {
      _ = try Sampler(field, solver: ShortStep(), steps: 3).sample(4, key: RandomKey(1))
    }
  }
}

/// A field of samples of two numbers whose results have shapes that are given.
private struct WrongField: DifferentiableScoreField {
  let process: any LinearProcess
  let noiseShape: Shape
  let otherShape: Shape
  var sampleShape: Shape { [2] }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> { Tensor(noiseShape) }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) {
    (Tensor(noiseShape), Tensor(otherShape))
  }
}

private struct FewTraces: DifferentiableScoreField {
  let process: any LinearProcess
  var sampleShape: Shape { [2] }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> { x }

  func noiseAndPullback(
    _ x: Tensor<Double>, at t: Times, cotangent v: Tensor<Double>
  ) throws -> (noise: Tensor<Double>, pullback: Tensor<Double>) { (x, v) }

  func noiseAndTrace(
    _ x: Tensor<Double>, at t: Times
  ) throws -> (noise: Tensor<Double>, trace: [Double]) { (x, [0, 0, 0]) }
}

/// A solver whose steps lose samples.
private struct ShortStep: StepSolver {
  let spec = Spec(kind: "solver", name: "short", argument: nil, parameters: [])
  let order = 1
  let usesNoise = false
  let evaluationsPerStep = 0

  func step<Scalar: TensorScalar>(
    _ x: Tensor<Scalar>, _ step: TimeStep, in context: inout SolverContext<Scalar>
  ) throws -> Tensor<Scalar> { x.rows(0..<1) }
}
