import ScoreTensors

/// The parameters behind the colon of a data set's name: `count=100,seed=3,test`.
struct DataParameters {
  private var values: [String: String] = [:]
  private var known: [String] = []
  private let place: String

  init(_ text: Substring?, of name: String) throws(DataError) {
    place = "data “\(name)”"
    for item in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard values[name] == nil else {
        throw DataError(.badParameter, place, "the parameter “\(name)” is there twice")
      }
      values[name] = parts.count > 1 ? String(parts[1]) : ""
    }
  }

  /// Takes a parameter that has no value.
  mutating func flag(_ name: String) throws(DataError) -> Bool {
    known.append(name)
    guard let value = values.removeValue(forKey: name) else { return false }
    guard value.isEmpty else {
      throw DataError(.badParameter, place, "“\(name)” takes no value, and “\(value)” is given")
    }
    return true
  }

  /// Takes a parameter whose value is a number that fulfils a condition.
  mutating func number<Number: LosslessStringConvertible>(
    _ name: String, where isValid: (Number) -> Bool
  ) throws(DataError) -> Number? {
    known.append(name)
    guard let text = values.removeValue(forKey: name) else { return nil }
    guard let number = Number(text), isValid(number) else {
      throw DataError(
        .badParameter, place, "\(name) is “\(text)”, where \(Self.expectation(name)) is expected")
    }
    return number
  }

  /// Takes a parameter whose value is a side of an image, or its height and width.
  mutating func sides(_ name: String) throws(DataError) -> Shape? {
    known.append(name)
    guard let text = values.removeValue(forKey: name) else { return nil }
    let sides = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard (1...2).contains(sides.count), sides.allSatisfy({ (1...Self.mostPixels).contains($0) })
    else {
      throw DataError(
        .badParameter, place,
        "\(name) is “\(text)”, where a side or HEIGHTxWIDTH from 1 to \(Self.mostPixels) pixels is expected, such as 32 or 48x32"
      )
    }
    return [sides[0], sides[sides.count - 1]]
  }

  /// Takes a parameter whose value is one of some words.
  mutating func word(_ name: String, of words: [String]) throws(DataError) -> String? {
    known.append(name)
    guard let text = values.removeValue(forKey: name) else { return nil }
    guard words.contains(text) else {
      throw DataError(
        .badParameter, place,
        "\(name) is “\(text)”, where \(words.joined(separator: " or ")) is expected")
    }
    return text
  }

  /// Takes a parameter whose value is different names with plus signs between.
  mutating func names(_ name: String) throws(DataError) -> [String]? {
    known.append(name)
    guard let text = values.removeValue(forKey: name) else { return nil }
    let names = text.split(separator: "+", omittingEmptySubsequences: false).map(String.init)
    guard !names.contains(""), Set(names).count == names.count else {
      throw DataError(
        .badParameter, place,
        "\(name) is “\(text)”, where different columns with + between are expected, by names or numbers from 1 on"
      )
    }
    return names
  }

  /// The longest side of an image.
  private static let mostPixels = 8192

  private static func expectation(_ name: String) -> String {
    switch name {
    case "count": "a whole number from 1 to 100000000"
    case "channels": "1, grey, or 3, RGB,"
    case "seed": "a whole number from 0 on"
    default: "a number from 0.0001 to 10"
    }
  }

  /// Throws where a parameter is left over.
  func finish() throws(DataError) {
    guard let left = values.keys.sorted().first else { return }
    throw DataError(
      .badParameter, place,
      "there is no parameter “\(left)”\(NearMiss.hint(for: left, among: known)); known are \(known.sorted().joined(separator: ", "))"
    )
  }
}
