import NotebookCore
import Testing

@Suite("Sorting a program's output by block")
struct TranscriptTests {
  private let stream = Array(
    """
    early
    \u{1E}k begin 0
    one
    no line end\u{1E}k figure 12 svg loss-2 A curve, falling
    \u{1E}other begin 7
    \u{1E}k begin 1
    é漢\u{1E}k figure 13 png x \u{20}
    \u{1E}k fail 14 no such thing
    \u{1E}k end
    """.utf8)

  private let expected: [Transcript.Event] = [
    .text("early\n", block: -1),
    .begin(0),
    .text("one\nno line end", block: 0),
    .figure(name: "loss-2", format: .svg, caption: "A curve, falling", line: 12),
    .text("\u{1E}other begin 7\n", block: 0),
    .begin(1),
    .text("é漢", block: 1),
    .figure(name: "x", format: .png, caption: " ", line: 13),
    .fail("no such thing", line: 14),
  ]

  /// The events, with texts that follow each other joined.
  private func joined(_ events: [Transcript.Event]) -> [Transcript.Event] {
    events.reduce(into: []) { result, event in
      if case .text(let before, let block)? = result.last, case .text(let text, block) = event {
        result[result.count - 1] = .text(before + text, block: block)
      } else {
        result.append(event)
      }
    }
  }

  @Test("Marks are told from text", arguments: 1...40)
  func events(size: Int) {
    var transcript = Transcript(token: "k")
    var events: [Transcript.Event] = []
    for start in stride(from: 0, to: stream.count, by: size) {
      events += transcript.read(stream[start..<min(start + size, stream.count)])
    }
    // The last mark lacks its line end, so it stays text.
    events += transcript.finish()
    #expect(joined(events) == expected + [.text("\u{1E}k end", block: 1)])
    #expect(transcript.read(Array("\u{1E}k end\n".utf8)) == [.end])
  }

  @Test("Bytes that are no UTF-8 are replaced")
  func invalid() {
    var transcript = Transcript(token: "k")
    #expect(transcript.read([0x61, 0xFF, 0x0A]) == [.text("a\u{FFFD}\n", block: -1)])
  }
}
