import Foundation
import ScoreSDE
import Testing

/// Runs on tables of texts and whole numbers beside measurements.
@Suite struct TextTableTests {
  private static let options =
    "--network mlp:width=32,layers=2 --batch-size 64 --learning-rate 0.005 --warm-up 0 --average-decay 0.95"

  /// Of two kinds in three rows to one, the rare weigh 10 ± 0.5 and are counted 5 to 6, the others 2 ± 0.5 and 0 to 1.
  private static func table(_ count: Int, seed: UInt64, _ kinds: [String] = ["cat", "dog"]) -> Data
  {
    let noise: Tensor<Double> = RandomKey(seed).normal([count, 1])
    let rows = (0..<count).map { row in
      let isRare = row % 4 == 3
      let weight = (isRare ? 10 : 2) + 0.5 * noise.scalars[row]
      return "\(weight),\(kinds[isRare ? 1 : 0]),\((isRare ? 5 : 0) + row / 4 % 2)"
    }
    return Data((["weight,kind,toys"] + rows).joined(separator: "\n").utf8)
  }

  private func bench(_ options: String = "--whole toys", steps: Int) throws -> Workbench {
    let bench = try Workbench([
      "t.csv": Self.table(400, seed: 1), "u.csv": Self.table(200, seed: 2),
    ])
    let _: Reports.Train = try bench.report(
      "train --data t.csv \(options) --steps \(steps) --out run \(Self.options)")
    return bench
  }

  private func rows(_ bench: Workbench, _ name: String) throws -> [[String]] {
    try #require(String(data: bench.data(name), encoding: .utf8))
      .split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
  }

