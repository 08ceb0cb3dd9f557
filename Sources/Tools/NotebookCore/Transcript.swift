/// Reads what a page's program writes to its standard output, and sorts it by block.
///
/// The prelude marks where a block starts, where a figure belongs and where the program ends. A mark
/// is the character U+001E, the word that the run agreed on, and a few words up to the line's end.
package struct Transcript {
  /// A mark, or text between two marks.
  package enum Event: Equatable {
    /// Text that the block with this index printed; -1 before the first.
    case text(String, block: Int)

    /// The block with this index starts.
    case begin(Int)

    /// The block that runs has written a figure to a file.
    case figure(name: String, format: Figure.Format, caption: String, line: Int)

    /// The block that runs asked for what cannot be done.
    case fail(String, line: Int)

    /// All blocks have run.
    case end
  }

  private let mark: [UInt8]
  private var pending: [UInt8] = []
  private var block = -1

  /// A reader of output whose marks use `token`.
  package init(token: String) {
    mark = [0x1E] + Array("\(token) ".utf8)
  }

  /// The events that some more bytes complete.
  package mutating func read(_ bytes: some Sequence<UInt8>) -> [Event] {
    pending += bytes
    var events: [Event] = []
    while let start = nextMark() {
      take(start, into: &events)
      guard pending.starts(with: mark), let end = pending.firstIndex(of: 0x0A) else {
        return events
      }
      let words = Self.string(pending[mark.count..<end])
      pending.removeFirst(end + 1)
      if let event = Self.event(words) {
        if case .begin(let index) = event { block = index }
        events.append(event)
      }
    }
    take(wholeCharacters(), into: &events)
    return events
  }

  /// The events that are left when the program has ended.
  package mutating func finish() -> [Event] {
    var events: [Event] = []
    take(pending.count, into: &events)
    return events
  }

  /// Where the first mark, or what may become one, starts.
  private func nextMark() -> Int? {
    pending.indices.first { index in
      pending[index] == 0x1E
        && zip(pending[index...], mark).allSatisfy { $0 == $1 }
    }
  }

  /// How many of the pending bytes can be read without the ones to come.
  private func wholeCharacters() -> Int {
    // A character of several bytes may be cut anywhere; a line end never is.
    (pending.lastIndex(of: 0x0A) ?? -1) + 1
  }

  private mutating func take(_ count: Int, into events: inout [Event]) {
    if count == 0 { return }
    events.append(.text(Self.string(pending[..<count]), block: block))
    pending.removeFirst(count)
  }

  private static func string(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
  }

  private static func event(_ words: String) -> Event? {
    let verb = words.split(separator: " ", maxSplits: 1).map(String.init)
    let rest = verb.count > 1 ? verb[1] : ""
    switch verb.first {
    case "begin":
      return Int(rest).map(Event.begin)
    case "end":
      return .end
    case "fail":
      let parts = rest.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, let line = Int(parts[0]) else { return nil }
      return .fail(String(parts[1]), line: line)
    case "figure":
      let parts = rest.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
      guard parts.count == 4, let line = Int(parts[0]),
        let format = Figure.Format(rawValue: String(parts[1]))
      else { return nil }
      return .figure(name: String(parts[2]), format: format, caption: String(parts[3]), line: line)
    default:
      return nil
    }
  }
}
