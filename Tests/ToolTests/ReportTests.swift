import Foundation
import ScoreSDE
import Testing

/// What `inspect`, `study`, `bench` and `verify` say.
@Suite struct ReportTests {
  @Test func inspectSaysWhatARunIs() throws {
    let bench = try Workbench(TrainedRun.images.files)
    let run: Reports.Run = try bench.report("inspect run")
    #expect(run.sde == "vp:beta-min=0.1,beta-max=20" && run.network.hasPrefix("mlp:width=16"))
    #expect(run.data == "data.npy" && run.scalar == "float32" && run.sampleShape == [2, 2, 1])
    #expect(run.stepsAskedFor == 200 && run.stepsDone == 200 && run.batchSize == 64)
    let checkpoint = try Safetensors<Float>(contentsOf: bench.path("run/checkpoint.safetensors"))
    let names = checkpoint.parameters.names.filter { $0.hasPrefix("parameters/") }
    #expect(
      run.parameters == names.compactMap { checkpoint.parameters[$0]?.count }.reduce(0, +))
    let log = String(decoding: try bench.data("run/loss.csv"), as: UTF8.self)
    let last = try #require(log.split(separator: "\n").last?.split(separator: ","))
    #expect(last[0] == "200" && run.lastLoss == Double(last[1]))
    let text = try bench.scoresde("inspect run").output
    #expect(text.contains("steps done") && text.contains("200"))
  }

  @Test func inspectSaysWhatDataAreLike() throws {
    let bench = try Workbench([
      "x.npy": .npy([1, 2, 3, 6], shape: [2, 2]), "bytes.npy": Levels.singleFile,
    ])
    let numbers: Reports.Numbers = try bench.report("inspect x.npy")
    #expect(numbers.samples == 2 && numbers.sampleShape == [2])
    #expect(numbers.mean == 3 && numbers.least == 1 && numbers.greatest == 6)
    #expect(abs(numbers.standardDeviation - 3.5.squareRoot()) < 1e-12)
    #expect(numbers.levels == nil && numbers.classes == nil)
    // The samples are (1, 2) and (3, 6), and (−1, −1) and (1, 1) where training puts them.
    #expect(abs(numbers.suggestedSigmaMax.value - 8.0.squareRoot()) < 1e-6)
    #expect(!numbers.suggestedSigmaMax.reason.isEmpty)
    let bytes: Reports.Numbers = try bench.report("inspect bytes.npy")
    #expect(bytes.levels == 256 && bytes.least == 60 && bytes.greatest == 140)
    let digits: Reports.Numbers = try bench.report("inspect digits:test")
    #expect(digits.samples == 1797 && digits.sampleShape == [8, 8, 1])
    #expect(digits.levels == 17 && digits.classes == 10)
  }

  @Test func inspectNamesARunThatMakesNoSense() throws {
    let bench = try Workbench(TrainedRun.single.files)
    let text = String(decoding: try bench.data("run/run.json"), as: UTF8.self)
    let shape = try #require(text.firstMatch(of: /"sampleShape" : \[[^\]]*\]/)).output
    try bench.write(
      .text(text.replacing(shape, with: "\"sampleShape\" : [-2]")), to: "run/run.json")
    let outcome = try bench.scoresde("inspect run")
    #expect(outcome.status == 1 && outcome.output.isEmpty)
    #expect(
      outcome.errors.hasPrefix("scoresde: run/run.json: the run's sampleShape is [-2]; expected"))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test func inspectReadsInTheTypeAskedFor() throws {
    let bench = try Workbench(["x.npy": .npy([0.1, 0.2], shape: [2, 1])])
    let file = Safetensors(Parameters(names: ["a"], tensors: [Tensor<Double>([1], [0.1])]))
    try file.write(to: bench.path("x.safetensors"))
    for (scalar, least) in [
      ("", 0.1), (" --scalar float64", 0.1), (" --scalar float32", Double(Float(0.1))),
    ] {
      let numbers: Reports.Numbers = try bench.report("inspect x.npy" + scalar)
      #expect(numbers.least == least)
      let tensors: Reports.Tensors = try bench.report("inspect x.safetensors" + scalar)
      #expect(tensors.list.map(\.least) == [least])
    }
    let help = try bench.scoresde("inspect --help").output
    #expect(help.contains("float64 (default) or float32"))
    #expect(help.split(separator: "--scalar").count == 2)
  }

  @Test func inspectSaysWhatTensorsAFileHolds() throws {
    let bench = try Workbench()
    let file = Safetensors(
      Parameters(
        names: ["a", "b"],
        tensors: [Tensor<Float>([2, 2], [1, 2, 3, 6]), Tensor([3], [0, 0, 0])]),
      metadata: ["key": "value"])
    try file.write(to: bench.path("x.safetensors"))
    let tensors: Reports.Tensors = try bench.report("inspect x.safetensors")
    #expect(tensors.tensors == 2 && tensors.entries == 7 && tensors.metadata == ["key": "value"])
    let first = try #require(tensors.list.first { $0.name == "a" })
    #expect(first.shape == [2, 2] && first.mean == 3 && first.least == 1 && first.greatest == 6)
  }

  @Test func studyFindsTheErrorsOfDDIMInClosedForm() throws {
    let bench = try Workbench()
    let report: Reports.Study = try bench.report(
      "study --model gaussian --nfe 10,5 --solvers ddim;euler-maruyama;ode --grids uniform --count 50 --out deep/study"
    )
    #expect(
      report.model == "gaussian" && report.processes.map(\.sde) == ["vp:beta-min=0.1,beta-max=20"])
    #expect(report.count == 50 && report.reference == "exact samples")
    #expect(report.curves.map(\.solver) == ["ddim", "euler-maruyama", "ode"])
    #expect(report.curves.map(\.grid) == ["uniform", "uniform", "adaptive"])

    // On N(0, 1) the flow stands still, and a step of DDIM from s to t multiplies by α(s) α(t) + σ(s) σ(t).
    let points = report.curves[0].points
    #expect(points.map(\.budget) == [5, 10] && points.map(\.nfe) == [5, 10])
    let errors = [5, 10].map { steps in
      let times = (0...steps).map { 1 - 0.999 * Double($0) / Double(steps) }
      return 1
        - zip(times, times.dropFirst()).map { s, t in
          GaussianFlow.alpha(s) * GaussianFlow.alpha(t)
            + GaussianFlow.sigma(s) * GaussianFlow.sigma(t)
        }.reduce(1, *)
    }
    // Both start from the same noise, whose root mean square is 1, give or take 0.1 for 50 draws.
    let found = points.compactMap { $0.error?.value }
    try #require(found.count == 2)
    #expect(abs(found[0] / found[1] / (errors[0] / errors[1]) - 1) < 1e-3)
    #expect((0.5...1.5).contains(found[0] / errors[0]))

    // What takes noise of its own has no error of an end, and what has tolerances no budget.
    #expect(report.curves[1].points.allSatisfy { $0.error == nil && $0.budget != nil })
    #expect(report.curves[2].points.count == 5)
    #expect(report.curves[2].points.allSatisfy { $0.budget == nil && $0.tolerance != nil })
    #expect(report.out == "deep/study")
    #expect(
      try Set(bench.contents().keys)
        == [
          "deep", "deep/study", "deep/study/study.json", "deep/study/study.svg",
          "deep/study/study.txt",
        ])
    let kept = try JSONDecoder().decode(
      Reports.Study.self, from: bench.data("deep/study/study.json"))
    #expect(kept.curves.map(\.solver) == report.curves.map(\.solver))
  }

  /// A chain's own grid is there up to its length, in full at that; what cannot be had is left out, and the rest goes on.
  @Test func studyLeavesOutWhatCannotBeHad() throws {
    let bench = try Workbench()
    let words =
      "study --model gaussian --sde ddpm:steps=20 --nfe 1,5,20,40 --solvers ancestral:grid=reference;pc:grid=reference;rk4;fitted:denoise=tweedie,pilot=64 --grids uniform,karras --count 9 --out study"
    let report: Reports.Study = try bench.report(words)
    func nfe(_ solver: String) -> [[Double]] {
      report.curves.filter { $0.solver.hasPrefix(solver) }.map { $0.points.map(\.nfe) }
    }
    #expect(nfe("ancestral") == [[5, 20]] && nfe("pc") == [[4, 20, 40]])
    #expect(nfe("rk4") == [[4, 20, 40], [4, 20, 40]] && nfe("fitted") == [[5, 20, 40]])
    #expect(
      report.leftOut.map { "\($0.solver.prefix { $0 != ":" }) \($0.grid) \($0.budget ?? 0)" } == [
        "ancestral reference 1", "ancestral reference 40", "pc reference 1", "rk4 uniform 1",
        "rk4 karras 1", "fitted own 1",
      ])
    #expect(
      report.leftOut[1].reason.contains("takes 40 steps") && report.leftOut[1].tolerance == nil)
    #expect(report.leftOut[1].reason.contains("which has 20"))
    #expect(report.leftOut[3].reason == "its fewest evaluations are 4")
    let text = String(decoding: try bench.data("study/study.txt"), as: UTF8.self)
    #expect(text.contains("ε = 0.05,"))
    #expect(text.contains("rk4                              uniform, karras  NFE 1   its fewest"))
    // Where nothing is left the last reason is told.
    let none = try bench.scoresde(
      "study --model gaussian --sde ddpm:steps=20 --nfe 21 --solvers ancestral:grid=reference --out none"
    )
    #expect(none.status == 1 && none.errors.contains("none of these solvers finished within 21"))
    #expect(
      none.errors.contains("which has 20")
        && !FileManager.default.fileExists(atPath: bench.path("none")))
  }

  /// A solver that runs out of evaluations at one tolerance has its other points.
  @Test func studyTellsOfSolversThatDoNotFinish() throws {
    let bench = try Workbench()
    let report: Reports.Study = try bench.report(
      "study --model gaussian --sde ddpm-cosine --nfe 5 --solvers adaptive-sde --count 3 --out study"
    )
    #expect(report.curves.map(\.points.count) == [4])
    #expect(report.leftOut.map(\.tolerance) == [1e-4] && report.leftOut.map(\.budget) == [nil])
    #expect(report.leftOut[0].reason.hasPrefix("3 of 3 samples did not finish, the first: evalu"))
  }

  /// A study that is ended on its way leaves nothing behind, and no empty folder.
  @Test(arguments: [SIGINT, SIGTERM, SIGKILL])
  func aStudyThatIsEndedLeavesNoFolder(_ signal: Int32) throws {
    let bench = try Workbench()
    let (outcome, endedBySignal) = try bench.scoresde(
      "study --model gaussian --nfe 100000 --solvers euler-maruyama --count 1000 --out deep/study",
      sent: signal, onceItSays: "fine solve")
    #expect(endedBySignal && outcome.status == 128 + signal, "\(outcome)")
    #expect(try bench.contents().isEmpty)
  }

  @Test func studyShowsFitsOnTheirWay() throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde(
      "study --model gaussian --nfe 3,6 --solvers fitted:pilot=64,denoise=tweedie;heun:grid=optimized --count 9 --out study --json"
    )
    let report: Reports.Study = try outcome.report()
    // Tweedie's denoising takes one of the evaluations; a step of Heun takes two.
    #expect(report.curves.map { $0.points.map(\.nfe) } == [[3, 6], [2, 6]])
    let lines = outcome.errors.split(separator: "\n").filter { $0.contains("fit at NFE") }
    #expect(lines.count >= 5, "\(outcome.errors)")
  }

  @Test func benchTimesWhatIsAskedFor() throws {
    let bench = try Workbench()
    let report: Reports.Bench = try bench.report("bench mlp-sample-64 --repeats 3 --threads 2")
    #expect(report.workloads.map(\.workload) == ["mlp-sample-64"])
    let found = report.workloads[0]
    #expect(0 < found.least && found.least <= found.median && found.median <= found.greatest)
    #expect(found.threads == 2 && !found.kernels.isEmpty)
  }

  @Test func everyClosedFormOfVerifyHolds() throws {
    let bench = try Workbench()
    let report: Reports.Verify = try bench.report("verify")
    #expect(report.checks > 2000 && report.failed == 0 && report.failures.isEmpty)
  }
}
