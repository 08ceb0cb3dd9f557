import Foundation
import ScoreSDE

/// A study as text, JSON and a figure.
struct StudyReport<Scalar: TensorScalar> {
  let result: Study<Scalar>.Result
  let settings: StudySettings
  let seconds: Double
  let folder: String

  private var budgets: [Int] { settings.budgets }

  private typealias Curve = Study<Scalar>.Curve
  private typealias Point = Study<Scalar>.Point

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
      "\(settings.model), \(settings.process), ε = \(NumberText.trimmed(settings.epsilon)), \(settings.count) samples, \(NumberText.significant(seconds, digits: 3)) s"
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
        "energy distance to \(result.reference), at no more than so many NFE (a fine solve has \(NumberText.plusMinus(result.floor.value, result.floor.standardError)))\n"
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

  /// Adaptive solvers, the coarsest tolerance of each first.
  private func toleranceTable(_ curves: [Curve]) -> Table {
    var table = Table(columns: ["adaptive solver", "tolerance", "NFE", "difference", "distance"])
    for curve in curves {
      for point in curve.points.sorted(by: { ($0.tolerance ?? 0) > ($1.tolerance ?? 0) }) {
        table.append([
          curve.solver, point.tolerance.map(Spec.text) ?? "–",
          NumberText.significant(point.evaluations, digits: 3),
          point.error.map(Self.text) ?? "–", Self.text(point.distance),
        ])
      }
    }
    return table
  }

  /// What is in no table, those of one reason in one row.
  private var omissionTable: Table {
    var table = Table(columns: ["left out", "grid", "at", "because"])
    var rest = result.omissions
    while let first = rest.first {
      let alike = rest.filter { $0.solver == first.solver && $0.reason == first.reason }
      rest.removeAll { $0.solver == first.solver && $0.reason == first.reason }
      func list(_ texts: [String]) -> String {
        texts.enumerated().filter { !texts[..<$0].contains($1) }.map(\.element)
          .joined(separator: ", ")
      }
      let budgets = list(alike.compactMap { $0.budget.map(String.init) })
      let tolerances = list(alike.compactMap { $0.tolerance.map(Spec.text) })
      table.append([
        first.solver, list(alike.map(\.grid)),
        budgets.isEmpty ? "tolerance \(tolerances)" : "NFE \(budgets)", first.reason,
      ])
    }
    return table
  }

  /// A number with its error where that is a twentieth of it or more.
  private static func text(_ found: Estimate) -> String {
    found.standardError > 0.05 * abs(found.value)
      ? NumberText.plusMinus(found.value, found.standardError)
      : NumberText.significant(found.value, digits: 3)
  }

  /// How good a curve is: the mean over the budgets of the logarithm of the error at the last point within each, where no
  /// error counts as less than its own, and none at all as a hundred.
  private func score(_ curve: Curve, _ value: (Point) -> Estimate?) -> Double {
    let logarithms = budgets.map { budget in
      let within = curve.points.last { $0.evaluations <= Double(budget) }.flatMap(value)
      return log(within.map { max($0.value, $0.standardError, 1e-300) } ?? 100)
    }
    return logarithms.reduce(0, +) / Double(budgets.count)
  }

  private func table(_ curves: [Curve], _ value: (Point) -> Estimate?) -> Table {
    var table = Table(columns: ["solver", "grid"] + budgets.map { "\($0)" })
    func estimate(_ curve: Curve, _ budget: Int) -> Estimate? {
      curve.points.first { $0.budget == budget }.flatMap(value)
    }
    let sorted = curves.sorted { score($0, value) < score($1, value) }
    for curve in sorted {
      table.append(
        [curve.solver, curve.grid]
          + budgets.map { budget in
            estimate(curve, budget).map(Self.text) ?? "–"
          })
    }
    return table
  }

  // MARK: JSON

  var json: JSON {
    func estimate(_ value: Estimate) -> JSON {
      .object([("value", .number(value.value)), ("standardError", .number(value.standardError))])
    }
    return .object(
      settings.json + [
        ("seconds", .number(seconds)), ("remaining", .integer(result.remaining)),
        ("reference", .string(result.reference)), ("floor", estimate(result.floor)),
        (
          "curves",
          .array(
            result.curves.map { curve in
              .object([
                ("solver", .string(curve.solver)), ("grid", .string(curve.grid)),
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
      ("solver", .string(omission.solver)), ("grid", .string(omission.grid)),
      ("budget", omission.budget.map { .integer($0) } ?? .null),
      ("tolerance", omission.tolerance.map { .number($0) } ?? .null),
      ("reason", .string(omission.reason)),
    ])
  }

  // MARK: Figure

  /// Two plots, log against log: the difference from the fine solve, and the distance to the reference.
  var figure: Panels {
    let solved = ranked(result.curves.filter { $0.points[0].error != nil }) { $0.error }
    let all = ranked(result.curves) { $0.distance }
    let colors = Self.colors(of: [solved, all].map { $0.map(\.solver) })
    let differences = plot(
      "Difference from a fine solve of the same noise", "root mean square difference", solved,
      colors
    ) { $0.error }
    var distances = plot(
      "Distance to \(result.reference)", "energy distance, or its standard error if larger", all,
      colors
    ) { $0.distance }
    distances.add(
      .horizontalRule(
        at: max(result.floor.value, result.floor.standardError), label: "a fine solve, or its error"
      ))
    return Panels(
      [differences, distances],
      summary: "Error against NFE on \(settings.model), \(settings.process)")
  }

  /// The best grid of each solver, the best solver first.
  private func ranked(_ curves: [Curve], _ value: (Point) -> Estimate?) -> [Curve] {
    // A solver is as good as its best grid.
    Dictionary(grouping: curves, by: \.solver).values.compactMap { curves in
      curves.map { (curve: $0, score: score($0, value)) }.min { $0.score < $1.score }
    }.sorted { ($0.score, $0.curve.solver) < ($1.score, $1.curve.solver) }.map(\.curve)
  }

  /// One colour a solver, the same in all plots, as far as the colours go: to those that are best in any of them.
  private static func colors(of rankings: [[String]]) -> [String: Color] {
    var solvers: [String] = []
    for place in 0..<(rankings.map(\.count).max() ?? 0) {
      for ranking in rankings where place < ranking.count && !solvers.contains(ranking[place]) {
        solvers.append(ranking[place])
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(solvers, Color.series))
  }

  /// Each solver on its best grid; those that have a colour by name, the others in grey.
  private func plot(
    _ title: String, _ y: String, _ curves: [Curve], _ colors: [String: Color],
    _ value: (Point) -> Estimate?
  ) -> Plot {
    var plot = Plot(
      title, x: Axis("score evaluations a sample (NFE)", scale: .log, isWhole: true),
      y: Axis(y, scale: .log),
      width: 640, height: 520)
    for curve in curves.reversed() {
      let x = curve.points.map(\.evaluations)
      let y = curve.points.map { value($0).map { max($0.value, $0.standardError) } ?? .nan }
      let color = colors[curve.solver]
      // A grid that the solver's text names is not said twice.
      let name =
        curve.solver.contains("grid=") ? curve.solver : "\(curve.solver), \(curve.grid)"
      let label = color == nil ? "others" : name
      plot.add(.line(x: x, y: y, label: label, color: color ?? .gray, dashed: color == nil))
      plot.add(.points(x: x, y: y, label: label, color: color ?? .gray))
    }
    return plot
  }
}
