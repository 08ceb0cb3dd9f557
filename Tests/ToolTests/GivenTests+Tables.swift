import Foundation
import ScoreSDE
import Testing

/// Tables of samples that hold what each was drawn under.
extension GivenTests {
  /// A table of samples holds what each was drawn under, as it was given, and other commands find it there.
  @Test func samplesStandBesideWhatTheyWereGiven() throws {
    let bench = try trained(
      "y,z", ["rows.csv": Data("z,other,y\n1.5,0,0.25\n0.1,0,-1\n".utf8)])
    func sample(_ words: String) throws -> CSV.Contents<Float> {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 20 --count 3 --out x.csv \(words)")
      return try CSV.read(bench.path("x.csv"))
    }
    #expect(try sample("").columns == ["x"])
    let table = try sample("--given rows.csv")
    #expect(table.columns == ["x", "y", "z"])
    for row in 0..<6 {
      #expect(Array(table.values.row(row)[1...]) == (row < 3 ? [0.25, 1.5] : [-1, 0.1]))
    }
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 20 --count 3 --out x.npy --given rows.csv")
    #expect(try bench.numbers("x.npy").map { Float($0) } == (0..<6).map { table.values[$0, 0] })
    func nats(_ words: String) throws -> [Double] {
      let _: Reports.Likelihood = try bench.report(
        "likelihood --model run --strata 0 --divergence exact --out nats.npy \(words)")
      return try bench.numbers("nats.npy")
    }
    let own = try nats("--data x.csv")
    #expect(try nats("--data x.npy --given y=0.25,z=1.5").prefix(3) == own.prefix(3))
    #expect(try nats("--data x.npy --given y=-1,z=0.1").suffix(3) == own.suffix(3))
  }

  /// So does one of samples of classes that came from a column.
  @Test func samplesStandBesideTheirClasses() throws {
    let rows = (0..<40).map { "\(0.1 * Double($0)),\($0 % 2),\($0 % 5)" }
    let bench = try Workbench(["data.csv": Data(("x,kind,y\n" + rows.joined(separator: "\n")).utf8)]
    )
    let _: Reports.Train = try bench.report(
      "train --data data.csv --labels column:kind --given y --out run \(Self.options)")
    for (words, columns, others) in [
      ("--class 1", ["x", "kind"], [[1], [1]]),
      (
        "--class 1,0 --given 2.5", ["x", "kind", "y"], [[1, 2.5], [1, 2.5], [0, 2.5], [0, 2.5]]
      ),
      ("--given 2.5", ["x", "y"], [[2.5], [2.5]]),
    ] as [(String, [String], [[Float]])] {
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 5 --count 2 --out x.csv \(words)")
      let table: CSV.Contents<Float> = try CSV.read(bench.path("x.csv"))
      #expect(table.columns == columns)
      #expect((0..<table.values.rows).map { Array(table.values.row($0)[1...]) } == others)
    }
  }
}
