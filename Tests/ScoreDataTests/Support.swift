import Foundation
import ScoreData
import ScoreTensors

/// The bytes of a fixture.
func bytes(base64 text: String) -> [UInt8] { [UInt8](Data(base64Encoded: text) ?? Data()) }

/// A new folder that is removed when the test is done with it.
final class TemporaryFolder {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("ScoreDataTests-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file there and returns its path.
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path,
      withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}

/// The bytes of a number, the highest first.
func bigEndian(_ value: Int) -> [UInt8] {
  [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// The kind of the error that `body` throws, or nil.
func kind(_ body: () throws -> Void) -> DataError.Kind? {
  do {
    try body()
    return nil
  } catch {
    return (error as? DataError)?.kind
  }
}
