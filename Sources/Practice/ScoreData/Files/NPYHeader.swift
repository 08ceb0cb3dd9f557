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
    try expect("{")
    while !skip("}") {
      let key = try string()
      try expect(":")
      values[key] = try value()
      _ = skip(",")
    }
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
      let size = Int(letters.dropFirst()), sizes.contains(size)
    else {
      throw DataError(
        .unsupported, path,
        "entries of type “\(description.prefix(20))”, where f2 to f8, i1 to i8, u1 to u8 and b1 are known"
      )
    }
    return ElementType(kind: kind, size: size, isBigEndian: isBigEndian)
  }

  // ------------------------------------------------------------------ the scanner

  private var malformed: DataError {
    DataError(
      .malformed, path,
      "the NPY header cannot be read from its character \(place - text.startIndex) on")
  }

  private mutating func skip(_ character: Unicode.Scalar) -> Bool {
    while place < text.endIndex, [0x20, 0x0A, 0x0D, 0x09].contains(text[place]) { place += 1 }
    guard place < text.endIndex, text[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(DataError) {
    if !skip(character) { throw malformed }
  }

  private mutating func string() throws(DataError) -> String {
    let quote: UInt8
    if skip("'") { quote = 0x27 } else if skip("\"") { quote = 0x22 } else { throw malformed }
    guard let end = text[place...].firstIndex(of: quote) else { throw malformed }
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
    throw malformed
  }

  private mutating func numbers() throws(DataError) -> [Int] {
    var numbers: [Int] = []
    while !skip(")") {
      let digits = text[place...].prefix { 0x30...0x39 ~= $0 }
      guard let number = Int(String(decoding: digits, as: UTF8.self)) else { throw malformed }
      numbers.append(number)
      place += digits.count
      // Python 2 wrote long integers with a letter.
      _ = skip("L")
      _ = skip(",")
    }
    return numbers
  }
}
