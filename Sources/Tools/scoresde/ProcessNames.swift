import ScoreSDE

/// What processes are called beside each other: by their names, and by the parameters in which those of one name differ.
struct ProcessNames {
  private let names: [String: String]

  /// - Parameter texts: the processes, each with all its parameters, `vp:beta-min=0.1,beta-max=20`.
  init(_ texts: [String]) {
    let specs = texts.compactMap { try? Spec($0, kind: "SDE") }
    func isShared(_ parameter: Spec.Parameter, _ name: String) -> Bool {
      specs.filter { $0.name == name }.allSatisfy { $0.parameters.contains(parameter) }
    }
    names = Dictionary(
      zip(texts, specs).map { text, spec in
        let own = spec.parameters.filter { !isShared($0, spec.name) }
        let short = Spec(kind: spec.kind, name: spec.name, argument: nil, parameters: own)
        return (text, short.description)
      }
    ) { first, _ in first }
  }

  /// The short name of a process, or nil where there is no other that it could be taken for.
  subscript(text: String) -> String? { names.count > 1 ? names[text] ?? text : nil }
}
