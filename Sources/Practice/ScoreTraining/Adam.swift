import Foundation
import ScoreNetworks
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
  /// The moving average of the parameters; empty where none is kept.
  public package(set) var average: [Tensor<Scalar>]
  /// Steps done.
  public package(set) var steps = 0

  private static var betas: (Double, Double) { (0.9, 0.999) }
  /// Workers take multiples of so many entries of each parameter.
  static var granule: Int { 1024 }

  /// Creates the state before the first step.
  ///
  /// - Parameter averages: whether a moving average of the parameters is kept.
  public init(_ parameters: [Tensor<Scalar>], averages: Bool = true) {
    first = parameters.map { Tensor($0.shape) }
    second = first
    average = averages ? parameters : []
  }

  /// Refuses parameters that the machine cannot hold with their gradient, the average and the two moments.
  /// - Throws: `TrainingError`.
  static func checkMemory(of parameters: [Parameter], _ network: String) throws(TrainingError) {
    let entries = parameters.reduce(0.0) { $0 + Double($1.shape.count) }
    if let shortage = Memory.shortage(of: 5 * entries, Scalar.self) {
      throw TrainingError(
        "the \(network) has \(Int(entries / 1e6)) million parameters, which with what trains them take \(shortage); expected a smaller network"
      )
    }
  }

  /// Changes the parameters `indices` of `parameters` by one step.
  ///
  /// - Parameters:
  ///   - gradients: the gradient's entries for each of `indices`, in their order.
  ///   - scale: what the gradients are multiplied with first, for clipping.
  ///   - rate: the learning rate η.
  ///   - decay: the average's decay d.
  ///   - pool: whose workers share the entries.
  package mutating func step(
    _ parameters: inout [Tensor<Scalar>], at indices: [Int],
    gradients: [UnsafePointer<Scalar>], scale: Double, rate: Double, decay: Double,
    pool: ThreadPool
  ) {
    precondition(
      indices.count == gradients.count, "\(gradients.count) gradients for \(indices.count)")
    steps += 1
    let (beta1, beta2) = Self.betas
    let step = rate / (1 - pow(beta1, Double(steps)))
    let inverseRoot = 1 / (1 - pow(beta2, Double(steps))).squareRoot()
    func writable(_ tensors: inout [Tensor<Scalar>], _ index: Int) -> UnsafeMutablePointer<Scalar>?
    {
      tensors[index].withUnsafeMutableBuffer { $0.baseAddress }
    }
    // The pointers hold until one of the tensors is touched again, which is after the last of them was used.
    let parts = zip(indices, gradients).map { index, gradient in
      Part(
        count: parameters[index].count, gradient: gradient, parameter: writable(&parameters, index),
        first: writable(&first, index), second: writable(&second, index),
        average: average.isEmpty ? nil : writable(&average, index))
    }
    pool.run { worker, workers in
      for item in parts.indices {
        let part = parts[item]
        let share = ThreadPool.share(
          of: part.count, granule: Self.granule, item: item, worker, workers)
        if share.isEmpty { continue }
        let start = share.lowerBound
        Scalar._adam(
          .best, share.count, part.gradient + start, Scalar(scale),
          part.parameter.map { $0 + start },
          part.first.map { $0 + start }, part.second.map { $0 + start },
          part.average.map { $0 + start }, Scalar(step), Scalar(beta1), Scalar(beta2),
          Scalar(inverseRoot), 1e-8, Scalar(decay))
      }
    }
  }

  /// One parameter's memory; workers keep to disjoint entries.
  private struct Part: @unchecked Sendable {
    let count: Int
    let gradient: UnsafePointer<Scalar>
    let parameter: UnsafeMutablePointer<Scalar>?
    let first: UnsafeMutablePointer<Scalar>?
    let second: UnsafeMutablePointer<Scalar>?
    let average: UnsafeMutablePointer<Scalar>?
  }
}
