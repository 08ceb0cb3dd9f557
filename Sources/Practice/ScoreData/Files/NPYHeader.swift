/// The header of an NPY file: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.
struct NPYHeader {
  private(set) var element = ElementType(kind: .float, size: 4, isBigEndian: false)
  private(set) var isFortranOrder = false
  private(set) var extents: [Int] = []

  private enum Value {
    case text(String)
    case bool(Bool)
    case numbers([Int])
  }

  private let text: ArraySlice<UInt8>
  private var place: Int
  private let path: String

  init(text: ArraySlice<UInt8>, path: String) throws(DataError) {
    self.text = text
    self.path = path
    place = text.startIndex
    var values: [String: Value] = [:]
    guard skip("{") else { throw malformed("{") }
    while !skip("}") {
      let key = try string()
      guard Self.keys.contains(key), values[key] == nil else {
        throw DataError(
          .malformed, path,
          "the NPY header has the key “\(key.prefix(20))”\(values[key] == nil ? "" : " twice"), where \(Self.keys.joined(separator: ", ")) are expected, once each"
        )
      }
      guard skip(":") else { throw malformed("a colon") }
      values[key] = try value()
      try comma(orEnd: "}")
    }
    skipBlanks()
    guard place == text.endIndex else { throw malformed("the end") }
    guard case .text(let description)? = values["descr"],
      case .bool(let order)? = values["fortran_order"],
      case .numbers(let extents)? = values["shape"]
    else {
      throw DataError(
        .malformed, path, "the NPY header lacks one of the keys descr, fortran_order and shape")
    }
    isFortranOrder = order
    self.extents = extents
    element = try Self.element(description, path)
  }

  private static let keys = ["descr", "fortran_order", "shape"]

  private static func element(_ description: String, _ path: String) throws(DataError)
    -> ElementType
  {
    var letters = description[...]
    var isBigEndian = false
    if let order = letters.first, "<>|=".contains(order) {
      isBigEndian = order == ">"
      letters = letters.dropFirst()
    }
    let kinds: [Character: (ElementType.Kind, [Int])] = [
      "f": (.float, [2, 4, 8]), "i": (.signed, [1, 2, 4, 8]), "u": (.unsigned, [1, 2, 4, 8]),
      "b": (.bool, [1]),
    ]
    guard let letter = letters.first, let (kind, sizes) = kinds[letter],
      let size = sizes.first(where: { "\($0)" == letters.dropFirst() })
    else {
      throw DataError(
        .unsupported, path,
        "entries of type “\(description.prefix(20))”, where f2 to f8, i1 to i8, u1 to u8 and b1 are known"
      )
    }
    return ElementType(kind: kind, size: size, isBigEndian: isBigEndian)
  }

  // ------------------------------------------------------------------ the scanner

  private func malformed(_ expected: String) -> DataError {
    let found = String(decoding: text[place...].prefix(12).prefix { $0 >= 0x20 }, as: UTF8.self)
    return DataError(
      .malformed, path,
      "the NPY header has “\(found)” at its character \(place - text.startIndex), where \(expected) is expected"
    )
  }

  private mutating func skipBlanks() {
    while place < text.endIndex, [0x20, 0x0A, 0x0D, 0x09].contains(text[place]) { place += 1 }
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard place < text.endIndex, text[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  /// Takes the comma after an item; the last one needs none.
  private mutating func comma(orEnd end: Unicode.Scalar) throws(DataError) {
    if skip(",") { return }
    guard skip(end) else { throw malformed("a comma or \(end)") }
    place -= 1
  }

  private mutating func string() throws(DataError) -> String {
    let quote: UInt8
    if skip("'") {
      quote = 0x27
    } else if skip("\"") {
      quote = 0x22
    } else {
      throw malformed("a quoted word")
    }
    guard let end = text[place...].firstIndex(of: quote) else {
      throw malformed("the end of a quoted word")
    }
    defer { place = end + 1 }
    return String(decoding: text[place..<end], as: UTF8.self)
  }

  private mutating func value() throws(DataError) -> Value {
    if skip("(") { return .numbers(try numbers()) }
    if skip("[") {
      throw DataError(
        .unsupported, path, "records of several fields, where plain numbers are known")
    }
    if skip("'") || skip("\"") {
      place -= 1
      return .text(try string())
    }
    for (word, value) in [("True", true), ("False", false)]
    where text[place...].starts(with: word.utf8) {
      place += word.utf8.count
      return .bool(value)
    }
    throw malformed("a quoted word, True, False or a tuple")
  }

  private mutating func numbers() throws(DataError) -> [Int] {
    var numbers: [Int] = []
    while !skip(")") {
      let digits = String(decoding: text[place...].prefix { 0x30...0x39 ~= $0 }, as: UTF8.self)
      guard let number = Int(digits), "\(number)" == digits else {
        throw malformed("a size in plain digits")
      }
      numbers.append(number)
      place += digits.utf8.count
      // Python 2 wrote long integers with a letter.
      _ = skip("L")
      try comma(orEnd: ")")
    }
    return numbers
  }
}
