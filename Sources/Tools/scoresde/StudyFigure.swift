import ScoreSDE

extension StudyReport {
  /// Two plots, log against log: the difference from the fine solve, and the distance to the reference.
  var figure: Panels {
    let solved = ranked(result.curves.filter { $0.points[0].error != nil }) { $0.error }
    let all = ranked(result.curves) { $0.distance }
    let colors = colors(of: [solved, all].map { $0.map(name) })
    let differences = plot(
      "Difference from a fine solve of the same noise", "root mean square difference", solved,
      colors
    ) { $0.error }
    var distances = plot(
      "Distance to \(result.reference)", "energy distance, or its standard error if larger", all,
      colors
    ) { $0.distance }
    let floors = result.processes.map { max($0.floor.value, $0.floor.standardError) }
    for floor in Set(floors).sorted() {
      distances.add(
        .horizontalRule(
          at: floor,
          label: floors.count == 1 ? "a fine solve, or its error" : "fine solves, or their errors"))
    }
    return Panels(
      [differences, distances],
      summary:
        "Error against NFE on \(settings.model), \(settings.processes.map(\.sde).joined(separator: "; "))"
    )
  }

  /// The solver of a curve, and its process where there are several.
  private func name(_ curve: Curve) -> String {
    curve.solver + (names[curve.sde].map { ", \($0)" } ?? "")
  }

  /// The best grid of each solver under each process, the best first.
  private func ranked(_ curves: [Curve], _ value: (Point) -> Estimate?) -> [Curve] {
    // A solver is as good as its best grid.
    Dictionary(grouping: curves, by: name).values.compactMap { curves in
      curves.map { (curve: $0, score: score($0, value)) }.min { $0.score < $1.score }
    }.sorted { ($0.score, name($0.curve)) < ($1.score, name($1.curve)) }.map(\.curve)
  }

  /// One colour a solver and process, the same in all plots, as far as the colours go: to those that are best in any of them.
  private func colors(of rankings: [[String]]) -> [String: Color] {
    var best: [String] = []
    for place in 0..<(rankings.map(\.count).max() ?? 0) {
      for ranking in rankings where place < ranking.count && !best.contains(ranking[place]) {
        best.append(ranking[place])
      }
    }
    return Dictionary(uniqueKeysWithValues: zip(best, Color.series))
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
      let color = colors[name(curve)]
      // A grid that the solver's text names is not said twice.
      let grid = curve.solver.contains("grid=") ? [] : [curve.grid]
      let words = [curve.solver] + grid + cells(curve.sde)
      let label = color == nil ? "others" : words.joined(separator: ", ")
      plot.add(.line(x: x, y: y, label: label, color: color ?? .gray, dashed: color == nil))
      plot.add(.points(x: x, y: y, label: label, color: color ?? .gray))
    }
    return plot
  }
}