  /// log P = log ¾ or log ¼, log ½ for the toys, and the normal density of the weight: −½ log(2πe ¼) in the mean. The shares of
  /// 400 samples are within 5 standard errors and what a network is off by.
  @Test func textsAndCountsAreLearntWithWhatTheyGoWith() throws {
    let bench = try bench(steps: 1500)
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver dpm-solver++ --steps 20 --count 400 --out x.csv")
    let table = try rows(bench, "x.csv")
    #expect(table[0] == ["weight", "kind", "toys"] && table.count == 401)
    var (rare, wrong) = (0, 0)
    for row in table.dropFirst() {
      let (weight, toys) = try (#require(Double(row[0])), #require(Int(row[2])))
      #expect((0...6).contains(toys) && ["cat", "dog"].contains(row[1]))
      let isRare = row[1] == "dog"
      if isRare { rare += 1 }
      if (weight > 6) != isRare || (toys > 3) != isRare { wrong += 1 }
    }
    #expect(abs(rare - 100) < 50, "\(rare)")
    #expect(wrong < 12, "\(wrong)")
    let truth = 0.75 * log(0.75) + 0.25 * log(0.25) - log(2) - 0.5 * (log(2 * .pi / 4) + 1)
    let report: Reports.Likelihood = try bench.report(
      "likelihood --model run --data u.csv --divergence exact --strata 0")
    let (value, error) = (report.logDensity.mean, report.logDensity.standardError)
    #expect(abs(value - truth) < 0.6 + 5 * error, "\(value) ± \(error), \(truth)")
    // Samples of a run are data again, and those of another order and with a text fewer.
    let other = Data("kind,toys,weight\ncat,1,2\ncat,0,1.5\ncat,0,2.5\ncat,1,2\n".utf8)
    try bench.write(other, to: "other.csv")
    for data in ["x.csv", "other.csv"] {
      let again: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(data) --count 4 --strata 0")
      #expect(again.dimensions == 4 && again.logDensity.mean > truth - 4)
    }
    let compared = try bench.scoresde("compare --data other.csv --with u.csv --json")
    #expect(compared.status == 0 && compared.output.contains("kind=dog"))
  }

  /// The nats of a row are those of the point that it is spread to, less those that it is spread by: the mean difference of 3000 rows
  /// spread here and there is within 5 standard errors, as it is but once in two million runs, and the latter are 0.25 in the mean.
  @Test func rowsHaveTheNatsOfPointsLessTheirSpread() throws {
    let bench = try bench(steps: 600)
    let count = 3000
    try bench.write(Self.table(count, seed: 5), to: "many.csv")
    let data: Dataset<Float> = try DataSource(bench.path("many.csv")).load().discretized(["toys"])
    let discrete = try #require(data.discrete)
    let points = discrete.dequantised(data.samples, key: RandomKey(11))
    try NPY.write(points, to: bench.path("points.npy"))
    for name in ["many.csv", "points.npy"] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --data \(name) --divergence exact --strata 0 --out \(name)-nats.npy"
      )
    }
    let spread = discrete.bins.logDensity(of: points, above: data.samples)
    let (rows, scored) = (
      try bench.numbers("many.csv-nats.npy"), try bench.numbers("points.npy-nats.npy")
    )
    let differences = rows.indices.map { rows[$0] - scored[$0] + spread[$0] }
    let mean = differences.reduce(0, +) / Double(count)
    let square = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
    let error = (square / Double(count)).squareRoot()
    #expect(abs(mean) < 5 * error && 5 * error < 0.25, "\(mean) ± \(error)")
  }

  /// What is known of a row comes back as it was said, and what goes with it follows.
  @Test func knownTextsComeBack() throws {
    let bench = try bench(steps: 1500)
    try bench.write(Data("kind,weight,toys\ndog,,\n,2,\n,,5\n".utf8), to: "known.csv")
    let _: Reports.Sample = try bench.report(
      "sample --model run --observe known.csv --solver ancestral --steps 60 --count 20 --out x.csv")
    let table = try rows(bench, "x.csv").dropFirst()
    #expect(table.count == 60)
    for row in table.prefix(20) { #expect(row[1] == "dog") }
    for row in table.suffix(20) { #expect(row[2] == "5") }
    #expect(table.prefix(20).filter { Double($0[0]) ?? 0 > 6 && Int($0[2]) ?? 0 > 3 }.count > 16)
    let middle = table.dropFirst(20).prefix(20)
    for row in middle { #expect(abs((Double(row[0]) ?? 0) - 2) < 0.1) }
    #expect(middle.filter { $0[1] == "cat" && Int($0[2]) ?? 9 < 3 }.count > 16)
    for (text, reason) in [
      ("kind\nemu\n", "known.csv, line 2: “kind” is “emu”; expected cat, dog"),
      ("kind,weight\n3,2\n", "known.csv, line 2: “kind” is “3”; expected cat, dog"),
      ("weight\nbig\n", "known.csv: “weight” holds texts, such as “big”; expected numbers"),
      (
        "colour\nred\n",
        "known.csv has a column colour, which samples have not; expected some of weight, kind, toys"
      ),
    ] {
      try bench.write(Data(text.utf8), to: "known.csv")
      let outcome = try bench.scoresde("sample --model run --observe known.csv --out y.csv")
      #expect(outcome.status == 1 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
  }

  /// p(y) of a text that is known is its share, but for what the network and the particles are off by: sixteen sets have a standard
  /// error of 8 % here. At the middle of the bins alone the two would have 1.4 together.
  @Test func particlesKnowHowProbableATextIs() throws {
    let bench = try bench(steps: 1500)
    let found = try ["cat", "dog"].map { kind in
      try bench.write(Data("kind\n\(kind)\n".utf8), to: "known.csv")
      let report: Reports.Sample = try bench.report(
        "sample --model run --observe known.csv --particles 200 --sets 16 --count 16 --steps 50 --out x.csv"
      )
      return exp(try #require(report.particles?.logEvidence.value))
    }
    #expect(0.65...1.2 ~= found[0] + found[1], "\(found)")
    #expect(0.15...0.35 ~= found[1] / (found[0] + found[1]), "\(found)")
  }

  @Test func textsAreGiven() throws {
    let bench = try bench("--given kind,toys --validation u.csv", steps: 300)
    let _: Reports.Sample = try bench.report(
      "sample --model run --given kind=dog,toys=6 --solver unipc --steps 10 --count 20 --out x.csv")
    let table = try rows(bench, "x.csv")
    #expect(table[0] == ["weight", "kind", "toys"])
    for row in table.dropFirst() { #expect(row[1] == "dog" && row[2] == "6.0") }
    #expect(table.dropFirst().filter { Double($0[0]) ?? 0 > 6 }.count > 16)
    // In order, and of a file.
    try bench.write(Data("toys,kind\n6,dog\n".utf8), to: "y.csv")
    for given in ["dog,6", "y.csv"] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --given \(given) --solver unipc --steps 10 --count 20 --out z.csv")
      #expect(try bench.data("z.csv") == bench.data("x.csv"), "\(given)")
    }
    for (given, reason) in [
      ("kind=dot,toys=6", "where kind is “dot” (did you mean dog?), none of cat, dog"),
      ("kind=dog", "without toys; expected kind=TEXT,toys=NUMBER"),
      ("kind=dog,toys=six", "where toys is “six”, no finite number"),
    ] {
      let outcome = try bench.scoresde("sample --model run --given \(given) --out z.csv")
      #expect(outcome.status == 2 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
    let _: Reports.Likelihood = try bench.report(
      "likelihood --model run --data u.csv --count 8 --strata 0")
  }

  /// A run that begins with another has the texts of that one, whichever its data have.
  @Test func runsThatBeginWithOthersAreGivenTheirTexts() throws {
    let bench = try bench("--given kind", steps: 20)
    for (kind, reason) in [
      ("dog", nil), ("emu", "few.csv, line 2: “kind” is “emu”; expected cat, dog"),
    ] {
      try bench.write(
        Data("weight,kind,toys\n10,\(kind),5\n11,\(kind),6\n".utf8), to: "few.csv")
      let outcome = try bench.scoresde(
        "train --data few.csv --start run --given kind --steps 1 --out begun-\(kind)")
      #expect(outcome.status == (reason == nil ? 0 : 1), "\(outcome.errors)")
      if let reason { #expect(outcome.errors.contains(reason), "\(outcome.errors)") }
    }
  }

  @Test func textsAreClasses() throws {
    let bench = try bench("--labels column:kind --whole toys", steps: 300)
    let _: Reports.Sample = try bench.report(
      "sample --model run --class dog,cat --solver unipc --steps 10 --count 10 --out x.csv")
    let table = try rows(bench, "x.csv")
    #expect(table[0] == ["weight", "toys", "kind"])
    #expect(table.dropFirst().map { $0[2] } == (0..<20).map { $0 < 10 ? "dog" : "cat" })
    #expect(table[1...10].filter { Double($0[0]) ?? 0 > 6 }.count > 7)
    // What a run teaches names its classes as it did.
    let distilled = try bench.scoresde("distill --model run --steps 5 --out fast --quiet")
    try #require(distilled.status == 0, "\(distilled.errors)")
    let _: Reports.Sample = try bench.report(
      "sample --model fast --class dog --count 2 --out y.csv")
    let taught = try rows(bench, "y.csv")
    #expect(taught[0] == table[0] && taught.dropFirst().allSatisfy { $0[2] == "dog" })
    // Another table numbers its texts otherwise.
    try bench.write(Self.table(40, seed: 3, ["ant", "cat"]), to: "v.csv")
    let unknown = try bench.scoresde("likelihood --model run --data v.csv --class data")
    #expect(
      unknown.status == 1 && unknown.errors.contains("the class is “ant”"), "\(unknown.errors)")
    try bench.write(Data("kind,toys,weight\ndog,5,10\ndog,6,10.5\n".utf8), to: "v.csv")
    func nats(_ words: String) throws -> Double {
      let report: Reports.Likelihood = try bench.report(
        "likelihood --model run --data v.csv --strata 0 \(words)")
      return report.logDensity.mean
    }
    #expect(try nats("--class data") == nats("--class dog"))
    #expect(try nats("--class data") > nats("--class cat"))
    try bench.write(Data("kind\ndog\ndog\n".utf8), to: "kinds.csv")
    #expect(try nats("--class data") == nats("--class kinds.csv"))
    #expect(try nats("--class data") == nats("--class v.csv"))
  }

  /// A run that goes on has the columns that it had, and says so.
  @Test func runsKeepWhatTheirColumnsHold() throws {
    let bench = try bench("--whole toys --schedule constant", steps: 20)
    let whole = try bench.scoresde("train --out run --resume --steps 40 --whole weight")
    #expect(
      whole.status == 2 && whole.errors.contains("--whole is weight, but the run in run has toys"))
    let _: Reports.Train = try bench.report("train --out run --resume --steps 40 --whole toys")
    let _: Reports.Train = try bench.report(
      "train --data t.csv --whole toys --schedule constant --steps 40 --out straight \(Self.options)"
    )
    #expect(
      try bench.data("run/checkpoint.safetensors") == bench.data("straight/checkpoint.safetensors"))
    let facts = try bench.scoresde("inspect run").output
    for line in [
      "columns          weight, kind, toys", "texts            kind: cat, dog",
      "whole numbers    toys",
    ] {
      #expect(facts.contains(line), "\(facts)")
    }
    for (words, reason) in [
      ("--whole kind", "“kind” holds texts; expected some of weight, toys, which hold numbers"),
      ("--whole weight", "t.csv, line 2: “weight” is"),
      ("--whole toys,toys", "--whole is toys,toys; expected different columns"),
    ] {
      let outcome = try bench.scoresde("train --data t.csv \(words) --steps 1 --out other")
      #expect(outcome.status != 0 && outcome.errors.contains(reason), "\(outcome.errors)")
    }
  }

  /// Numbers between whole ones are none of a table, and nothing to train a run of whole numbers on.
  @Test func numbersBetweenWholeOnesAreSaid() throws {
    let bench = try bench(steps: 20)
    try bench.write(Data("kind,toys,weight\ndog,5,10\ndog,5.5,10.5\n".utf8), to: "v.csv")
    let scored = try bench.scoresde("likelihood --model run --data v.csv --strata 0 --quiet")
    #expect(
      scored.status == 1
        && scored.errors.contains("v.csv, line 3: “toys” is 5.5; expected a whole number"),
      "\(scored.errors)")
    let started = try bench.scoresde("train --data v.csv --start run --steps 1 --out next")
    #expect(
      started.status == 1
        && started.errors.contains("v.csv, line 3: “toys” is 5.5; expected a whole number"),
      "\(started.errors)")
    try NPY.write(
      Tensor<Float>([2, 4], [10, 0, 1, 5.5, 11, 0, 1, 6]), to: bench.path("v.npy"))
    for (heldOut, status, reason) in [
      ("u.csv", 0, ""), ("v.npy", 0, "v.npy: not the whole numbers of t.csv, so taken as points"),
      ("v.csv", 1, "v.csv, line 3: “toys” is 5.5; expected a whole number"),
    ] {
      let trained = try bench.scoresde(
        "train --data t.csv --whole toys --validation \(heldOut) --steps 10 --out held-\(heldOut) \(Self.options)"
      )
      #expect(trained.status == status, "\(trained.errors)")
      #expect(reason.isEmpty || trained.errors.contains(reason), "\(trained.errors)")
      #expect(!reason.isEmpty || !trained.errors.contains("not the whole"), "\(trained.errors)")
    }
    let _: Reports.Train = try bench.report("train --data u.csv --start run --steps 10 --out next")
    #expect(try bench.scoresde("inspect next").output.contains("whole numbers    toys"))
  }
}
