import ScoreTensors

/// Names of columns, as options and messages spell them.
extension CSV {
  /// A name as it stands among others with commas between: in quotes where it would not be read back as it is.
  package static func spelled(_ name: String) -> String {
    fields(name) == [name] ? name : quoted(name)
  }

  /// Names with commas between, which `fields(_:)` reads.
  package static func list(_ names: [String]) -> String {
    names.map(spelled).joined(separator: ", ")
  }

  /// ` (did you mean NAME?)` where one of the columns is clearly nearest to a name, else nothing.
  package static func nearMiss(of name: String, among columns: [String]) -> String {
    NearMiss.name(for: name, among: columns).map { " (did you mean \(spelled($0))?)" } ?? ""
  }
}
