import Foundation

/// Processes as text: `vp:beta-min=0.1,beta-max=20`, `subvp`, `ve:sigma-min=0.01,sigma-max=50`.
public enum ProcessSpec {
  /// The names that are known.
  public static let names = ["vp", "subvp", "ve"]

  /// Reads a process.
  /// - Throws: `SpecError` with what is known, or `ProcessError` for parameters out of range.
  public static func process(_ text: String) throws -> any LinearProcess {
    let spec = try Spec(text, kind: "SDE")
    switch spec.name {
    case "vp", "subvp":
      try spec.expect(keys: ["beta-min", "beta-max"])
      let betaMin = try spec.number("beta-min", default: 0.1)
      let betaMax = try spec.number("beta-max", default: 20)
      return spec.name == "vp"
        ? try VariancePreserving(betaMin: betaMin, betaMax: betaMax)
        : try SubVariancePreserving(betaMin: betaMin, betaMax: betaMax)
    case "ve":
      try spec.expect(keys: ["sigma-min", "sigma-max"])
      return try VarianceExploding(
        sigmaMin: try spec.number("sigma-min", default: 0.01),
        sigmaMax: try spec.number("sigma-max", default: 50))
    default: throw spec.unknownName(known: names)
    }
  }

  /// The text that `process` reads back as an equal process; a process of one's own gives its name alone.
  public static func text(of process: any LinearProcess) -> String {
    switch process {
    case let vp as VariancePreserving: betas("vp", vp.betaMin, vp.betaMax)
    case let subVP as SubVariancePreserving: betas("subvp", subVP.betaMin, subVP.betaMax)
    case let ve as VarianceExploding:
      "ve:sigma-min=\(Spec.text(ve.sigmaMin)),sigma-max=\(Spec.text(ve.sigmaMax))"
    default: process.name
    }
  }

  private static func betas(_ name: String, _ low: Double, _ high: Double) -> String {
    "\(name):beta-min=\(Spec.text(low)),beta-max=\(Spec.text(high))"
  }
}
