import Foundation
import ScoreProcesses
import ScoreTensors

/// The exact field of data N(m, s² I) under any linear process.
struct GaussianField<Scalar: TensorScalar>: ScoreField {
  let process: any LinearProcess
  var mean = 0.5
  var deviation = 0.3
  var sampleShape: Shape = [1]

  func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    func factors(_ t: Double) -> (Scalar, Scalar) {
      let marginal = process.marginal(at: t)
      let (alpha, sigma) = (marginal.alpha, marginal.sigma)
      let a = sigma / (alpha * alpha * deviation * deviation + sigma * sigma)
      return (Scalar(a), Scalar(-a * alpha * mean))
    }
    let ones = Tensor<Scalar>(x.shape, repeating: 1)
    switch t {
    case .shared(let t):
      let (a, b) = factors(t)
      return .combined(a, x, b, ones)
    case .perSample(let times):
      let pairs = times.map(factors)
      return .combinedRows(pairs.map(\.0), x, pairs.map(\.1), ones)
    }
  }

  /// Where the probability-flow ODE carries x from one time to another.
  func flow(_ x: Double, from t: Double, to s: Double) -> Double {
    func moments(_ t: Double) -> (Double, Double) {
      let marginal = process.marginal(at: t)
      let alpha = marginal.alpha
      let variance = alpha * alpha * deviation * deviation + marginal.sigma * marginal.sigma
      return (alpha * mean, variance.squareRoot())
    }
    let (from, to) = (moments(t), moments(s))
    return to.0 + to.1 * (x - from.0) / from.1
  }
}

/// A process of a user's own: α = cos ωt, σ = sin ωt (Nichol & Dhariwal 2021, without their offset).
struct CosineProcess: LinearProcess {
  let omega = 0.49 * Double.pi
  var name: String { "cosine" }
  var endTime: Double { 1 }
  var cutoffs: Cutoffs { Cutoffs(sampling: 1e-3) }
  var priorDeviation: Double { 1 }

  func marginal(at t: Double) -> Marginal {
    Marginal(logAlpha: log(cos(omega * t)), sigma: sin(omega * t))
  }

  // f = −ω tan ωt; g² = (σ²)′ − 2 f σ² = 2 ω tan ωt.
  func rates(at t: Double) -> Rates {
    Rates(
      drift: -omega * tan(omega * t), squaredDiffusion: 2 * omega * tan(omega * t),
      noiseGain: omega / cos(omega * t))
  }
}

/// A field that is not linear, so that samples differ in how hard they are: ε̂ = tanh(x) + t.
struct BentField<Scalar: TensorScalar>: ScoreField {
  let process: any LinearProcess
  var sampleShape: Shape = [2]

  func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    let width = x.shape.rowCount
    return Tensor(x.shape) { out in
      x.withUnsafeBuffer { x in
        for i in 0..<x.count {
          out[i] = Scalar(tanh(3 * Double(x[i])) + 0.1 * t[i / width])
        }
      }
    }
  }
}

/// A field that has no value for samples that go above a bound.
struct BrokenField: ScoreField {
  let process: any LinearProcess
  let bound: Double
  var sampleShape: Shape { [1] }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    x.map { $0 > bound ? .nan : $0 }
  }
}

/// A field that is no number at one time.
struct EndBrokenField: ScoreField {
  let process: any LinearProcess
  let time: Double
  var sampleShape: Shape { [1] }

  func noise(_ x: Tensor<Double>, at t: Times) throws -> Tensor<Double> {
    t[0] == time ? x.map { _ in .nan } : x
  }
}

let processes: [any LinearProcess] = {
  do {
    return [
      try VariancePreserving(), try SubVariancePreserving(), try VarianceExploding(),
      CosineProcess(),
    ]
  } catch {
    preconditionFailure("the standard processes are refused: \(error)")
  }
}()
