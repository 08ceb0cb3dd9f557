import ScoreAutodiff
import ScoreTensors

/// A function of rows under a condition, as a formula of its named parameters.
///
/// The condition has as many rows as x, or one row for all; with one row, all that depends on it alone is done once. Row i of
/// the result depends on row i alone, since batches are cut as it suits the machine.
///
/// ```swift
/// struct Energy: Network {  // the gradient of one number
///   private let energy: MLP
///   init(inputs: Int, conditions: Int) {
///     energy = MLP(inputs: inputs, conditions: conditions, width: 64, layers: 2, outputs: 1)
///   }
///   var parameters: [Parameter] { energy.parameters }
///   func callAsFunction(_ x: Formula, condition: Formula) -> Formula {
///     gradient(of: energy(x, condition: condition).sum(), withRespectTo: x)
///   }
/// }
/// ```
public protocol Network: Sendable {
  /// The parameters, in the order of files and optimisers.
  var parameters: [Parameter] { get }

  /// The result for `x` of shape `[n, inputs]` and a condition of shape `[n or 1, features]`.
  func callAsFunction(_ x: Formula, condition: Formula) -> Formula
}

/// A multilayer perceptron on (x, condition) joined, with SiLU between its layers.
///
/// The first layer's product with the joined row is written as a sum of two, so that the condition's share is computed
/// once where all rows have the same condition.
public struct MLP: Network {
  private let input: Linear
  private let condition: Linear
  private let hidden: [Linear]
  private let output: Linear

  /// Creates a network with `layers` hidden layers of `width` units.
  public init(inputs: Int, conditions: Int, width: Int, layers: Int, outputs: Int) {
    precondition(layers >= 1 && width >= 1, "layers \(layers) and width \(width) are at least 1")
    let weights = Initializer.leCun(fanIn: inputs + conditions)
    input = Linear("layers.0.input", inputs, width, bias: false, weights: weights)
    condition = Linear("layers.0.condition", conditions, width, weights: weights)
    hidden = (1..<layers).map { Linear("layers.\($0)", width, width) }
    output = Linear("output", width, outputs)
  }

  public var parameters: [Parameter] {
    input.parameters + condition.parameters + hidden.flatMap(\.parameters) + output.parameters
  }

  public func callAsFunction(_ x: Formula, condition c: Formula) -> Formula {
    let first = silu(input(x) + condition(c))
    return output(hidden.reduce(first) { silu($1($0)) })
  }
}

/// A residual network with layer normalisation before each block and the condition added inside it.
///
/// ```
/// e = silu(Wₑ c + bₑ),   h ← Wᵢ x + e
/// h ← h + W₂ silu(W₁ norm(h) + W_c e)      a block
/// y = Wₒ norm(h)
/// ```
///
/// The last maps of blocks and network start at 0, so that the network starts as the zero function.
public struct ResidualMLP: Network {
  private struct Block {
    let norm: LayerNorm
    let first: Linear
    let condition: Linear
    let second: Linear

    var parameters: [Parameter] {
      norm.parameters + first.parameters + condition.parameters + second.parameters
    }
  }

  private let input: Linear
  private let embedding: Linear
  private let blocks: [Block]
  private let norm: LayerNorm
  private let output: Linear

  /// Creates a network of `blocks` blocks on `width` units.
  public init(inputs: Int, conditions: Int, width: Int, blocks count: Int, outputs: Int) {
    precondition(count >= 1 && width >= 1, "blocks \(count) and width \(width) are at least 1")
    input = Linear("input", inputs, width)
    embedding = Linear("embedding", conditions, width)
    blocks = (0..<count).map {
      Block(
        norm: LayerNorm("blocks.\($0).norm", width),
        first: Linear("blocks.\($0).first", width, width),
        condition: Linear("blocks.\($0).condition", width, width, bias: false),
        second: Linear("blocks.\($0).second", width, width, weights: .constant(0)))
    }
    norm = LayerNorm("norm", width)
    output = Linear("output", width, outputs, weights: .constant(0))
  }

  public var parameters: [Parameter] {
    input.parameters + embedding.parameters + blocks.flatMap(\.parameters) + norm.parameters
      + output.parameters
  }

  public func callAsFunction(_ x: Formula, condition c: Formula) -> Formula {
    let e = silu(embedding(c))
    let h = blocks.reduce(input(x) + e) { h, block in
      h + block.second(silu(block.first(block.norm(h)) + block.condition(e)))
    }
    return output(norm(h))
  }
}
