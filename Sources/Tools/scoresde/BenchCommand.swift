import Foundation
import ScoreSDE

/// `scoresde bench`: times the workloads that `Tests/Peers/peers.py` defines.
enum BenchCommand: Command {
  static let name = "bench"
  static let summary = "times \(Workload.allCases.map(\.rawValue).joined(separator: ", "))"
  static let options = [
    Option("--repeats", "N", "timed runs of each workload, after one that is not (default 5)")
  ]
  static let positionalLimit = Workload.allCases.count

  static func run(_ session: Session) throws {
    let repeats = try session.arguments.integer("--repeats", atLeast: 1) ?? 5
    let names = session.arguments.positional
    let workloads = try names.map { name in
      guard let workload = Workload(rawValue: name) else {
        let known = Workload.allCases.map(\.rawValue).joined(separator: ", ")
        throw CommandError.usage("there is no workload \(name); known are \(known)")
      }
      return workload
    }
    var table = Table(columns: ["workload", "median ms", "min ms", "max ms", "unit"])
    var results: [JSON] = []
    for workload in workloads.isEmpty ? Workload.allCases : workloads {
      session.say("bench: \(workload.rawValue)")
      let times =
        try session.arguments.isDouble
        ? workload.times(repeats: repeats, session.pool, Double.self)
        : workload.times(repeats: repeats, session.pool, Float.self)
      let sorted = times.sorted()
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
        ]))
    }
    session.finish(
      .object([("workloads", .array(results))]),
      table.text + "\n\(session.pool.threads) threads, \(Kernels.best.target.rawValue) kernels")
  }
}
