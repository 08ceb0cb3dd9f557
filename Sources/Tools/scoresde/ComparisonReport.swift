import ScoreSDE

/// How two sets of samples compare, as text and JSON.
struct ComparisonReport {
  let names: (data: String, reference: String)
  /// How many samples of each are compared, and how many there are.
  let counts: (data: Int, reference: Int)
  let totals: (data: Int, reference: Int)
  let dimensions: Int
  let remarks: [String]
  let isStandardised: Bool
  /// The energy distance, and the test whose p stands beside it.
  let distance: Estimate
  let test: EnergyTest
  /// The squared Fréchet distance, or why there is none.
  let frechet: Estimate?
  let reasonAgainstFrechet: String?
  let precision: Estimate
  let recall: Estimate
  let copying: Estimate
  /// How many samples in question are among the others, number for number.
  let identical: Int
  let columns: [ColumnComparison]
  /// Whether columns are few enough to be told one by one.
  let listsColumns: Bool

  /// Where samples have more numbers, those are shown that differ most.
  static let mostShown = 12

  // MARK: Text

  var text: String {
    func samples(_ name: String, _ count: Int, _ total: Int) -> String {
      count == total
        ? "\(NumberText.counted(count, "sample")) of \(name)"
        : "\(NumberText.grouped(count)) of the \(NumberText.counted(total, "sample")) of \(name)"
    }
    func value(_ estimate: Estimate) -> String {
      NumberText.plusMinus(estimate.value, estimate.standardError)
    }
    var lines = [
      "\(samples(names.data, counts.data, totals.data)), with \(samples(names.reference, counts.reference, totals.reference)), \(NumberText.counted(dimensions, "number")) each"
    ]
    lines += remarks
    let all = totals.reference == counts.reference ? "" : "all of "
    var table = Table(columns: ["measure", "value", "what it is"])
    table.append([
      "energy distance", value(distance), "0 in the mean for sets of one distribution",
    ])
    table.append([
      "p", NumberText.fixed(test.p.value, decimals: 3),
      "how often such sets are as far apart, by \(test.permutations) permutations",
    ])
    table.append([
      "squared Fréchet distance", frechet.map(value) ?? "–",
      reasonAgainstFrechet
        ?? "of normals like them; above 0 for such sets too",
    ])
    table.append([
      "precision", value(precision), "share of --data within the manifold of --with",
    ])
    table.append([
      "recall", value(recall), "share of --with within the manifold of --data",
    ])
    table.append([
      "copying", value(copying),
      "0.5 where no nearer to \(all)--with than these are, 1 where copied",
    ])
    table.append([
      "identical", NumberText.grouped(identical),
      "samples of --data that are in \(all)--with, number for number",
    ])
    lines.append(table.text)
    if listsColumns { lines.append(columnText) }
    return lines.joined(separator: "\n").trimmedEnd
  }

  private var columnText: String {
    let shown = ColumnComparison.worst(columns, atMost: Self.mostShown)
    var table = Table(columns: [
      "number", "mean", "of --with", "deviation", "of --with", "Wasserstein distance",
    ])
    for (name, column) in zip(Table.abbreviated(shown.map { CSV.spelled($0.name) }), shown) {
      let cells = [
        column.means.data, column.means.reference, column.deviations.data,
        column.deviations.reference, column.distance,
      ]
      table.append(
        [name]
          + cells.map { NumberText.plusMinus($0.value, $0.standardError) })
    }
    let rest = "of \(columns.count) numbers the \(shown.count) that differ most, in their own units"
    return (shown.count < columns.count ? rest : "each number in its own unit") + "\n" + table.text
  }

  // MARK: JSON

  var members: [(String, JSON)] {
    func estimate(_ value: Estimate) -> JSON {
      .object([("value", .number(value.value)), ("standardError", .number(value.standardError))])
    }
    return [
      ("data", .string(names.data)), ("count", .integer(counts.data)),
      ("total", .integer(totals.data)),
      (
        "with",
        .object([
          ("data", .string(names.reference)), ("count", .integer(counts.reference)),
          ("total", .integer(totals.reference)),
        ])
      ),
      ("dimensions", .integer(dimensions)),
      ("standardized", .string(isStandardised ? "columns" : "none")),
      ("remarks", .array(remarks.map(JSON.string))),
      ("energyDistance", estimate(distance)), ("p", estimate(test.p)),
      ("permutations", .integer(test.permutations)),
      ("squaredFrechetDistance", frechet.map(estimate) ?? .null),
      ("precision", estimate(precision)), ("recall", estimate(recall)),
      ("copying", estimate(copying)), ("identical", .integer(identical)),
      (
        "columns",
        listsColumns
          ? .array(
            columns.map { column in
              .object([
                ("name", .string(column.name)), ("mean", estimate(column.means.data)),
                ("deviation", estimate(column.deviations.data)),
                (
                  "with",
                  .object([
                    ("mean", estimate(column.means.reference)),
                    ("deviation", estimate(column.deviations.reference)),
                  ])
                ), ("wasserstein", estimate(column.distance)),
              ])
            }) : .null
      ),
    ]
  }
}
