/// Processes as text: `vp:beta-min=0.1,beta-max=20`, `cosine`, `edm:sigma-max=80`.
///
/// | name | parameters |
/// |---|---|
/// | vp, subvp | beta-min=0.1, beta-max=20 |
/// | cosine | offset=0.008, end=0.9946 |
/// | ve, ve-linear | sigma-min=0.01, sigma-max=50 |
/// | edm | sigma-min=0.002, sigma-max=80 |
/// | ou | theta=5, std=1, end=1 |
/// | flow | end=0.995 |
/// | ddpm | steps=1000, beta-start=0.0001, beta-end=0.02, power=1 |
/// | ddpm-cosine | steps=1000, offset=0.008, clip=0.999 |
/// | custom | formulas of t: alpha and sigma, log-alpha and log-sigma, beta, or drift and diffusion; end=1 |
///
/// `custom:alpha=cos(1.55*t),sigma=sin(1.55*t)` is a process of one's own, a `CustomProcess`. All of them take sampling-epsilon, training-epsilon and likelihood-epsilon: where each stops short of t = 0.
public enum ProcessSpec {
  private static let kinds: [any SpelledProcess.Type] = [
    VariancePreserving.self, SubVariancePreserving.self, CosineVariancePreserving.self,
    VarianceExploding.self, LinearVarianceExploding.self, ElucidatedDiffusion.self,
    OrnsteinUhlenbeck.self, RectifiedFlow.self, DDPMChain.self, CustomProcess.self,
  ]

  /// The names that are known.
  public static let names = kinds.flatMap { $0.specNames }

  /// The names that are processes by themselves, without parameters.
  public static let standardNames = names.filter { !CustomProcess.specNames.contains($0) }

  /// Reads a process.
  /// - Throws: `SpecError` with what is known, or `ProcessError` for parameters out of range.
  public static func process(_ text: String) throws -> any LinearProcess {
    let spec = try Spec(text, kind: "SDE")
    guard let kind = kinds.first(where: { $0.specNames.contains(spec.name) }) else {
      throw spec.unknownName(known: names)
    }
    return try kind.read(spec)
  }

  /// Whether a process is one that its text reads back.
  public static func isBuiltIn(_ process: any LinearProcess) -> Bool {
    (process as? any SpelledProcess)?.specName != nil
  }

  /// The text that `process` reads back as an equal process; a process of one's own gives its name alone.
  public static func text(of process: any LinearProcess) -> String {
    (process as? any SpelledProcess)?.spec?.description ?? process.name
  }
}

/// A process that may have a name as text, with its parameters.
protocol SpelledProcess: LinearProcess {
  /// The names that such processes have.
  static var specNames: [String] { get }
  /// The keys of the parameters of those of a name.
  static func keys(of name: String) -> [String]

  /// Reads the parameters; the keys are checked already.
  init(_ spec: Spec) throws

  /// The name of this one; nil of one that no text gives.
  var specName: String? { get }

  /// The parameters, in the order in which they are written.
  var parameters: [Spec.Parameter] { get }
  /// The cutoffs that need not be written.
  var standardCutoffs: Cutoffs { get }
  var cutoffs: Cutoffs { get set }
}

private let cutoffKeys: [(key: String, path: WritableKeyPath<Cutoffs, Double> & Sendable)] = [
  ("sampling-epsilon", \.sampling), ("training-epsilon", \.training),
  ("likelihood-epsilon", \.likelihood),
]

extension SpelledProcess {
  var specName: String? { Self.specNames.first }

  /// The process that a text says, cutoffs included.
  fileprivate static func read(_ spec: Spec) throws -> any LinearProcess {
    try spec.expect(keys: keys(of: spec.name) + cutoffKeys.map(\.key))
    var process = try Self(spec)
    let end = process.endTime
    for (key, path) in cutoffKeys {
      guard let epsilon = try spec.number(key) else { continue }
      guard epsilon > 0, epsilon < end else {
        throw spec.wrong(
          key, Spec.text(epsilon), "a number above 0 and below the end, \(Spec.text(end))")
      }
      process.cutoffs[keyPath: path] = epsilon
    }
    return process
  }

  /// The text: all parameters, and the cutoffs that are not the standard ones.
  fileprivate var spec: Spec? {
    guard let specName else { return nil }
    let moved = cutoffKeys.filter { cutoffs[keyPath: $0.path] != standardCutoffs[keyPath: $0.path] }
      .map { Spec.Parameter(key: $0.key, value: Spec.text(cutoffs[keyPath: $0.path])) }
    return Spec(kind: "SDE", name: specName, argument: nil, parameters: parameters + moved)
  }
}
