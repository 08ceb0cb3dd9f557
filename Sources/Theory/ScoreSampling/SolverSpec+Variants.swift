import ScoreProcesses

extension SolverSpec {
  /// A text for every solver by name and for each choice that makes another method of it: what the tests and
  /// `scoresde verify` run.
  ///
  /// It follows the names and the enumerations that specifications are read with, so a new solver or method is in it.
  public static var variants: [String] { names.flatMap(variants) }

  private static func variants(of name: String) -> [String] {
    switch name {
    case "euler-maruyama", "stochastic-heun", "sra1": [name, name + ":stochasticity=0.5"]
    case "ancestral": choices(name, "variance", Ancestral.Variance.allCases)
    case "ddim": [name, name + ":eta=1"]
    case "dpm-solver": (1...3).map { "\(name):order=\($0)" }
    case "dpm-solver++": choices(name, "method", DataMethod.allCases)
    case "sde-dpm-solver++": (1...2).map { "\(name):order=\($0)" }
    case "deis":
      DEIS.Variable.allCases.flatMap { variable in
        (2...3).map { "\(name):order=\($0),variable=\(variable.rawValue)" }
      }
    case "unipc":
      Prediction.allCases.flatMap { prediction in
        (1...3).map { "\(name):order=\($0),prediction=\(prediction.rawValue)" }
      }
    case "edm": [name, name + ":churn=20"]
    case "heun", "midpoint", "rk4", "euler":
      choices(name, "variable", FlowRungeKutta.Variable.allCases)
    case "ode":
      choices(name, "method", FlowMethod.allCases)
        + EmbeddedPair.all.map { "\(name):method=\($0.method.name),adaptive=false" }
    case "pc":
      choices(name, "corrector", Choice.allCases)
        + choices(name + ":corrector=ald,snr=0.1", "predictor", stepNames)
    default: [name]
    }
  }

  private static func choices<T: RawRepresentable<String>>(
    _ name: String, _ key: String, _ cases: [T]
  ) -> [String] { choices(name, key, cases.map(\.rawValue)) }

  private static func choices(_ name: String, _ key: String, _ values: [String]) -> [String] {
    values.map { "\(name)\(name.contains(":") ? "," : ":")\(key)=\($0)" }
  }
}
