import Foundation
import ScoreSDE

/// A study as text, JSON and a figure.
struct StudyReport<Scalar: TensorScalar> {
  let result: Study<Scalar>.Result
  let settings: StudySettings
  let seconds: Double
  let folder: String

  var names: ProcessNames { ProcessNames(settings.processes.map(\.sde)) }

  private var budgets: [Int] { settings.budgets }

  typealias Curve = Study<Scalar>.Curve
  typealias Point = Study<Scalar>.Point

  /// Writes the figure and the tables, and last what a study goes on from.
  func write() throws {
    try AtomicFile.write(figure.svg, to: folder + "/study.svg")
    try AtomicFile.write(text + "\n", to: folder + "/study.txt")
    try AtomicFile.write(json.text + "\n", to: StudyRecord<Scalar>.path(in: folder))
  }

  // MARK: Text

  /// The tables: end-point errors of solvers of the flow, distances of all, and adaptive solvers by tolerance.
  var text: String {
    var parts = [
      "\(settings.model), \(processes), \(settings.count) samples, \(NumberText.significant(seconds, digits: 3)) s"
    ]
    let deterministic = result.curves.filter { $0.grid != "adaptive" && $0.points[0].error != nil }
    if !deterministic.isEmpty {
      parts.append(
        "root mean square difference from a fine solve of the same noise, at no more than so many NFE\n"
          + table(deterministic) { $0.error }.text)
    }
    let stepped = result.curves.filter { $0.grid != "adaptive" }
    if !stepped.isEmpty {
      parts.append(
        "energy distance to \(result.reference), at no more than so many NFE (a fine solve has \(floors))\n"
          + table(stepped) { $0.distance }.text)
    }
    let adaptive = result.curves.filter { $0.grid == "adaptive" }
    if !adaptive.isEmpty { parts.append(toleranceTable(adaptive).text) }
    if !result.omissions.isEmpty { parts.append(omissionTable.text) }
    if result.remaining > 0 {
      parts.append(
        "\(NumberText.counted(result.remaining, "measurement")) still to be made: scoresde study --out \(folder) --resume"
      )
    }
    parts.append("figure: \(folder)/study.svg")
    return parts.joined(separator: "\n")
  }

  private var processes: String {
    settings.processes.map { "\($0.sde), ε = \(NumberText.trimmed($0.epsilon))" }
      .joined(separator: "; ")
  }

  private var floors: String {
    result.processes.map { process in
      NumberText.plusMinus(process.floor.value, process.floor.standardError)
        + (names[process.sde].map { " under \($0)" } ?? "")
    }.joined(separator: ", ")
  }

  /// The process of a row, where there are several.
  func cells(_ sde: String) -> [String] { names[sde].map { [$0] } ?? [] }

  /// The name of the column for these.
  private var processColumn: [String] { settings.processes.count > 1 ? ["SDE"] : [] }

  /// Adaptive solvers, the coarsest tolerance of each first.
  private func toleranceTable(_ curves: [Curve]) -> Table {
    let rows = curves.flatMap { curve in
      curve.points.sorted { ($0.tolerance ?? 0) > ($1.tolerance ?? 0) }
        .map { (curve: curve, point: $0) }
    }
    let differences = Self.column(rows.map(\.point.error))
    let distances = Self.column(rows.map(\.point.distance))
    return Table(
      columns: processColumn + ["adaptive solver", "tolerance", "NFE", "difference", "distance"],
      rows: rows.enumerated().map { place, row in
        cells(row.curve.sde) + [
          row.curve.solver, row.point.tolerance.map(Spec.text) ?? "–",
          NumberText.significant(row.point.evaluations, digits: 3), differences[place],
          distances[place],
        ]
      })
  }

