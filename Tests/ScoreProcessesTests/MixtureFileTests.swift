import Foundation
import ScoreProcesses
import Testing

/// Mixture files: what is read, and the one sentence for what cannot be.
@Suite struct MixtureFileTests {
  static let good = """
    {"weights": [0.25, 0.75], "means": [[0, 1], [2, 3]], "covariances": [[[1, 0], [0, 1]], [[2, 0.5], [0.5, 1]]]}
    """

  @Test func readsAndWrites() throws {
    let parameters = try MixtureParameters(json: Data(Self.good.utf8))
    #expect(parameters.weights == [0.25, 0.75] && parameters.means == [[0, 1], [2, 3]])
    #expect(parameters.covariances[1] == [[2, 0.5], [0.5, 1]])
    let written = try JSONEncoder().encode(parameters)
    #expect(try MixtureParameters(json: written) == parameters)
  }

  @Test(arguments: [
    (
      "",
      "the mixture cannot be read as JSON; expected an object with weights, means and covariances"
    ),
    (
      "{",
      "the mixture cannot be read as JSON; expected an object with weights, means and covariances"
    ),
    ("[1]", "the mixture is not an object; expected one with weights, means and covariances"),
    (
      "{\"weights\": [1]}",
      "the mixture has no means; expected an object with weights, means and covariances"
    ),
    (
      "{\"weights\": [1], \"means\": [0], \"covariances\": []}",
      "the mixture has something else than a list at means[0]"
    ),
    (
      "{\"weights\": [\"a\"], \"means\": [[0]], \"covariances\": []}",
      "the mixture has something else than a number at weights[0]"
    ),
    (
      "{\"weights\": [1], \"means\": [[0]], \"covariances\": [[[null]]]}",
      "the mixture has something else than a number at covariances[0][0][0]"
    ),
    (
      "{\"weights\": [1], \"means\": {}, \"covariances\": [[[1]]]}",
      "the mixture has something else than a list at means"
    ),
    (
      "{\"weights\": [1], \"means\": [[0]], \"covariances\": [[[1]]], \"scale\": {}}",
      "the mixture has scale; expected weights, means and covariances alone"
    ),
    (
      "{\"weights\": [1e999], \"means\": [[0]], \"covariances\": [[[1]]]}",
      "the mixture has the number 1e999; expected numbers in the range of float64"
    ),
    (
      "{\"weights\": [1], \"means\": [[0]], \"covariances\": [[[-1.5E-400]]]}",
      "the mixture has the number -1.5E-400; expected numbers in the range of float64"
    ),
    (
      "{\"weights\": [\"1e999\"], \"means\": [[0]], \"covariances\": []}",
      "the mixture has something else than a number at weights[0]"
    ),
    (
      "{\"weights\": [1e30, oops]}",
      "the mixture cannot be read as JSON; expected an object with weights, means and covariances"
    ),
  ])
  func saysWhatIsWrong(_ text: String, _ sentence: String) {
    #expect(throws: ProcessError(sentence)) { try MixtureParameters(json: Data(text.utf8)) }
  }

  @Test func filesAreNamed() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "m.json").path
    #expect(throws: ProcessError("there is no mixture file \(path)")) {
      try MixtureParameters(contentsOf: path)
    }
    try Data("{}".utf8).write(to: URL(fileURLWithPath: path))
    #expect(
      throws: ProcessError(
        "the mixture file \(path) has no weights; expected an object with weights, means and covariances"
      )
    ) { try MixtureParameters(contentsOf: path) }
    try Data(Self.good.utf8).write(to: URL(fileURLWithPath: path))
    #expect(try MixtureParameters(contentsOf: path).weights == [0.25, 0.75])
    #expect(
      throws: ProcessError("the mixture file \(folder.path) cannot be read: Is a directory")
    ) {
      try MixtureParameters(contentsOf: folder.path)
    }
  }
}
