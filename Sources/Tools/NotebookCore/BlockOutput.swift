/// What one block of a page printed and drew.
package struct BlockOutput: Equatable, Sendable {
  /// A stretch of output.
  package enum Segment: Equatable, Sendable {
    case text(String)
    case figure(Figure)
  }

  /// The output in the order in which it was made; no two neighbours are both text.
  package private(set) var segments: [Segment] = []

  /// Output of nothing.
  package init() {}

  /// Adds printed text.
  package mutating func append(text: String) {
    if text.isEmpty { return }
    if case .text(let before)? = segments.last {
      segments[segments.count - 1] = .text(before + text)
    } else {
      segments.append(.text(text))
    }
  }

  /// Adds a figure.
  package mutating func append(_ figure: Figure) {
    segments.append(.figure(figure))
  }

  /// The figures alone.
  package var figures: [Figure] {
    segments.compactMap { if case .figure(let figure) = $0 { figure } else { nil } }
  }

  /// The printed text alone.
  package var text: String {
    segments.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined()
  }
}
