import ScoreTensors

/// The vector–Jacobian products of formulas.
///
/// ```
/// result[i] = Σⱼ (∂ outputs[j] / ∂ variables[i])ᵀ · cotangents[j]
/// ```
///
/// A variable is any formula: an input or an intermediate value. The results are formulas again, so that products
/// nest. Where outputs do not depend on a variable its product is zero. Cost: a small multiple of the outputs' own.
public func vjp(_ outputs: [Formula], cotangents: [Formula], withRespectTo variables: [Formula])
  -> [Formula]
{
  precondition(
    outputs.count == cotangents.count
      && zip(outputs, cotangents).allSatisfy { $0.shape == $1.shape },
    "cotangents \(cotangents.map(\.shape)) for outputs \(outputs.map(\.shape))")
  return ScoreAutodiff.cotangents(
    outputs, cotangents, withRespectTo: variables, leaves: []
  )
  .enumerated().map { $1 ?? Formula(repeating: 0, variables[$0].shape) }
}

/// The cotangents of variables, nil for zero; `leaves` are taken for independent of what they are made of.
func cotangents(
  _ outputs: [Formula], _ cotangents: [Formula], withRespectTo variables: [Formula],
  leaves: Set<NodeKey>
) -> [Formula?] {
  let order = Formula.topological(outputs, leaves: leaves)
  var depends = Set(variables.map(\.key))
  for formula in order
  where !leaves.contains(formula.key)
    && formula.inputs.contains(where: { depends.contains($0.key) })
  {
    depends.insert(formula.key)
  }
  var cotangent: [NodeKey: Formula] = [:]
  func accumulate(_ key: NodeKey, _ g: Formula) {
    cotangent[key] = cotangent[key].map { $0 + g } ?? g
  }
  for (output, g) in zip(outputs, cotangents) where depends.contains(output.key) {
    accumulate(output.key, g)
  }
  for formula in order.reversed() {
    guard !formula.inputs.isEmpty, !leaves.contains(formula.key),
      let g = cotangent[formula.key]
    else { continue }
    let wanted = formula.inputs.map { depends.contains($0.key) }
    if !wanted.contains(true) { continue }
    let contributions = formula.inputCotangents(g, wanted: wanted)
    for (input, contribution) in zip(formula.inputs, contributions) {
      if let contribution, depends.contains(input.key) { accumulate(input.key, contribution) }
    }
  }
  return variables.map { cotangent[$0.key] }
}

/// The Jacobian–vector products of formulas, by forward mode.
///
/// ```
/// result[j] = Σᵢ (∂ outputs[j] / ∂ variables[i]) · tangents[i]
/// ```
///
/// A variable is any formula. The results are formulas again, so that products nest.
public func jvp(_ outputs: [Formula], withRespectTo variables: [Formula], tangents: [Formula])
  -> [Formula]
{
  precondition(
    variables.count == tangents.count
      && zip(variables, tangents).allSatisfy { $0.shape == $1.shape },
    "tangents \(tangents.map(\.shape)) for variables \(variables.map(\.shape))")
  var given: [NodeKey: Formula] = [:]
  for (variable, t) in zip(variables, tangents) {
    given[variable.key] = given[variable.key].map { $0 + t } ?? t
  }
  return ScoreAutodiff.tangents(outputs, given, leaves: [])
    .enumerated().map { $1 ?? Formula(repeating: 0, outputs[$0].shape) }
}

/// The tangents of outputs, nil for zero; `leaves` have the tangents that they are given and no others.
func tangents(_ outputs: [Formula], _ given: [NodeKey: Formula], leaves: Set<NodeKey>) -> [Formula?]
{
  var tangent = given
  for formula in Formula.topological(outputs, leaves: leaves)
  where !formula.inputs.isEmpty && !leaves.contains(formula.key) {
    let inputs = formula.inputs.map { tangent[$0.key] }
    if inputs.allSatisfy({ $0 == nil }) { continue }
    if let own = formula.tangent(inputs) {
      tangent[formula.key] = tangent[formula.key].map { $0 + own } ?? own
    }
  }
  return outputs.map { tangent[$0.key] }
}

/// The gradients of a formula with one entry.
public func gradient(of loss: Formula, withRespectTo variables: [Formula]) -> [Formula] {
  precondition(loss.shape.count == 1, "a gradient is of one number; the shape is \(loss.shape)")
  return vjp(
    [loss], cotangents: [Formula(repeating: 1, loss.shape)], withRespectTo: variables)
}

/// The gradient of a formula with one entry.
public func gradient(of loss: Formula, withRespectTo variable: Formula) -> Formula {
  gradient(of: loss, withRespectTo: [variable])[0]
}

/// A formula with one entry together with its gradients.
public func valueAndGrad(of loss: Formula, withRespectTo variables: [Formula])
  -> (value: Formula, gradients: [Formula])
{
  (loss, gradient(of: loss, withRespectTo: variables))
}
