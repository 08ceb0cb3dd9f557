import Foundation
import ScoreProcesses
import ScoreTensors

/// The object in a JSON file of a published model, asked for values by key; null counts as left out.
struct PublishedObject {
  private let path: String
  private let values: [String: Value]

  /// - Throws: `FileError` where the file holds no JSON object.
  init(contentsOf path: String) throws(FileError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError("\(path): the file cannot be read")
    }
    // Python writes -Infinity for what has no bound.
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    do {
      values = try decoder.decode([String: Value].self, from: data)
    } catch {
      throw FileError("\(path): not a JSON object")
    }
    self.path = path
  }

  /// The error for what a key has and what is expected.
  func failure(_ key: String, _ found: String, _ expected: String) -> FileError {
    FileError("\(path): \(key) is \(found); expected \(expected)")
  }

  /// The error for what is wrong with the whole.
  func failure(_ error: any Error) -> FileError { FileError("\(path): \(error)") }

  /// Whether it has a key, with null as its value too.
  func has(_ key: String) -> Bool { values[key] != nil }

  func integer(_ key: String) throws(FileError) -> Int? {
    try value(key, "a whole number", \.integer)
  }

  func number(_ key: String) throws(FileError) -> Double? {
    try value(key, "a number", \.number)
  }

  func flag(_ key: String) throws(FileError) -> Bool? {
    try value(key, "true or false", \.flag)
  }

  func text(_ key: String) throws(FileError) -> String? {
    try value(key, "a text", \.text)
  }

  func texts(_ key: String) throws(FileError) -> [String]? {
    try value(key, "a list of texts") { $0.list(of: \.text) }
  }

  func integers(_ key: String) throws(FileError) -> [Int]? {
    try value(key, "a list of whole numbers") { $0.list(of: \.integer) }
  }

  /// One number for both sides, or height and width.
  func sides(_ key: String) throws(FileError) -> [Int]? {
    try value(key, "one side or two, whole numbers") { value in
      let sides = value.integer.map { [$0, $0] } ?? value.list(of: \.integer)
      return sides?.count == 2 ? sides : nil
    }
  }

  /// Checks that a text is what is known, where there is one.
  func expect(_ key: String, _ expected: String) throws(FileError) {
    if let text = try text(key), text != expected { throw failure(key, text, expected) }
  }

  func expect(_ key: String, _ expected: Bool) throws(FileError) {
    if let flag = try flag(key), flag != expected { throw failure(key, "\(flag)", "\(expected)") }
  }

  func expect(_ key: String, _ expected: Int) throws(FileError) {
    if let number = try integer(key), number != expected {
      throw failure(key, "\(number)", "\(expected)")
    }
  }

  /// Checks that there is nothing, or null.
  func expectNothing(_ key: String, _ expected: String) throws(FileError) {
    if let value = values[key], !value.isNull { throw failure(key, "\(value)", expected) }
  }

  private func value<Result>(
    _ key: String, _ expected: String, _ read: (Value) -> Result?
  ) throws(FileError) -> Result? {
    guard let value = values[key], !value.isNull else { return nil }
    guard let result = read(value) else { throw failure(key, "\(value)", expected) }
    return result
  }
}

extension PublishedObject {
  /// A value of JSON.
  private enum Value: Decodable, CustomStringConvertible {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([Value])
    case object
    /// A number beyond all that Double has.
    case beyond

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if value.decodeNil() {
        self = .null
      } else if let flag = try? value.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? value.decode(Double.self) {
        self = .number(number)
      } else if let text = try? value.decode(String.self) {
        self = .text(text)
      } else if let list = try? value.decode([Value].self) {
        self = .list(list)
      } else {
        self = (try? value.decode([String: Value].self)) == nil ? .beyond : .object
      }
    }

    var isNull: Bool { if case .null = self { true } else { false } }
    var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var integer: Int? { number.flatMap(Int.init(exactly:)) }
    var text: String? { if case .text(let text) = self { text } else { nil } }

    func list<Entry>(of entry: (Value) -> Entry?) -> [Entry]? {
      guard case .list(let values) = self else { return nil }
      let entries = values.compactMap(entry)
      return entries.count == values.count ? entries : nil
    }

    var description: String {
      switch self {
      case .null: "null"
      case .flag(let flag): "\(flag)"
      case .number(let number): Spec.text(number)
      case .text(let text): "\"\(text)\""
      case .list(let values) where values.count <= 16:
        "[\(values.map(\.description).joined(separator: ", "))]"
      case .list(let values): "a list of \(values.count)"
      case .object: "an object"
      case .beyond: "a number too large to be read"
      }
    }
  }
}
