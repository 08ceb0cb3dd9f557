import Foundation
import ScoreAutodiff
import ScoreTensors

/// The affine map `x Wᵀ + b` of rows.
public struct Linear: Sendable {
  /// The weight, `[outputs, inputs]` as in PyTorch.
  public let weight: Parameter
  /// The bias, `[outputs]`.
  public let bias: Parameter?

  /// Creates a layer whose parameters are `name.weight` and `name.bias`; LeCun normal weights unless told otherwise.
  public init(
    _ name: String, _ inputs: Int, _ outputs: Int, bias: Bool = true, weights: Initializer? = nil
  ) {
    weight = Parameter("\(name).weight", [outputs, inputs], weights ?? .leCun(fanIn: inputs))
    self.bias = bias ? Parameter("\(name).bias", [outputs], .constant(0)) : nil
  }

  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// `[n, inputs]` to `[n, outputs]`.
  public func callAsFunction(_ x: Formula) -> Formula {
    let product = x.matmul(weight.formula, transposeOther: true)
    return bias.map { product + $0.formula } ?? product
  }
}

/// Each row shifted and scaled to mean 0 and variance 1, then by a learned scale and shift (Ba et al. 2016).
public struct LayerNorm: Sendable {
  private let scale: Parameter
  private let shift: Parameter
  private let width: Int

  /// Creates a layer whose parameters are `name.weight` and `name.bias`.
  public init(_ name: String, _ width: Int) {
    scale = Parameter("\(name).weight", [width], .constant(1))
    shift = Parameter("\(name).bias", [width], .constant(0))
    self.width = width
  }

  public var parameters: [Parameter] { [scale, shift] }

  /// `[n, width]` to the same shape; 1e-5 is added to the variance.
  public func callAsFunction(_ x: Formula) -> Formula {
    let centred = x - x.mean([-1], keepDims: true)
    let variance = square(centred).mean([-1], keepDims: true)
    return centred * rsqrt(variance + 1e-5) * scale.formula + shift.formula
  }
}

/// Sines and cosines of a number at random frequencies (Tancik et al. 2020), as in Song et al. 2021.
///
/// ```
/// c ↦ (sin 2π w₁c, …, sin 2π w_k c, cos 2π w₁c, …, cos 2π w_k c),   w ~ N(0, scale²)
/// ```
public struct FourierFeatures: Sendable {
  private let frequencies: Parameter

  /// Creates features with a buffer `name.frequencies`.
  public init(_ name: String, frequencies count: Int, scale: Double) {
    frequencies = Parameter(
      "\(name).frequencies", [count], .normal(deviation: scale), isTrained: false)
  }

  public var parameters: [Parameter] { [frequencies] }

  /// `[m, 1]` to `[m, 2 · frequencies]`.
  public func callAsFunction(_ c: Formula) -> Formula {
    let angle = c * (2 * Double.pi * frequencies.formula)
    return .concatenated([sin(angle), cos(angle)], axis: 1)
  }
}

/// Sines and cosines at geometric frequencies from 1 down, the positions of Vaswani et al. 2017.
///
/// ```
/// c ↦ (sin w₀c, …, sin w_k₋₁c, cos w₀c, …, cos w_k₋₁c),   w_i = 10000^(−i/(k − 1))
/// ```
///
/// The last frequency is 1/10000, as in DDPM's code, or, where it is left out, w_i = 10000^(−i/k).
public struct PositionalFeatures: Sendable {
  private let frequencies: Tensor<Double>

  public init(frequencies count: Int, includesLast: Bool = true) {
    let intervals = max(1, includesLast ? count - 1 : count)
    frequencies = Tensor(
      [1, count], (0..<count).map { pow(1e-4, Double($0) / Double(intervals)) })
  }

  /// `[m, 1]` to `[m, 2 · frequencies]`.
  public func callAsFunction(_ c: Formula) -> Formula {
    let angle = c * Formula(frequencies)
    return .concatenated([sin(angle), cos(angle)], axis: 1)
  }
}
