import Foundation
import ScoreSDE

/// A study that a folder holds, finished or not.
struct StudyRecord<Scalar: TensorScalar>: Decodable {
  let settings: StudySettings
  let result: Study<Scalar>.Result
  /// How long it has taken.
  let seconds: Double

  private enum CodingKeys: String, CodingKey { case seconds }

  init(from decoder: any Decoder) throws {
    settings = try StudySettings(from: decoder)
    result = try Study<Scalar>.Result(from: decoder)
    seconds = try decoder.container(keyedBy: CodingKeys.self).decode(Double.self, forKey: .seconds)
  }

  /// The file that a study in a folder is kept in.
  static func path(in folder: String) -> String { folder + "/study.json" }

  /// Reads the study in a folder.
  /// - Throws: where there is none, or it is of another scalar type.
  static func read(in folder: String) throws -> StudyRecord {
    let path = path(in: folder)
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandError.failure(
        "\(folder): no study to go on with; study.json is missing or cannot be read")
    }
    guard let record = try? JSONDecoder().decode(StudyRecord.self, from: data) else {
      throw CommandError.failure(
        "\(path): not a study that can be gone on with; expected the settings and curves that scoresde study writes"
      )
    }
    guard record.settings.scalar == Scalar.typeName else {
      throw CommandError.usage(
        "the study in \(folder) is of \(record.settings.scalar); give --scalar \(record.settings.scalar)"
      )
    }
    return record
  }
}
