import Foundation
import ScoreSDE

/// A note in a run's description that says something of its data, or of how it is kept.
struct DataNote<Value: Codable> {
  let name: String

  /// The value as the note has it.
  func text(of value: Value) throws -> String {
    let encoder = JSONEncoder()
    // In any other order two runs would differ.
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// The value in a run's description, if it has one.
  /// - Throws: where it makes no sense.
  func value(in run: RunDescription, of folder: RunFolder) throws -> Value? {
    try run.notes[name].map { text in
      guard let value = try? JSONDecoder().decode(Value.self, from: Data(text.utf8)) else {
        throw CommandError.failure(
          "\(folder.descriptionPath): the \(name) \(text.prefix(80)) makes no sense")
      }
      return value
    }
  }
}

extension DataNote<DataScale> {
  /// How the levels of quantised data lie in model space.
  static let scale = DataNote(name: "scale")
}

extension DataNote<ClosedRange<Double>> {
  /// From the least to the greatest number of images without levels; runs of other data, and those of earlier versions, have no
  /// note.
  static let range = DataNote(name: "range")
}

extension DataNote<DiscreteColumns> {
  /// Which numbers of rows are whole; runs whose data are measurements, or levels, have no note.
  static let discrete = DataNote(name: "discrete")
}

extension DataNote<[TextColumn]> {
  /// The columns of texts in whose place samples have numbers; runs of others have no note.
  static let texts = DataNote(name: "texts")
}

extension DataNote<Int> {
  /// The steps between checkpoints; runs of earlier versions, and of the library, have no note.
  static let interval = DataNote(name: "checkpoint every")
}

extension DataNote<[Int]> {
  /// The classes below the last that no sample is of; runs that have none, and those of earlier versions, have no note.
  static let emptyClasses = DataNote(name: "empty classes")
}

extension DataNote<[String]> {
  /// What the classes are called, in order of their numbers; runs whose data do not say, and those of earlier versions, have no note.
  static let classNames = DataNote(name: "class names")
  /// The names of a table's columns, in so far as they are data; tables without have no note.
  static let columns = DataNote(name: "columns")
}

extension DataNote<GivenOption.Note> {
  /// What samples are conditioned on; runs of models without covariates have no note.
  static let given = DataNote(name: "given")
}

extension DataNote<Standardization> {
  /// How other data were standardised; runs of data that were not have none.
  static let standardization = DataNote(name: "standardization")
}
