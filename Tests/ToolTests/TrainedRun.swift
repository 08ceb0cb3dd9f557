import Foundation
import Testing

/// A short training run on quantised data, made once by the tool for all tests: its folder `run` beside `data.npy`.
struct TrainedRun {
  /// Of the single bytes: 200 quick steps, so that its density is no Gaussian any more.
  static let single = TrainedRun(Levels.singleFile, dimensions: 1)
  /// Of the images.
  static let images = TrainedRun(Levels.imagesFile, dimensions: 4)

  let files: [String: Data]
  let dimensions: Int

  private init(_ data: Data, dimensions: Int) {
    self.dimensions = dimensions
    do {
      let bench = try Workbench(["data.npy": data])
      let _: Reports.Train = try bench.report(
        "train --data data.npy --out run --network mlp:width=16,layers=1 --steps 200 --batch-size 64 --warm-up 0 --learning-rate 0.01 --average-decay 0.9"
      )
      // A folder comes with its files.
      files = try bench.contents().filter { !$0.value.isEmpty }
    } catch {
      Issue.record(error, "the run that other tests lean on")
      files = [:]
    }
  }
}
