import ScoreSDE

/// A line of what is known: its name, how people read it, and how programs do.
struct Fact {
  var name: String
  var text: String
  var json: JSON

  /// A name as the key of a JSON object: sampleShape.
  static func key(_ name: String) -> String {
    let words = name.split { $0 == " " || $0 == "-" }
    return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.capitalized }
  }

  init(_ name: String, _ text: String, _ json: JSON? = nil) {
    self.name = name
    self.text = text
    self.json = json ?? .string(text)
  }
  init(_ name: String, _ value: Int) {
    self.init(name, NumberText.grouped(value), .integer(value))
  }
  init(_ name: String, _ value: Double) {
    self.init(name, NumberText.significant(value), .number(value))
  }
  /// What classes are called, if they are; people see the first of many, programs all.
  static func of(_ classes: ClassNames) -> [Fact] {
    classes.names.map { [Fact("class names", classes.list, .array($0.map(JSON.string)))] } ?? []
  }

  init(_ name: String, _ shape: Shape) {
    self.init(name, "\(shape)", .array(shape.extents.map { .integer($0) }))
  }
}