  /// What is in no table, those of one reason in one row.
  private var omissionTable: Table {
    var table = Table(columns: processColumn + ["left out", "grid", "at", "because"])
    var rest = result.omissions
    while let first = rest.first {
      func isAlike(_ other: Study<Scalar>.Omission) -> Bool {
        other.sde == first.sde && other.solver == first.solver && other.reason == first.reason
      }
      let alike = rest.filter(isAlike)
      rest.removeAll(where: isAlike)
      func list(_ texts: [String]) -> String {
        texts.enumerated().filter { !texts[..<$0].contains($1) }.map(\.element)
          .joined(separator: ", ")
      }
      let budgets = list(alike.compactMap { $0.budget.map(String.init) })
      let tolerances = list(alike.compactMap { $0.tolerance.map(Spec.text) })
      table.append(
        cells(first.sde) + [
          first.solver, list(alike.map(\.grid)),
          budgets.isEmpty ? "tolerance \(tolerances)" : "NFE \(budgets)", first.reason,
        ])
    }
    return table
  }

  /// Numbers with their errors, as a column of a table.
  private static func column(_ found: [Estimate?]) -> [String] {
    NumberText.plusMinusColumn(found.map { $0.map { ($0.value, $0.standardError) } })
  }

  /// How good a curve is: the mean over the budgets of the logarithm of the error at the last point within each, where no
  /// error counts as less than its own, and none at all as a hundred.
  func score(_ curve: Curve, _ value: (Point) -> Estimate?) -> Double {
    let logarithms = budgets.map { budget in
      let within = curve.points.last { $0.evaluations <= Double(budget) }.flatMap(value)
      return log(within.map { max($0.value, $0.standardError, 1e-300) } ?? 100)
    }
    return logarithms.reduce(0, +) / Double(budgets.count)
  }

  private func table(_ curves: [Curve], _ value: (Point) -> Estimate?) -> Table {
    let sorted = curves.sorted { score($0, value) < score($1, value) }
    let columns = budgets.map { budget in
      Self.column(sorted.map { $0.points.first { $0.budget == budget }.flatMap(value) })
    }
    return Table(
      columns: processColumn + ["solver", "grid"] + budgets.map { "\($0)" },
      rows: sorted.enumerated().map { row, curve in
        cells(curve.sde) + [curve.solver, curve.grid] + columns.map { $0[row] }
      })
  }

  // MARK: JSON

  var json: JSON {
    func estimate(_ value: Estimate) -> JSON {
      .object([("value", .number(value.value)), ("standardError", .number(value.standardError))])
    }
    return .object(
      settings.json + [
        ("seconds", .number(seconds)), ("remaining", .integer(result.remaining)),
        ("reference", .string(result.reference)),
        (
          "processes",
          .array(
            zip(settings.processes, result.processes).map { process, found in
              .object([
                ("sde", .string(process.sde)), ("epsilon", .number(process.epsilon)),
                ("floor", estimate(found.floor)),
              ])
            })
        ),
        (
          "curves",
          .array(
            result.curves.map { curve in
              .object([
                ("sde", .string(curve.sde)), ("solver", .string(curve.solver)),
                ("grid", .string(curve.grid)),
                (
                  "points",
                  .array(
                    curve.points.map { point in
                      .object([
                        ("budget", point.budget.map { .integer($0) } ?? .null),
                        ("tolerance", point.tolerance.map { .number($0) } ?? .null),
                        ("nfe", .number(point.evaluations)),
                        ("error", point.error.map(estimate) ?? .null),
                        ("distance", estimate(point.distance)),
                      ])
                    })
                ),
              ])
            })
        ), ("leftOut", .array(result.omissions.map(Self.json))), ("out", .string(folder)),
      ])
  }

  private static func json(_ omission: Study<Scalar>.Omission) -> JSON {
    .object([
      ("sde", .string(omission.sde)), ("solver", .string(omission.solver)),
      ("grid", .string(omission.grid)),
      ("budget", omission.budget.map { .integer($0) } ?? .null),
      ("tolerance", omission.tolerance.map { .number($0) } ?? .null),
      ("reason", .string(omission.reason)),
    ])
  }
}
