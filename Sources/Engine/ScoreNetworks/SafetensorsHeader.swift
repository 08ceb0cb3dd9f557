import Foundation
import ScoreTensors

/// The header of a safetensors file: one JSON object, read to the letter.
///
/// Foundation's readers keep one of two members of the same name, take 2.0 and true for whole numbers and pass over a
/// comma too many, so that a file could hold other tensors here than elsewhere.
struct SafetensorsHeader {
  /// A value; a number, `true`, `false` or `null` is a word, kept as it is written.
  enum Value: CustomStringConvertible {
    case text(String)
    case word(String)
    case list([Value])
    case object([String: Value])

    /// The number that a word without point, exponent and leading zeros stands for.
    var wholeNumber: Int? {
      guard case .word(let word) = self, let number = Int(word), "\(number)" == word else {
        return nil
      }
      return number
    }

    var description: String {
      switch self {
      case .text(let text): "\"\(text)\""
      case .word(let word): word
      case .list(let values): "\(values)"
      case .object: "{…}"
      }
    }
  }

  /// The members of the object.
  let members: [String: Value]

  /// Reads a header; `path` is for errors.
  init(_ bytes: ArraySlice<UInt8>, path: String) throws(FileError) {
    var scanner = Scanner(bytes, path: path)
    members = try scanner.whole()
  }

  private struct Scanner {
    private let bytes: ArraySlice<UInt8>
    private var place: Int
    private let path: String
    private let decoder = JSONDecoder()

    init(_ bytes: ArraySlice<UInt8>, path: String) {
      self.bytes = bytes
      self.path = path
      place = bytes.startIndex
    }

    mutating func whole() throws(FileError) -> [String: Value] {
      guard skip("{") else { throw malformed }
      let members = try members(depth: 1)
      skipBlanks()
      guard place == bytes.endIndex else { throw malformed }
      return members
    }

    private var malformed: FileError {
      FileError(
        "\(path): the header is not a JSON object: it cannot be read from its byte \(place - bytes.startIndex) on"
      )
    }

    private mutating func skipBlanks() {
      while place < bytes.endIndex, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
      skipBlanks()
      guard place < bytes.endIndex, bytes[place] == UInt8(ascii: character) else { return false }
      place += 1
      return true
    }

    private mutating func value(depth: Int) throws(FileError) -> Value {
      // The format needs three levels; without a limit, brackets alone could fill the stack.
      guard depth < 64 else { throw malformed }
      if skip("{") { return .object(try members(depth: depth + 1)) }
      if skip("[") { return .list(try items(depth: depth + 1)) }
      if place < bytes.endIndex, bytes[place] == UInt8(ascii: "\"") { return .text(try string()) }
      return .word(try word())
    }

    private mutating func members(depth: Int) throws(FileError) -> [String: Value] {
      var members: [String: Value] = [:]
      if skip("}") { return members }
      repeat {
        let name = try string()
        guard skip(":") else { throw malformed }
        guard members.updateValue(try value(depth: depth), forKey: name) == nil else {
          throw FileError("\(path): the header has \(name) twice; expected each name once")
        }
      } while skip(",")
      guard skip("}") else { throw malformed }
      return members
    }

    private mutating func items(depth: Int) throws(FileError) -> [Value] {
      var items: [Value] = []
      if skip("]") { return items }
      repeat { items.append(try value(depth: depth)) } while skip(",")
      guard skip("]") else { throw malformed }
      return items
    }

    private mutating func string() throws(FileError) -> String {
      guard skip("\"") else { throw malformed }
      let start = place - 1
      while place < bytes.endIndex, bytes[place] >= 0x20, bytes[place] != UInt8(ascii: "\"") {
        place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
      }
      // Escapes are left to Foundation.
      guard place < bytes.endIndex, bytes[place] == UInt8(ascii: "\""),
        let text = try? decoder.decode(String.self, from: Data(bytes[start...place]))
      else {
        place = start
        throw malformed
      }
      place += 1
      return text
    }

    private mutating func word() throws(FileError) -> String {
      let letters = bytes[place...].prefix { !" \n\r\t,]}".utf8.contains($0) }
      let word = String(decoding: letters, as: UTF8.self)
      guard
        Value.word(word).wholeNumber != nil || ["true", "false", "null"].contains(word)
          || word.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil
      else { throw malformed }
      place += letters.count
      return word
    }
  }
}
