import ScoreSDE

/// Mean log densities and what they may be off by, as rows of a table and as members of a JSON object.
struct DensityTable {
  /// The scale of quantised data, which have bits per dimension too.
  let scale: DataScale?
  let dimensions: Int
  /// What nats in the data's own units have more than those of the model's.
  let shift: Double
  private(set) var members: [(String, JSON)] = []
  private(set) var table: Table

  init(scale: DataScale?, dimensions: Int, shift: Double) {
    (self.scale, self.dimensions, self.shift) = (scale, dimensions, shift)
    table = Table(columns: scale == nil ? ["", "nats"] : ["", "nats", "bits per dimension"])
  }

  /// A mean with its standard error, which is not a number where nobody knows it.
  static func pair(_ mean: Double, _ error: Double) -> JSON {
    .object([("mean", .number(mean)), ("standardError", .number(error))])
  }

  private mutating func row(_ name: String, _ nats: String, _ bits: String = "") {
    table.append(scale == nil ? [name, nats] : [name, nats, bits])
  }

  /// Adds a mean log density in the model's units.
  mutating func add(
    _ name: String, _ key: String, bits bitsKey: String, _ mean: Double, _ error: Double
  ) {
    members.append((key, Self.pair(mean + shift, error)))
    let nats =
      error.isNaN
      ? NumberText.significant(mean + shift, digits: 6)
      : NumberText.plusMinus(mean + shift, error)
    guard let scale else { return row(name, nats) }
    let bits = scale.bitsPerDimension(
      meanLogDensity: mean, standardError: error, dimensions: dimensions)
    members.append((bitsKey, Self.pair(bits.mean, bits.standardError)))
    row(name, nats, NumberText.plusMinus(bits.mean, bits.standardError))
  }

  /// Adds the parts of a budget, means over the samples; gives them as a JSON object.
  mutating func add(_ budget: ErrorBudget) -> JSON {
    row("error of a sample, from", "")
    let parts: [(name: String, key: String, values: [Double]?)] = [
      ("solver", "solver", budget.solver),
      ("truncation at ε", "truncation", budget.truncation),
      ("prior mismatch", "priorMismatch", budget.priorMismatch),
      ("the estimates of these two", "estimation", budget.estimation),
      ("probes", "probes", budget.probes),
      ("the same, widened for so few", "widenedProbes", budget.widenedProbes),
      ("all together, by magnitude", "total", budget.total),
      ("the same, less truncation and mismatch", "correctedTotal", budget.correctedTotal),
    ]
    return .object(
      parts.map { part in
        let mean = part.values.map { $0.reduce(0, +) / Double($0.count) }
        if part.key != "widenedProbes" || budget.widenedProbes != budget.probes {
          row(
            "  \(part.name)",
            mean.map { NumberText.significant($0, digits: 2) } ?? "too few probes to tell")
        }
        return (part.key, mean.map { .number($0) } ?? .null)
      })
  }
}
