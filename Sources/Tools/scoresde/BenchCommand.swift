import Foundation
import ScoreSDE

/// `scoresde bench`: times the workloads that `Tests/Peers/peers.py` defines, and the engine's single operations.
enum BenchCommand: ScalarCommand {
  static let name = "bench"
  static let summary = "times \(known.joined(separator: ", "))"
  static let options: [Option] = [
    Option("--repeats", "N", "timed runs of each workload, after one that is not (default 5)"),
    .matrixProducts,
  ]
  static let positionalLimit = known.count
  static let positionalNames = "[WORKLOAD ...]"

  private static let known =
    Workload.allCases.map(\.rawValue) + Microbenchmark.allCases.map(\.rawValue)

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let repeats = try session.arguments.integer("--repeats", atLeast: 1) ?? 5
    let given = session.arguments.positional
    if let unknown = given.first(where: { !known.contains($0) }) {
      throw CommandError.usage(
        "there is no workload \(unknown)\(NearMiss.hint(for: unknown, among: known)); known are \(known.joined(separator: ", "))"
      )
    }
    let names = given.isEmpty ? known : given
    var text = ""
    // Both are there, were they empty.
    var (timed, measured) = ([JSON](), [JSON]())
    let workloads = names.compactMap { Workload(rawValue: $0) }
    if try session.arguments.roundsProducts, !workloads.contains(where: \.mayRoundProducts) {
      session.remark(
        "--matrix-products bf16 changes nothing here: only workloads that sample round products")
    }
    if !workloads.isEmpty {
      let (table, results) = try time(workloads, repeats, session, type)
      text += table.text + "\n"
      timed = results
    }
    let benchmarks = names.compactMap { Microbenchmark(rawValue: $0) }
    if !benchmarks.isEmpty {
      let (table, results) = measure(benchmarks, repeats, session, type)
      text += table.text + "\n"
      measured = results
    }
    try session.finish(
      .object([("workloads", .array(timed)), ("operations", .array(measured))]),
      text
        + "\(NumberText.counted(session.pool.threads, "thread")), \(Kernels.best.target.rawValue) kernels"
    )
  }

  private static func time<Scalar: TensorScalar>(
    _ workloads: [Workload], _ repeats: Int, _ session: Session, _ type: Scalar.Type
  ) throws -> (Table, [JSON]) {
    var table = Table(columns: ["workload", "median ms", "min ms", "max ms", "unit"])
    var results: [JSON] = []
    for workload in workloads {
      session.say("bench: \(workload.rawValue)")
      let rounds = try session.arguments.roundsProducts && workload.mayRoundProducts
      let sorted = try workload.times(
        repeats: repeats, roundsProducts: rounds, session.pool, type
      ).sorted()
      let median = (sorted[(repeats - 1) / 2] + sorted[repeats / 2]) / 2
      table.append(
        [workload.rawValue]
          + [median, sorted[0], sorted[repeats - 1]].map { NumberText.fixed($0, decimals: 4) }
          + [workload.unit])
      results.append(
        .object([
          ("workload", .string(workload.rawValue)), ("median_ms", .number(median)),
          ("min_ms", .number(sorted[0])), ("max_ms", .number(sorted[repeats - 1])),
          ("threads", .integer(session.pool.threads)),
          ("kernels", .string(Kernels.best.target.rawValue)),
          ("matrix_products", .string(rounds ? "bf16" : "full")),
        ]))
    }
    return (table, results)
  }

  private static func measure<Scalar: TensorScalar>(
    _ benchmarks: [Microbenchmark], _ repeats: Int, _ session: Session, _ type: Scalar.Type
  ) -> (Table, [JSON]) {
    var table = Table(columns: ["operation", "threads", "min ms", "rate", "of", "share %"])
    var results: [JSON] = []
    for benchmark in benchmarks {
      session.say("bench: \(benchmark.rawValue)")
      for found in benchmark.measurements(repeats: repeats, session.pool, type) {
        table.append([
          found.name, "\(found.threads)", NumberText.fixed(found.milliseconds, decimals: 4),
          NumberText.fixed(found.rate, decimals: 1), found.unit,
          NumberText.fixed(100 * found.share, decimals: 0),
        ])
        results.append(
          .object([
            ("operation", .string(found.name)), ("threads", .integer(found.threads)),
            ("min_ms", .number(found.milliseconds)), ("rate", .number(found.rate)),
            ("unit", .string(found.unit)), ("share", .number(found.share)),
          ]))
      }
    }
    return (table, results)
  }
}
