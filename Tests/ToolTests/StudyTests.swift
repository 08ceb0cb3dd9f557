import Foundation
import Testing

/// A study that is stopped on its way, and goes on.
@Suite struct StudyTests {
  private static let words =
    "study --model gaussian --nfe 4,8 --solvers ddim;euler-maruyama:denoise=none;fitted:pilot=64;ode --grids uniform,karras --count 20 --seed 3"

  /// What a study holds after some of its measurements, as one that was stopped there: the first curves, with the first points.
  private func stopped(_ study: Data, after count: Int) throws -> Data {
    var file = try #require(JSONSerialization.jsonObject(with: study) as? [String: Any])
    var left = count
    var kept: [[String: Any]] = []
    for var curve in try #require(file["curves"] as? [[String: Any]]) where left > 0 {
      let points = try #require(curve["points"] as? [Any]).prefix(left)
      curve["points"] = Array(points)
      left -= points.count
      kept.append(curve)
    }
    file["curves"] = kept
    return try JSONSerialization.data(withJSONObject: file)
  }

  private func withoutTime(_ study: Data) throws -> NSDictionary {
    var file = try #require(JSONSerialization.jsonObject(with: study) as? [String: Any])
    file["seconds"] = nil
    return file as NSDictionary
  }

  @Test(arguments: [1, 3, 7, 14]) func goesOnToTheSameEnd(_ count: Int) throws {
    let bench = try Workbench()
    let whole: Reports.Study = try bench.report("\(Self.words) --out study")
    #expect(whole.remaining == 0 && whole.curves.flatMap(\.points).count == 15)
    let finished = try bench.data("study/study.json")
    try bench.write(stopped(finished, after: count), to: "study/study.json")
    let resumed: Reports.Study = try bench.report("study --out study --resume")
    #expect(resumed.curves.flatMap(\.points).count == 15)
    #expect(try withoutTime(bench.data("study/study.json")) == withoutTime(finished))
  }

  /// What is known is not measured again: a point that is no solver's stays.
  @Test func keepsWhatIsKnown() throws {
    let bench = try Workbench()
    let _: Reports.Study = try bench.report("\(Self.words) --out study")
    let text = String(decoding: try bench.data("study/study.json"), as: UTF8.self)
    let nfe = "\"budget\": 8, \"tolerance\": null, \"nfe\": 8.0"
    #expect(text.contains(nfe))
    let changed = text.replacing(nfe, with: nfe + "125", maxReplacements: 1)
    try bench.write(.text(changed), to: "study/study.json")
    let again: Reports.Study = try bench.report("study --out study --resume")
    #expect(again.curves[0].points.map(\.nfe) == [4, 8.0125])
  }

  @Test func aSignalLeavesWhatThereIs() throws {
    let bench = try Workbench()
    let words =
      "study --model gaussian --nfe 2,100000 --solvers euler-maruyama --grids uniform --count 1000 --out deep/study"
    let (outcome, endedBySignal) = try bench.scoresde(
      words, sent: [SIGINT], onceThereIs: "deep/study/study.json")
    #expect(!endedBySignal && outcome.status == 130, "\(outcome)")
    #expect(
      outcome.errors.contains(
        "stopped by SIGINT with 1 measurement still to be made; scoresde study --out deep/study --resume goes on from there\n"
      ))
    #expect(
      try Set(bench.contents().keys)
        == [
          "deep", "deep/study", "deep/study/study.json", "deep/study/study.svg",
          "deep/study/study.txt",
        ])
    let kept = try JSONDecoder().decode(
      Reports.Study.self, from: bench.data("deep/study/study.json"))
    #expect(kept.remaining == 1 && kept.curves.flatMap(\.points).map(\.budget) == [2])
    let text = String(decoding: try bench.data("deep/study/study.txt"), as: UTF8.self)
    #expect(
      text.contains("1 measurement still to be made: scoresde study --out deep/study --resume\n"))
  }

  @Test func refusesOtherSettings() throws {
    let bench = try Workbench()
    try bench.write(.text(Self.mixture(at: 0.5)), to: "m.json")
    let own = "study --model mixture:m.json --nfe 2 --solvers euler --grids uniform --count 5"
    let _: Reports.Study = try bench.report("\(own) --out study")
    let before = try bench.contents()
    for (words, sentence) in [
      (
        "\(own) --out study",
        "--out study holds a study already; give --resume to go on with it, or another folder"
      ),
      ("study --out other --resume", "other: no study to go on with; study.json is missing"),
      (
        "study --out study --resume --count 7",
        "--count is 7, but the study in study has 5; leave it out or start another study"
      ),
      ("study --out study --resume --nfe 2,4", "--nfe is 2,4, but the study in study has 2"),
      ("study --out study --resume --solvers rk4", "--solvers is rk4, but the study in study has"),
      ("study --out study --resume --sde ve", "--sde is ve:"),
      ("study --out study --resume --seed 1", "--seed is 1, but the study in study has 0"),
      ("study --out study --resume --epsilon 0.1", "--epsilon is 0.1, but the study in study has"),
      ("study --out study --resume --scalar float64", "is of float32; give --scalar float32"),
      ("study --out study --resume --model gaussian", "gaussian is another model than that of the"),
    ] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status != 0 && outcome.errors.contains(sentence), "\(words): \(outcome)")
    }
    #expect(try bench.contents() == before)
    // As it is asked for in other words it is the same study, wherever its model is now.
    try FileManager.default.moveItem(atPath: bench.path("m.json"), toPath: bench.path("n.json"))
    let same: Reports.Study = try bench.report(
      "study --out study --resume --model mixture:n.json --sde vp --count 05 --epsilon 1e-3")
    #expect(same.model == "mixture:n.json" && same.remaining == 0)
    // A model that has changed is another one.
    try bench.write(.text(Self.mixture(at: 0.6)), to: "n.json")
    let changed = try bench.scoresde("study --out study --resume")
    #expect(changed.status == 2 && changed.errors.contains("mixture:n.json is another model than"))
  }

  @Test func refusesFilesOfOthers() throws {
    let bench = try Workbench(["study/study.json": .text("{\"model\": \"gaussian\"}")])
    let outcome = try bench.scoresde("study --out study --resume")
    #expect(
      outcome.status == 1
        && outcome.errors.contains("study/study.json: not a study that can be gone on with"))
  }

  private static func mixture(at mean: Double) -> String {
    "{\"weights\": [1], \"means\": [[\(mean)]], \"covariances\": [[[0.1]]]}"
  }
}
