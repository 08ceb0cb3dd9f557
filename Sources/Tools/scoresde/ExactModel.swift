import ScoreSDE

/// Models whose scores are known: `gaussian:mean=0.5,std=0.3,dim=1` and `mixture:FILE.json`.
enum ExactModel<Scalar: TensorScalar> {
  /// The exact model that a text names, or nil where it names none.
  /// - Throws: where it makes no sense, and where what only runs have is asked for beside it.
  static func field(
    _ text: String, _ session: Session
  ) throws -> (any DifferentiableScoreField<Scalar>)? {
    let field: any DifferentiableScoreField<Scalar>
    if text == "gaussian" || text.hasPrefix("gaussian:") {
      let process = try session.process()
      field = try asUsage(of: "--model") { try gaussian(text, process) }
    } else if text.hasPrefix("mixture:") {
      let process = try session.process()
      let path = String(text.dropFirst("mixture:".count))
      let parameters = try MixtureParameters(contentsOf: path)
      do {
        var oracle = try MixtureOracle<Scalar>(process: process, parameters: parameters)
        oracle.pool = session.pool
        field = oracle
      } catch {
        throw CommandError.failure("\(path): \(error)")
      }
    } else {
      return nil
    }
    for (option, what, needed) in [
      ("--class", "classes", "--labels"), ("--given", "covariates", "--given"),
    ] where session.arguments.has(option) {
      throw CommandError.usage(
        "\(option) stands beside \(text), an exact model of no \(what); expected a run that was trained with \(needed)"
      )
    }
    return field
  }

  private static func gaussian(
    _ text: String, _ process: any LinearProcess
  ) throws -> GaussianOracle<Scalar> {
    let spec = try Spec(text, kind: "model")
    try spec.expect(keys: ["mean", "std", "dim"])
    return try GaussianOracle(
      process: process, mean: try spec.number("mean", default: 0),
      deviation: try spec.number("std", default: 1, in: .positive),
      sampleShape: [try spec.integer("dim", default: 1, in: .between(1, 1_048_576))])
  }
}
