/// One sentence about what went wrong, with the place where it did.
package struct Failure: Error, Equatable, CustomStringConvertible {
  /// The page or other file, as it is named to the reader; nil where no file is to blame.
  package var file: String?

  /// The line in `file`, counted from 1.
  package var line: Int?

  /// What was found and what was expected.
  package var sentence: String

  /// Makes a failure from its sentence and, where known, its place.
  package init(_ sentence: String, file: String? = nil, line: Int? = nil) {
    self.sentence = sentence
    self.file = file
    self.line = line
  }

  /// `file:line: sentence`, the form that editors turn into links.
  package var description: String {
    guard let file else { return sentence }
    guard let line else { return "\(file): \(sentence)" }
    return "\(file):\(line): \(sentence)"
  }
}
