import Foundation
import ScoreSDE

/// How true rows lie among draws, as text, JSON and a figure.
struct CalibrationReport {
  /// One number of a sample.
  private struct Column {
    var name: String
    /// Among those of the calibration.
    var place: Int
    var evenness: Double
    var coverages: [Calibration.Coverage]
    var score: Estimate
    /// The score of what the other rows say alone.
    var scoreOfSpread: Estimate
  }

  let title: String
  let nfe: Double
  private let calibration: Calibration
  private let columns: [Column]
  /// Of all that is drawn of samples, as the model sees it; nil where that is one number.
  private let energyScore: Estimate?

  private static let levels = [0.5, 0.8, 0.95]
  /// Where samples have more numbers, those are shown whose ranks are the least even.
  private static let mostShown = 12

  /// - Parameters:
  ///   - truths: `[n, …]`, as the model sees them.
  ///   - draws: `[n m, …]` likewise, m for each row.
  ///   - places: of the numbers of a sample that are drawn, among all that it has.
  /// - Throws: where a number is not finite.
  init<Scalar: TensorScalar>(
    truths: Tensor<Scalar>, draws: Tensor<Scalar>, model: LoadedModel<Scalar>, places: [Int],
    key: RandomKey, title: String, nfe: Double
  ) throws {
    (self.title, self.nfe) = (title, nfe)
    let (drawnTruths, drawn) = (truths.numbers(at: places), draws.numbers(at: places))
    let calibration = try Calibration(of: drawnTruths, among: drawn, key: key)
    self.calibration = calibration
    // Scores have the data's units.
    let own = model.inDataUnits(truths).numbers(at: places)
    let scores = Metrics.rankedProbabilityScores(
      of: own, among: model.inDataUnits(draws).numbers(at: places))
    let spreads = Metrics.rankedProbabilityScores(ofTruthsAlone: own)
    columns = places.enumerated().map { column, place in
      Column(
        name: model.columns?[place] ?? "\(place + 1)", place: column,
        evenness: calibration.evenness(of: column),
        coverages: Self.coverages(of: column, calibration),
        score: scores[column], scoreOfSpread: spreads[column])
    }
    energyScore =
      columns.count > 1 ? Metrics.energyScore(of: drawnTruths, among: drawn) : nil
  }

  /// The coverages at the levels; of few draws several are the same, which is there once.
  private static func coverages(
    of column: Int, _ calibration: Calibration
  ) -> [Calibration.Coverage] {
    levels.reduce(into: []) { found, level in
      let coverage = calibration.coverage(of: column, level: level)
      if found.last?.nominal != coverage.nominal { found.append(coverage) }
    }
  }

  /// The columns that are shown one by one, in their order.
  private var shown: [Column] {
    guard columns.count > Self.mostShown else { return columns }
    let least = columns.sorted { $0.evenness < $1.evenness }.prefix(Self.mostShown)
    return least.sorted { $0.place < $1.place }
  }

  /// How often at least one column's ranks are as uneven as the least even one's, at most.
  private var evennessOfAll: Double {
    min(1, Double(columns.count) * (columns.map(\.evenness).min() ?? 1))
  }

  private func meanShare(_ level: Int) -> Double {
    columns.reduce(0) { $0 + $1.coverages[level].found.value } / Double(columns.count)
  }

  // MARK: Text

  var text: String {
    let levels = columns[0].coverages.map {
      "within \(NumberText.trimmed(100 * $0.nominal, digits: 3)) %"
    }
    var table = Table(
      columns: ["number"] + levels + [
        "p of ranks in \(calibration.usualBins) bins", "score", "of the spread",
      ])
    func percent(_ value: Double, _ error: Double? = nil) -> String {
      (error.map { NumberText.plusMinus(100 * value, 100 * $0) }
        ?? NumberText.significant(100 * value, digits: 3)) + " %"
    }
    for (name, column) in zip(Table.abbreviated(shown.map(\.name)), shown) {
      table.append(
        [name]
          + column.coverages.map { percent($0.found.value, $0.found.standardError) }
          + [
            NumberText.significant(column.evenness, digits: 2),
            NumberText.plusMinus(column.score.value, column.score.standardError),
            column.scoreOfSpread.value == 0
              ? "–" : percent(column.score.value / column.scoreOfSpread.value),
          ])
    }
    if columns.count > 1 {
      table.append(
        ["all \(columns.count)"] + columns[0].coverages.indices.map { percent(meanShare($0)) }
          + [NumberText.significant(evennessOfAll, digits: 2), "", ""])
    }
    var lines = [title, table.text]
    if shown.count < columns.count {
      lines[0] += "; of \(columns.count) numbers the \(shown.count) with the least even ranks"
    }
    if let energyScore {
      lines.append(
        "energy score of all \(columns.count) together: \(NumberText.plusMinus(energyScore.value, energyScore.standardError)), in the model's units"
      )
    }
    return lines.joined(separator: "\n").trimmedEnd
  }

  // MARK: JSON

  var members: [(String, JSON)] {
    func estimate(_ value: Estimate) -> JSON {
      .object([("value", .number(value.value)), ("standardError", .number(value.standardError))])
    }
    return [
      ("count", .integer(calibration.count)), ("draws", .integer(calibration.draws)),
      ("nfe", .number(nfe)), ("bins", .integer(calibration.usualBins)),
      ("evenness", .number(evennessOfAll)),
      (
        "columns",
        .array(
          columns.map { column in
            .object([
              ("name", .string(column.name)), ("evenness", .number(column.evenness)),
              (
                "coverage",
                .array(
                  column.coverages.map {
                    .object([
                      ("nominal", .number($0.nominal)), ("value", .number($0.found.value)),
                      ("standardError", .number($0.found.standardError)),
                    ])
                  })
              ),
              ("ranks", .array(calibration.ranks[column.place].map { .integer($0) })),
              ("score", estimate(column.score)),
              ("scoreOfSpread", estimate(column.scoreOfSpread)),
            ])
          })
      ), ("energyScore", energyScore.map(estimate) ?? .null),
    ]
  }

  // MARK: Figure

  /// A histogram of ranks for each number, over what is expected, with the band that 99 of 100 bars lie in where densities are right.
  var figure: Panels {
    let bins = calibration.usualBins
    let plots = shown.map { column in
      let (counts, expected) = calibration.histogram(of: column.place, bins: bins)
      let edges = (0...bins).map { Double($0) / Double(bins) }
      let widths = expected.map { 2.576 * ((1 - $0 / Double(calibration.count)) / $0).squareRoot() }
      let width = widths.max() ?? 0
      let heights = zip(counts, expected).map { Double($0) / $1 }
      // Room above, so that the band is seen to end.
      let top = 1.15 * max(1 + width, heights.max() ?? 1)
      return Plot(
        column.name, x: "rank of the true value", y: Axis("of what is expected", range: 0...top),
        width: 300, height: 220,
        [
          .band(
            x: [0, 1], lower: [1 - width, 1 - width], upper: [1 + width, 1 + width],
            color: .gray),
          .bars(edges: edges, heights: heights),
        ])
    }
    return Panels(plots, columns: min(3, plots.count), summary: "Ranks of true values among draws")
  }
}

extension Tensor {
  /// Some numbers of each sample, `[n, places]`.
  fileprivate func numbers(at places: [Int]) -> Tensor {
    let width = shape.rowCount
    return withUnsafeBuffer { entries in
      Tensor(
        [rows, places.count],
        (0..<rows).flatMap { row in places.map { entries[row * width + $0] } })
    }
  }
}
