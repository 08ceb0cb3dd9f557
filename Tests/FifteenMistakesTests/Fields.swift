import Foundation
import ScoreProcesses
import ScoreTensors
import Synchronization

/// Every process by name, and one of one's own.
func everyProcess() throws -> [any LinearProcess] {
  try ProcessSpec.standardNames.map { try ProcessSpec.process($0) } + [
    try CustomProcess(name: "own", alpha: { cos(1.55 * $0) }, sigma: { sin(1.55 * $0) })
  ]
}

/// A field that counts the rows that it is asked for.
final class CountingField: ScoreField {
  let base: GaussianOracle<Double>
  private let counter = Mutex(0)

  init(_ base: GaussianOracle<Double>) { self.base = base }

  var process: any LinearProcess { base.process }
  var sampleShape: Shape { base.sampleShape }
  var count: Int { counter.withLock { $0 } }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    counter.withLock { $0 += x.rows }
    return try base.noise(x, at: t)
  }
}

/// A field with a wall: it has no value past a bound.
struct WalledField: ScoreField {
  let process: any LinearProcess
  let bound: Double
  var sampleShape: Shape { [1] }

  // Ever steeper towards the wall.
  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    x.map { $0 < bound ? -1 / (bound - $0) : .nan }
  }
}

/// Data N(0.5, 0.3²) in every entry.
func gaussian<Scalar: TensorScalar>(
  _ process: any LinearProcess, dimensions: Int = 1, of type: Scalar.Type = Double.self
) throws -> GaussianOracle<Scalar> {
  try GaussianOracle(
    process: process, mean: 0.5, deviation: 0.3, sampleShape: [dimensions])
}

/// Three Gaussians in the plane.
func mixture(_ process: any LinearProcess) throws -> MixtureOracle<Double> {
  try MixtureOracle(
    process: process,
    parameters: MixtureParameters(
      weights: [0.5, 0.3, 0.2], means: [[0, 0], [-1, 1], [1, 0.5]],
      covariances: [
        [[0.3, 0.1], [0.1, 0.2]], [[0.1, 0], [0, 0.1]], [[0.2, -0.15], [-0.15, 0.4]],
      ]))
}
