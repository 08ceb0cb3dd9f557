import Foundation

/// Processes from formulas of t in a text: `custom:alpha=cos(1.55*t),sigma=sin(1.55*t)`.
///
/// | given | as |
/// |---|---|
/// | alpha, sigma | α(t) and σ(t) |
/// | log-alpha, log-sigma | their logarithms, where α or σ would underflow |
/// | beta | β(t) of a variance-preserving process |
/// | drift, diffusion | f(t) and g(t), with initial-deviation, σ(0), a number |
/// | alpha, sigma, drift, diffusion | both, which are held against one another |
///
/// Beside them end, T, and prior, the deviation of the prior, numbers.
extension CustomProcess: SpelledProcess {
  static let specNames = ["custom"]
  static func keys(of _: String) -> [String] {
    [
      "alpha", "sigma", "log-alpha", "log-sigma", "beta", "drift", "diffusion",
      "initial-deviation", "prior", "end",
    ]
  }

  init(_ spec: Spec) throws {
    let end = try spec.number("end", default: 1, in: .positive)
    let prior = try spec.number("prior", in: .positive)
    let initial = try spec.number("initial-deviation", in: .nonnegative)
    let (name, deviation) = (spec.name, initial ?? 0)
    let kernel = (try spec.formula("alpha"), try spec.formula("sigma"))
    let logarithms = (try spec.formula("log-alpha"), try spec.formula("log-sigma"))
    let rates = (try spec.formula("drift"), try spec.formula("diffusion").map { $0.squared })
    switch (kernel, logarithms, try spec.formula("beta"), rates) {
    case ((let alpha?, let sigma?), (nil, nil), nil, (nil, nil)) where initial == nil:
      try self.init(
        name: name, alpha: alpha.value, sigma: sigma.value, endTime: end, priorDeviation: prior)
    case ((nil, nil), (let alpha?, let sigma?), nil, (nil, nil)) where initial == nil:
      try self.init(
        name: name, logAlpha: alpha.value, logSigma: sigma.value, endTime: end,
        priorDeviation: prior)
    case ((nil, nil), (nil, nil), let beta?, (nil, nil)) where initial == nil && prior == nil:
      try self.init(name: name, beta: beta.plain, endTime: end)
    case ((nil, nil), (nil, nil), nil, (let drift?, let squared?)):
      try self.init(
        name: name, drift: drift.plain, squaredDiffusion: squared, initialDeviation: deviation,
        endTime: end, priorDeviation: prior)
    case ((let alpha?, let sigma?), (nil, nil), nil, (let drift?, let squared?))
    where initial == nil:
      try self.init(
        name: name, alpha: alpha.value, sigma: sigma.value, drift: drift.plain,
        squaredDiffusion: squared, endTime: end, priorDeviation: prior)
    default:
      let found = spec.parameters.map(\.key).filter { $0 != "end" && !$0.hasSuffix("-epsilon") }
      throw SpecError(
        "the SDE custom has \(found.isEmpty ? "no formulas" : found.joined(separator: ", ")); expected alpha and sigma, log-alpha and log-sigma, drift and diffusion, or beta, each a formula of t, with prior beside all but beta, and initial-deviation beside drift and diffusion"
      )
    }
    formulas = spec.parameters.filter { !$0.key.hasSuffix("-epsilon") }.map {
      let shortest = Double($0.value).map { Spec.text($0) }
      return Spec.Parameter(
        key: $0.key, value: shortest ?? $0.value.filter { !$0.isWhitespace })
    }
  }

  var specName: String? { formulas == nil ? nil : Self.specNames[0] }
  var parameters: [Spec.Parameter] { formulas ?? [] }
}

extension Spec {
  /// A formula of t, or nil where it is not given.
  /// - Throws: `SpecError` that says where the text is none.
  fileprivate func formula(_ key: String) throws(SpecError) -> TimeFormula? {
    guard let text = string(key) else { return nil }
    do {
      return try TimeFormula(text)
    } catch {
      let most = 100
      let shown = text.count > most ? text.prefix(most) + "…" : text
      throw wrong(key, shown, "a formula of t, such as 0.1 + 19.9*t^2; \(error.words)")
    }
  }
}
