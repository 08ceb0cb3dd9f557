import ScoreTensors

/// A column of a table that holds texts, in whose place samples have a number for each of them: 1 where a row has it, else 0.
public struct TextColumn: Hashable, Codable, Sendable {
  /// What the column is called.
  public let name: String
  /// The different texts, sorted.
  public let texts: [String]

  /// A column of more different texts tells rows apart and no kinds of them, as names, dates and codes do.
  public static let most = 64

  /// - Precondition: one text or more, all different.
  public init(name: String, texts: [String]) {
    precondition(
      !texts.isEmpty && Set(texts).count == texts.count,
      "the texts \(texts) of a column “\(name)”")
    self.name = name
    self.texts = texts
  }

  /// The names of the columns in its place, one a text: `species=Adelie`.
  public var columns: [String] { texts.map(column) }

  /// The name of the column of a text.
  package func column(of text: String) -> String { "\(name)=\(text)" }

  /// The text whose column has a name; nil where it is no such column.
  package func text(of column: String) -> String? {
    column.hasPrefix("\(name)=") ? String(column.dropFirst(name.count + 1)) : nil
  }

  /// Names of columns with those of texts as one, where the first of them is.
  package static func together(_ columns: [String], _ texts: [TextColumn]) -> [String] {
    var names: [String] = []
    for column in columns {
      let name = texts.first { $0.columns.contains(column) }?.name ?? column
      if name == column || !names.contains(name) { names.append(name) }
    }
    return names
  }
}

// MARK: - In files

extension TextColumn {
  private enum CodingKeys: String, CodingKey {
    case name, texts
  }

  /// Decodes a column.
  /// - Throws: where it has no texts, or one twice, instead of trapping.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let name = try values.decode(String.self, forKey: .name)
    let texts = try values.decode([String].self, forKey: .texts)
    guard !texts.isEmpty, Set(texts).count == texts.count else {
      throw DecodingError.dataCorruptedError(
        forKey: .texts, in: values,
        debugDescription: "\(texts.count) texts, \(Set(texts).count) of them different")
    }
    self.init(name: name, texts: texts)
  }
}
