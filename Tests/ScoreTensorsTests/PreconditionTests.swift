import ScoreTensors
import Testing

#if compiler(>=6.2)
  /// A programmer's mistake ends the process with its words, the values and the place, optimised or not.
  @Suite struct PreconditionTests {
    @Test func shapesThatDoNotFitAreSaid() async throws {
      let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        let (x, y) = (Tensor<Float>([4, 2]), Tensor<Float>([3, 3]))
        print((x + y).count)
      }
      let words = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
      #expect(words.contains("[4, 2]") && words.contains("[3, 3]"), "\(words.prefix(500))")
      #expect(words.contains("ScoreTensors/"))
    }
  }
#endif
