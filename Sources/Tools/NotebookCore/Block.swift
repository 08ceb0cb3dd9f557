/// A block of Swift on a page that is run.
package struct Block: Equatable {
  /// The line of the page on which its fence opens, counted from 1.
  package var line: Int

  /// The index of the line that closes its fence.
  var close: Int

  /// The column at which the fence stands.
  var indent: Int

  /// The lines of Swift.
  package var code: [String]

  /// Whether the output may differ from run to run, so that a check does not compare it.
  package var isVolatile: Bool

  /// What the words after `swift` on the opening fence ask for.
  enum Treatment {
    case run, runVolatile, show
  }

  /// Reads the info string of a fence; nil where the block is not Swift, and a failure where it
  /// looks like Swift but asks for something that does not exist.
  static func treatment(of info: String) throws(Failure) -> Treatment? {
    var words = info.split { $0 == " " || $0 == "\t" }.map(String.init)
    guard let language = words.first?.lowercased(), language.hasPrefix("swift") else { return nil }
    words.removeFirst()
    guard language == "swift" else {
      let next = language.dropFirst("swift".count).first ?? " "
      if next.isLetter || next.isNumber { return nil }
      throw Failure("a space must follow \"swift\" in \"```\(info)\"")
    }
    switch words {
    case []: return .run
    case ["skip"]: return .show
    case ["volatile"]: return .runVolatile
    default:
      let found = words.joined(separator: " ")
      throw Failure("\"```swift\" may be followed by skip or by volatile, not by \"\(found)\"")
    }
  }
}
