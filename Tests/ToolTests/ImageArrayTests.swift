import Foundation
import ScoreSDE
import Testing

/// Arrays of numbers without levels as images: their axes, and what pictures of them are drawn from.
struct ImageArrayTests {
  /// Images of 2 × 2 numbers from 0 to 1.
  private static let numbers = (0..<128).map { Double(($0 * 83) % 128) / 127 }

  private static func bench(_ axes: [Int]) throws -> Workbench {
    let bench = try Workbench([
      "data.npy": .npy(numbers, shape: [32] + axes),
      "one.npy": .npy([0.1, 0.2, 0.8, 0.9], shape: [1] + axes),
      "picture.png": Data(
        SampleGrid([0.1, 0.2, 0.8, 0.9], height: 2, width: 2, range: 0...1, padding: 0).png),
      "wide.npy": .npy(numbers.map { 3 * $0 - 1 }, shape: [32] + axes),
    ])
    let trained = try bench.scoresde(
      "train --data data.npy --network unet:channels=8,multipliers=1,blocks=1 --steps 3 --batch-size 8 --out run --quiet"
    )
    try #require(trained.status == 0, "\(trained.errors)")
    return bench
  }

  /// Two axes are those of grey images, and pictures are drawn from the least number of the run's data to the greatest.
  @Test(arguments: [[2, 2], [2, 2, 1]])
  func picturesAreOfTheRangeOfTheData(_ axes: [Int]) throws {
    let bench = try Self.bench(axes)
    let words = "sample --model run --solver ddim --steps 5 --count 6"
    let drawn: Reports.Sample = try bench.report("\(words) --out x.npy")
    #expect(drawn.shape == [6] + axes)
    let _: Reports.Sample = try bench.report("\(words) --out x.png --trajectory t.png")
    let shown = try bench.numbers("x.npy").map { min(255, max(0, 255 * $0)) }
    let picture = try PNG.read(bench.path("x.png"))
    try #require(picture.width == 128 && picture.height == 86 && picture.channels == 1)
    #expect(distance(picture.tiles(6, side: 2, square: 20, columns: 3), shown) < 0.51)
    // Six states a row, of which the last is the sample.
    let strip = try PNG.read(bench.path("t.png")).tiles(36, side: 2, square: 20, columns: 6)
    let last = (0..<6).flatMap { strip[24 * $0 + 20..<24 * $0 + 24] }
    #expect(distance(last, shown) < 0.51)
  }

  /// Both sets have the range of the one that the other is held to.
  @Test(arguments: [[2, 2], [2, 2, 1]])
  func comparedSetsAreDrawnAlike(_ axes: [Int]) throws {
    let bench = try Self.bench(axes)
    let compared = try bench.scoresde(
      "compare --data data.npy --with wide.npy --out c.png --quiet")
    #expect(compared.status == 0, "\(compared.errors)")
    let picture = try PNG.read(bench.path("c.png"))
    let height = Raster.text("x", channels: 1, within: 480).height
    // Of −1 to 2.
    let found = picture.tiles(32, side: 2, square: 20, columns: 16, below: height + 6)
    let set: Dataset<Double> = try DataSource(bench.path("data.npy")).load()
    let order = set.samples.scalars.map { 255 * ($0 + 1) / 3 }
    #expect(distance(found.sorted(), order.sorted()) < 0.51)
  }

  @Test func numbersOfSuchRunsAreNoLevelsOfPictures() throws {
    let bench = try Self.bench([2, 2])
    let words = "sample --model run --solver ddim --steps 5 --count 2 --out x.npy --quiet"
    for (option, isSaid) in [
      ("--from one.npy", false), ("--from picture.png", true), ("--observe one.npy", false),
      ("--observe picture.png", true),
    ] {
      let outcome = try bench.scoresde("\(words) \(option)")
      #expect(outcome.status == 0)
      let name = option.prefix { $0 != " " }
      #expect(outcome.errors.contains("\(name) has a number of ") == isSaid, "\(outcome.errors)")
      #expect(
        outcome.errors.contains("where the run was trained on numbers from 0 to 1") == isSaid)
    }
  }

  @Test func otherShapesAreNoPictures() throws {
    let bench = try Workbench(["x.npy": .npy(Self.numbers, shape: [4, 4, 4, 2])])
    let outcome = try bench.scoresde(
      "compare --data x.npy --with x.npy --out c.png --quiet")
    #expect(outcome.status == 2)
    #expect(outcome.errors.contains("are no images [height, width] or [height, width, 1 or 3]"))
  }

  @Test func theRangeOfTheDataIsThatOfClipping() throws {
    let bench = try Self.bench([2, 2])
    let outcome = try bench.scoresde(
      "sample --model run --solver ddim --steps 5 --count 4 --out x.npy --clip data --json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("\"lower\": 0.0, \"upper\": 1.0"), "\(outcome.output)")
  }

  /// Channels that come first are taken for rows, which is said where sides tell.
  @Test(arguments: [
    ([3, 4, 4], true), ([4, 4, 3], false), ([2, 2, 2], false), ([3, 4, 5], false),
  ])
  func channelsThatComeFirstAreRemarkedOn(_ axes: [Int], _ isSaid: Bool) throws {
    let count = axes.reduce(1, *)
    let numbers = (0..<20 * count).map { Double(($0 * 83) % 128) / 127 }
    let bench = try Workbench(["x.npy": .npy(numbers, shape: [20] + axes)])
    let outcome = try bench.scoresde(
      "train --data x.npy --network mlp:width=8,layers=1 --steps 2 --batch-size 4 --out run --quiet"
    )
    #expect(outcome.status == 0)
    #expect(outcome.errors.contains("numpy.moveaxis(x, 1, -1)") == isSaid, "\(outcome.errors)")
  }

  /// Bytes for numbers from 0 to 1, or these for bytes, are neither far from the mean, nor what was given.
  @Test func imagesOfAnotherSizeThanThoseGivenAreRemarkedOn() throws {
    let bench = try Workbench([
      "x.npy": .npy(Self.numbers, shape: [32, 2, 2, 1]),
      "y.npy": .npy(Self.numbers.map { 255 * $0 }, shape: [32, 2, 2, 1]),
      "z.npy": .npy(Array(Self.numbers.prefix(8)), shape: [2, 2, 2, 1]),
    ])
    let trained = try bench.scoresde(
      "train --data x.npy --given y.npy --network unet:channels=8,multipliers=1,blocks=1 --steps 3 --batch-size 8 --out run --quiet"
    )
    #expect(trained.status == 0)
    for (given, isSaid) in [("y.npy", false), ("z.npy", true)] {
      let outcome = try bench.scoresde(
        "sample --model run --given \(given) --solver ddim --steps 2 --count 1 --out s.npy --quiet")
      #expect(outcome.status == 0)
      #expect(outcome.errors.contains("--given has numbers of deviation 0.") == isSaid)
    }
  }
}
