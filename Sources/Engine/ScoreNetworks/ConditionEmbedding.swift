import ScoreAutodiff
import ScoreTensors

/// What the blocks of a network are told of a condition: features of the time and a class, as published networks embed them.
///
/// ```
/// e = silu(W₂ silu(W₁ c + b₁) + b₂ + W k)
/// ```
///
/// k are the columns of the classes, of which those of a sample's own class alone are not 0, and c are the others: W is a table of
/// embeddings, one column a class, and samples of no class go without.
package struct ConditionEmbedding: Sendable {
  private let layers: [Linear]
  private let table: Linear?
  private let classes: Range<Int>

  /// Creates an embedding of so many entries.
  /// - Parameters:
  ///   - conditions: the columns of the condition.
  ///   - classes: which of these are the classes'; others stand before.
  package init(conditions: Int, classes: Range<Int>, width: Int) {
    precondition(
      classes.lowerBound >= 0 && classes.upperBound <= conditions
        && (classes.isEmpty || classes.lowerBound > 0),
      "no classes \(classes) in \(conditions) columns")
    layers = [
      Linear("embedding.0", conditions - classes.count, width),
      Linear("embedding.1", width, width),
    ]
    table =
      classes.isEmpty ? nil : Linear("embedding.classes", classes.count, width, bias: false)
    self.classes = classes
  }

  package var parameters: [Parameter] { layers.flatMap(\.parameters) + (table?.parameters ?? []) }

  /// `[m, conditions]` to `[m, width]`.
  package func callAsFunction(_ c: Formula) -> Formula {
    guard let table else { return silu(layers[1](silu(layers[0](c)))) }
    let (first, last) = (classes.lowerBound, classes.upperBound)
    var others = c.slice(axis: 1, 0..<first)
    if last < c.shape[1] {
      others = .concatenated([others, c.slice(axis: 1, last..<c.shape[1])], axis: 1)
    }
    let time = layers[1](silu(layers[0](others)))
    return silu(time + table(c.slice(axis: 1, classes)))
  }
}
