import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// What is looked at of a network of one's own before it is trained or asked.
package struct NetworkCheck {
  /// The most parameters of a network whose rows are checked: drawn in Double they take an eighth of a gigabyte.
  private static let mostCheckedEntries = 1 << 24

  private let name: String
  private let parameters: [Parameter]
  private let sizes: (inputs: Int, conditions: Int, outputs: Int)
  private let takesOneCondition: Bool
  private let function: (_ x: Formula, _ conditions: Formula) -> Formula

  /// Creates the check of a function of rows.
  /// - Parameters:
  ///   - name: what it is called in messages.
  ///   - parameters: all that the function takes beside its rows.
  ///   - inputs: the entries of a row of x.
  ///   - conditions: the entries of a row of conditions.
  ///   - outputs: the entries of a row of the result.
  ///   - takesOneCondition: whether one row of conditions may be given for all of x.
  package init(
    name: String, parameters: [Parameter], inputs: Int, conditions: Int, outputs: Int,
    takesOneCondition: Bool = false,
    _ function: @escaping (_ x: Formula, _ conditions: Formula) -> Formula
  ) {
    self.name = name
    self.parameters = parameters
    sizes = (inputs, conditions, outputs)
    self.takesOneCondition = takesOneCondition
    self.function = function
  }

  private func inputs(rows: Int, conditions: Int) -> (x: Formula, conditions: Formula) {
    (
      ModelConfiguration.input("x", [rows, sizes.inputs]),
      ModelConfiguration.input("columns", [conditions, sizes.conditions])
    )
  }

  /// Holds the function to what `Network` says of it.
  /// - Throws: `ProcessError` where it gives rows of another shape, has two parameters of one name, or one whose name or shape is
  ///   not what its formula takes, or gives a row by others or by their number.
  package func check() throws(ProcessError) {
    let shapes = try shapesByName()
    for (rows, conditions) in [(3, 3), (3, 1), (1, 1)]
    where takesOneCondition || rows == conditions {
      let (x, columns) = inputs(rows: rows, conditions: conditions)
      let result = function(x, columns)
      let expected = Shape([rows, sizes.outputs])
      guard result.shape == expected else {
        throw ProcessError(
          "\(name) takes \(x.shape) and a condition of \(conditions == 1 ? "one row" : "as many rows") to \(result.shape); expected \(expected)"
        )
      }
      try checkInputs(of: result, beside: [x.inputName, columns.inputName], shapes)
    }
    if parameters.reduce(0, { $0 + $1.shape.count }) <= Self.mostCheckedEntries {
      try checkRows()
    }
  }

  private func shapesByName() throws(ProcessError) -> [String: Shape] {
    var shapes: [String: Shape] = [:]
    for parameter in parameters {
      guard shapes.updateValue(parameter.shape, forKey: parameter.name) == nil else {
        throw ProcessError(
          "\(name) has two parameters called \(parameter.name), counting those that the library adds; expected a name for each"
        )
      }
      guard !parameter.name.hasPrefix(ModelConfiguration.inputPrefix), parameter.shape.count > 0
      else {
        throw ProcessError(
          "\(name) has a parameter called \(parameter.name) of shape \(parameter.shape); expected a name that does not begin with \(ModelConfiguration.inputPrefix), and some entries"
        )
      }
    }
    return shapes
  }

  /// Holds what a result takes, beside its rows, to be among the parameters, in their shapes.
  private func checkInputs(
    of result: Formula, beside rows: [String?], _ shapes: [String: Shape]
  ) throws(ProcessError) {
    for input in Formula.topological([result]) {
      guard let taken = input.inputName, !rows.contains(taken) else { continue }
      guard let shape = shapes[taken] else {
        throw ProcessError(
          "\(name) takes the input \(taken), which is none of its parameters; expected \(parameters.map(\.name))"
        )
      }
      guard shape == input.shape else {
        throw ProcessError(
          "\(name) takes its parameter \(taken) in shape \(input.shape), and lists it in \(shape); expected one shape"
        )
      }
    }
  }

  /// Holds each of three rows to be the same by itself.
  private func checkRows() throws(ProcessError) {
    // Drawn without a 0, so that no layer hides the ones before it.
    let key = RandomKey(0).folded("own network")
    let drawn = Parameters<Double>(
      drawing: parameters.map { Parameter($0.name, $0.shape, .normal(deviation: 0.3)) }, key: key)
    func program(rows: Int) -> BoundProgram<Double> {
      let (x, columns) = inputs(rows: rows, conditions: rows)
      return Program<Double>(
        parameters: parameters.map(\.formula), arguments: [x, columns],
        outputs: [function(x, columns)]
      ).bind(drawn.tensors)
    }
    let x: Tensor<Double> = key.folded("x").normal([3, sizes.inputs])
    let columns: Tensor<Double> = key.folded("columns").normal([3, sizes.conditions])
    let (three, one) = (program(rows: 3), program(rows: 1))
    let together = three([x, columns])[0]
    for row in 0..<3 {
      let alone = one([x.rows(row..<row + 1), columns.rows(row..<row + 1)])[0].scalars
      guard zip(together.row(row), alone).allSatisfy({ $0 == $1 || ($0.isNaN && $1.isNaN) }) else {
        throw ProcessError(
          "\(name) gives a row that depends on the other rows of its batch, or on how many there are; expected each row by itself"
        )
      }
    }
  }
}
