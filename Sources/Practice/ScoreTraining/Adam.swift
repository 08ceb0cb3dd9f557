import Foundation
import ScoreTensors

/// Adam (Kingma & Ba 2015, algorithm 1) with gradient clipping and a moving average of the parameters, in one pass.
///
/// ```
/// m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
/// p ← p − η (m/(1 − β₁ᵏ)) / (√(v/(1 − β₂ᵏ)) + 1e-8),   average ← d·average + (1 − d) p
/// ```
public struct Adam<Scalar: TensorScalar>: Sendable {
  /// The first and second moments, one tensor a parameter.
  public package(set) var first: [Tensor<Scalar>]
  public package(set) var second: [Tensor<Scalar>]
  /// The moving average of the parameters.
  public package(set) var average: [Tensor<Scalar>]
  /// Steps done.
  public package(set) var steps = 0

  private static var betas: (Double, Double) { (0.9, 0.999) }

  /// Creates the state before the first step.
  public init(_ parameters: [Tensor<Scalar>]) {
    first = parameters.map { Tensor($0.shape) }
    second = first
    average = parameters
  }

  /// Changes the parameters `indices` of `parameters` by one step.
  ///
  /// - Parameters:
  ///   - gradients: one for each of `indices`, in their order.
  ///   - scale: what the gradients are multiplied with first, for clipping.
  ///   - rate: the learning rate η.
  ///   - decay: the average's decay d.
  public mutating func step(
    _ parameters: inout [Tensor<Scalar>], at indices: [Int], gradients: ArraySlice<Tensor<Scalar>>,
    scale: Double, rate: Double, decay: Double
  ) {
    precondition(
      indices.count == gradients.count, "\(gradients.count) gradients for \(indices.count)")
    steps += 1
    let (beta1, beta2) = Self.betas
    let step = rate / (1 - pow(beta1, Double(steps)))
    let inverseRoot = 1 / (1 - pow(beta2, Double(steps))).squareRoot()
    for (index, gradient) in zip(indices, gradients) {
      gradient.withUnsafeBuffer { g in
        parameters[index].withUnsafeMutableBuffer { p in
          first[index].withUnsafeMutableBuffer { m in
            second[index].withUnsafeMutableBuffer { v in
              average[index].withUnsafeMutableBuffer { average in
                Scalar._adam(
                  .best, g.count, g.baseAddress, Scalar(scale), p.baseAddress, m.baseAddress,
                  v.baseAddress, average.baseAddress, Scalar(step), Scalar(beta1), Scalar(beta2),
                  Scalar(inverseRoot), 1e-8, Scalar(decay))
              }
            }
          }
        }
      }
    }
  }
}
