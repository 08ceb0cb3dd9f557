import Foundation
import ScoreData
import ScoreTensors
import Testing

/// Archives of arrays, against what NumPy put into them.
@Suite struct NPZTests {
  private func load(_ base64: String, _ name: String = "") throws -> Dataset<Double> {
    let folder = try TemporaryFolder()
    return try DataSource(folder.write("a.npz", bytes(base64: base64)) + name).load()
  }

  @Test func arraysAreFoundByName() throws {
    let data = try load(NPZFixture.stored, ":x")
    #expect(data.samples == Tensor([2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]))
    let labels = try load(NPZFixture.stored, ":y")
    #expect(labels.samples == Tensor([2, 1], [1, 0]))
  }

  @Test func oneArrayNeedsNoName() throws {
    let data = try load(NPZFixture.deflated)
    #expect(data.samples.shape == [40, 3])
    #expect(data.samples.scalars == (0..<120).map { Double($0 % 3) })
    let wide = try load(NPZFixture.wide)
    #expect(wide.samples == Tensor([2, 3], [0, 0.25, 0.5, 0.75, 1, 1.25]))
  }

  @Test func whatIsMissingIsTold() throws {
    let path = try TemporaryFolder()
    let file = try path.write("a.npz", bytes(base64: NPZFixture.stored))
    func message(_ text: String) -> String {
      do {
        let _: Dataset<Float> = try DataSource(text).load()
        return "read"
      } catch { return error.description }
    }
    #expect(
      message(file)
        == "\(file): the archive has the arrays x, y; expected one of them to be named, as \(file):x"
    )
    #expect(message(file + ":z") == "\(file): the archive has no array z; it has x, y")
    #expect(message(path.path + "/b.npz:x") == "\(path.path)/b.npz: there is no such file")
    var damaged = bytes(base64: NPZFixture.stored)
    damaged[200] ^= 1
    let other = try path.write("b.npz", damaged)
    #expect(message(other + ":x").contains("x.npy does not have the size and the checksum"))
    let text = try path.write(
      "c.npz", Array("no archive at all, but some text of some length".utf8))
    #expect(message(text).contains("this is not a ZIP archive"))
  }
}
