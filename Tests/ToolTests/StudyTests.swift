import Foundation
import ScoreSDE
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
      ("study --out study --resume --nfe 2,2", "--nfe is 2,2; expected different whole numbers"),
      (
        "study --model mixture:m.json --nfe 2 --solvers ode:rtol=0.001 --out other",
        "--solvers has ode:rtol=0.001, with rtol=0.001, but a study measures solvers to a tolerance"
      ),
      ("train --data moons --steps 2 --out study", "--out is study, which holds a study"),
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

  /// What is asked for beside what is known is measured too, and all is as in one study of both.
  @Test func goesOnWithMore() throws {
    let bench = try Workbench()
    let words = "study --model gaussian --count 20 --epsilon 0.01"
    let _: Reports.Study = try bench.report(
      "\(words) --sde vp --nfe 4 --solvers ddim --grids uniform --out study")
    let more: Reports.Study = try bench.report(
      "study --out study --resume --sde ve --nfe 8 --solvers heun;ddim --grids karras")
    let whole: Reports.Study = try bench.report(
      "\(words) --sde vp;ve --nfe 4,8 --solvers ddim;heun --grids uniform,karras --out whole")
    func sorted(_ study: Reports.Study) -> [Reports.Study.Curve] {
      study.curves.sorted { ($0.sde, $0.solver, $0.grid) < ($1.sde, $1.solver, $1.grid) }
    }
    #expect(whole.curves.count == 8 && more.remaining == 0)
    #expect(sorted(more) == sorted(whole) && more.processes == whole.processes)
    #expect(more.epsilon == 0.01 && more.processes.map(\.epsilon) == [0.01, 0.01])
  }

  /// Processes beside each other have the numbers that each has alone.
  @Test func comparesProcesses() throws {
    let bench = try Workbench(["m.json": .text(Self.mixture(at: 0.5))])
    let words =
      "study --model mixture:m.json --nfe 4,8 --solvers ddim;ode --grids uniform --count 20"
    let both: Reports.Study = try bench.report("\(words) --sde ve;vp --out both")
    let each: [Reports.Study] = try ["ve", "vp"].map {
      try bench.report("\(words) --sde \($0) --out \($0)")
    }
    #expect(both.curves == each.flatMap(\.curves) && both.curves.count == 4)
    #expect(both.processes == each.flatMap(\.processes))
    #expect(
      both.processes.map(\.sde)
        == ["ve:sigma-min=0.01,sigma-max=50", "vp:beta-min=0.1,beta-max=20"])
    #expect(both.epsilon == nil && both.processes.map(\.epsilon) == [1e-5, 1e-3])
    let text = String(decoding: try bench.data("both/study.txt"), as: UTF8.self)
    for row in [
      "SDE  solver  grid ", "ve   ddim    uniform ", "vp   ddim    uniform ", "vp   ode ",
    ] {
      #expect(text.contains("\n\(row)"), "\(text)")
    }
    let figure = String(decoding: try bench.data("both/study.svg"), as: UTF8.self)
    for label in ["ddim, uniform, ve", "ddim, uniform, vp", "ode, adaptive, vp"] {
      #expect(figure.contains(">\(label)</text>"))
    }
    // One process is not named in each row, and those of one name by what parts them.
    #expect(
      String(decoding: try bench.data("vp/study.txt"), as: UTF8.self).contains("\nsolver  grid "))
    let _: Reports.Study = try bench.report(
      "study --model gaussian --sde vp;vp:beta-max=9;ve --nfe 2 --solvers ddim --grids uniform --count 5 --out three"
    )
    let rows = String(decoding: try bench.data("three/study.txt"), as: UTF8.self)
      .split(separator: "\n").compactMap { $0.prefixMatch(of: /(\S+) +ddim/)?.1 }
    #expect(Set(rows) == ["vp:beta-max=20", "vp:beta-max=9", "ve"] && rows.count == 6)
  }

  @Test func refusesProcessesThatAreNone() throws {
    let bench = try Workbench()
    for (sdes, sentence) in [
      ("ve;warp", "there is no SDE \"warp\""),
      ("vp,ve,vp", "--sde is vp,ve,vp; expected each once"),
      ("vp;vp:beta-max=20", "--sde is vp;vp:beta-max=20; expected each once"),
      (";", "--sde names no SDE; expected one or more"),
    ] {
      let outcome = try bench.scoresde("study --model gaussian --sde \(sdes) --out study")
      #expect(outcome.status == 2 && outcome.errors.contains(sentence), "\(outcome)")
    }
  }

  /// Every number of a table has its error, one below the other.
  @Test func tablesGiveErrors() throws {
    let bench = try Workbench()
    let study: Reports.Study = try bench.report(
      "study --model gaussian --nfe 5,50 --solvers ddim;dpm-solver++;unipc:order=3 --grids uniform,karras --count 200 --out study"
    )
    #expect(study.curves.flatMap(\.points).allSatisfy { ($0.error?.standardError ?? 0) > 0 })
    let rows = String(decoding: try bench.data("study/study.txt"), as: UTF8.self)
      .split(separator: "\n").filter { $0.contains("uniform") || $0.contains("karras") }
    #expect(rows.count == 12)
    for rows in [rows.prefix(6), rows.suffix(6)] {
      let places = rows.map { row in
        row.enumerated().filter { $0.element == "±" }.map(\.offset)
      }
      #expect(places[0].count == 2 && Set(places).count == 1, "\(rows)")
    }
  }

  /// A folder that another process has is left to it, from the start or once there is something to put there.
  @Test func studiesDoNotShareAFolder() throws {
    let bench = try Workbench()
    let words =
      "study --model gaussian --nfe 2 --solvers euler --grids uniform --count 5 --out study"
    try FileManager.default.createDirectory(
      atPath: bench.path("study"), withIntermediateDirectories: true)
    func refused(_ words: String) throws {
      let before = try bench.contents()
      let outcome = try RunFolder(bench.path("study")).alone { try bench.scoresde(words) }
      #expect(
        outcome.status == 1
          && outcome.errors.contains(
            "another process works in study; expected it to end first, or another folder")
      )
      #expect(try bench.contents() == before)
    }
    try refused(words)
    let _: Reports.Study = try bench.report(words)
    try refused("study --resume --out study")
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
