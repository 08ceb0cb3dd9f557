import Foundation
import ScoreSDE
import Testing

/// Pictures of the states between noise and data.
@Suite struct TrajectoryTests {
  private static let one = "sample --model gaussian:mean=0.5,std=0.3,dim=1 --out x.npy"

  private func count(_ word: String, in picture: String) -> Int {
    picture.components(separatedBy: word).count - 1
  }

  @Test func singleNumbersAreLinesAgainstTheTime() throws {
    let bench = try Workbench()
    let drawn: Reports.Sample = try bench.report(
      "\(Self.one) --solver euler-maruyama --steps 20 --count 7 --trajectory x.svg")
    #expect(drawn.trajectory == "x.svg" && drawn.times?.count == 21)
    let picture = String(decoding: try bench.data("x.svg"), as: UTF8.self)
    #expect(picture.contains("7 samples from noise"))
    #expect(count("<polyline", in: picture) + count("<path", in: picture) >= 7)
  }

  @Test func pointsAreAtSixTimesFromTheFirstToTheLast() throws {
    let bench = try Workbench()
    let plane = "sample --model gaussian:dim=2 --out x.npy --solver ddim --count 9"
    let _: Reports.Sample = try bench.report("\(plane) --steps 10 --trajectory x.svg")
    let picture = String(decoding: try bench.data("x.svg"), as: UTF8.self)
    for time in ["t = 1.00", "t = 0.800", "t = 0.00100"] { #expect(picture.contains(time)) }
    #expect(count(">t = ", in: picture) == 6)
    let _: Reports.Sample = try bench.report("\(plane) --steps 1 --trajectory short.svg")
    let short = String(decoding: try bench.data("short.svg"), as: UTF8.self)
    #expect(count(">t = ", in: short) == 2)
  }

  /// A constant ε̂ of 0 leads x_t to x_t α_s/α_t: the same picture at all times but for its range.
  @Test func imagesAreRowsOfStates() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0))
    #expect(try bench.scoresde("import published --out run").status == 0)
    let drawn: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 3 --count 2 --out x.npy --trajectory x.png")
    #expect(drawn.shape == [2, 2, 4, 1])
    let picture = try DataSource(bench.path("x.png")).load(as: Double.self).samples
    // Four states a row, two rows; 2 × 4 pixels, drawn 10 times as large, 2 apart.
    let scale = 10
    #expect(picture.shape == [1, 2 * (2 * scale + 2) + 2, 4 * (4 * scale + 2) + 2, 1])
    let states = try bench.numbers("x.npy")
    for row in 0..<2 {
      let level = picture[0, 2 + row * (2 * scale + 2), 2 + 3 * (4 * scale + 2), 0]
      let value = min(255, max(0, states[8 * row]))
      #expect(abs(level - value * 255 / 256) <= 1, "\(level), \(value)")
    }
  }

  @Test(arguments: [
    ("sample --model gaussian:dim=3 --out x.npy --trajectory t.svg", "[3]"),
    ("sample --model gaussian:dim=2 --out x.npy --trajectory t.png", "no images"),
    ("sample --model gaussian:dim=2 --out x.npy --trajectory t.gif", ".npy, .png, .svg"),
  ])
  func whatCannotBeDrawnIsRefused(_ words: String, _ found: String) throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde(words)
    #expect(outcome.status == 2 && outcome.errors.contains(found), "\(outcome.errors)")
    #expect(try bench.contents().isEmpty)
  }
}
