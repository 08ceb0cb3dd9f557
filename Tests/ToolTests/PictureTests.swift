import Foundation
import ScoreSDE
import Testing

/// Photographs as data of the commands.
@Suite struct PictureTests {
  /// Two folders of grey JPEG files of one level each, of many sizes.
  private func photos() throws -> Workbench {
    let bench = try Workbench()
    for folder in ["dark", "light"] {
      for index in 0..<6 {
        let level = UInt8((folder == "dark" ? 40 : 200) + index)
        try bench.write(
          .jpeg(level: level, height: 9 + index, width: 20 - index),
          to: "photos/\(folder)/\(index).jpg")
      }
    }
    return bench
  }

  @Test func aFolderOfPhotographsTrainsAModelOfItsClasses() throws {
    let bench = try photos()
    let words =
      "train --labels data --network mlp:width=8,layers=1 --steps 3 --batch-size 4 --out run --quiet --data"
    let refused = try bench.scoresde("\(words) photos")
    #expect(refused.status == 1 && refused.errors.contains("photos:size=32 makes"))
    let trained = try bench.scoresde("\(words) photos:size=2x3")
    #expect(trained.status == 0, "\(trained.errors)")
    let resumed = try bench.scoresde("train --resume --steps 4 --out run --quiet")
    #expect(resumed.status == 0, "\(resumed.errors)")
    let report: Reports.Sample = try bench.report(
      "sample --model run --class light --solver ddim --steps 3 --count 2 --out x.png")
    #expect(report.shape == [2, 2, 3, 1])
    // Classes in their order, a sample for each photograph.
    let each: Reports.Sample = try bench.report(
      "sample --model run --class photos:size=2x3 --solver ddim --steps 3 --count 1 --out x.npy")
    #expect(each.shape == [12, 2, 3, 1])
  }

  /// With next to no noise a photograph comes back at its level, in the size that was asked for.
  @Test func photographsAreEditedAndObserved() throws {
    let bench = try photos()
    let trained = try bench.scoresde(
      "train --data photos:size=2 --network mlp:width=8,layers=1 --steps 1 --batch-size 4 --out run --quiet"
    )
    try #require(trained.status == 0, "\(trained.errors)")
    let edit = "sample --model run --noise-level 0.02 --solver ddim --steps 3 --out x.npy --from"
    let refused = try bench.scoresde("\(edit) photos/light/3.jpg")
    #expect(refused.status == 1 && refused.errors.contains("3.jpg:size=2x2,channels=1 makes it"))
    let _: Reports.Sample = try bench.report("\(edit) photos/light/3.jpg:size=2")
    #expect(try distance(bench.numbers("x.npy"), [203, 203, 203, 203]) < 16)

    try bench.write(.npy(bytes: [203], shape: [1, 1, 1]), to: "one.npy")
    let observe =
      "sample --model run --observe-as block-means:size=2 --solver ddim --steps 5 --count 3 --out x.npy --observe"
    let _: Reports.Sample = try bench.report("\(observe) photos/light/3.jpg:size=1")
    let seen = try bench.numbers("x.npy")
    let _: Reports.Sample = try bench.report("\(observe) one.npy")
    #expect(try bench.numbers("x.npy") == seen)
    let wrong = try bench.scoresde("\(observe) photos/light/3.jpg")
    #expect(wrong.status == 1 && wrong.errors.contains("has shape [1, 12, 17, 1]"))
  }
}

extension PictureTests {
  /// Levels that are no bytes are said to be taken as continuous, and so is what goes beyond or between them not.
  @Test(arguments: [
    ([0, 7, 128, 255], true), ([0, 7, 128, 256], false), ([0, 7.5, 128, 255], false),
  ])
  func levelsInOtherNumbersAreTold(_ entries: [Double], _ isTold: Bool) throws {
    let bench = try Workbench(["x.npy": .npy(entries + entries, shape: [2, 2, 2, 1])])
    let outcome = try bench.scoresde(
      "train --data x.npy --network mlp:width=8,layers=1 --batch-size 2 --steps 1 --out run")
    #expect(outcome.status == 0)
    let remark =
      "all numbers are whole, from 0 to 255, and are taken as continuous, as they are no bytes: if they are the levels of images, train on an array of bytes, in NumPy x.astype(\"uint8\")\n"
    #expect(outcome.errors.contains(remark) == isTold, "\(outcome.errors)")
    #expect(try RunFolder(bench.path("run")).description().notes["scale"] == nil)
  }
}
