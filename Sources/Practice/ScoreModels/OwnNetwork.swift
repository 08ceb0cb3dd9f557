import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// A network of one's own, which is known by its name: two of one name are taken for the same.
public struct OwnNetwork: Sendable, Equatable {
  /// The name.
  public let name: String
  /// The network for samples of a shape and conditions of a width.
  let make: @Sendable (_ sampleShape: Shape, _ conditions: Int) -> any Network

  public static func == (a: OwnNetwork, b: OwnNetwork) -> Bool { a.name == b.name }
}

extension ModelConfiguration {
  /// Holds a network of one's own to what `Network` and `NetworkSpec.init(own:)` say of it.
  ///
  /// Compiles the network and runs it on two rows, twice.
  /// - Throws: `ProcessError` where it gives rows of another shape, has two parameters of one name or one that is an input's,
  ///   leans on inputs that it does not name, or gives a row by others.
  func checkOwnNetwork() throws(ProcessError) {
    let name = "the network \(network.architecture.name)"
    let parameters = parameters
    var names: Set<String> = []
    for parameter in parameters {
      guard names.insert(parameter.name).inserted else {
        throw ProcessError(
          "\(name) has two parameters called \(parameter.name); expected a name for each")
      }
      guard !parameter.name.hasPrefix(Self.inputPrefix), parameter.shape.count > 0 else {
        throw ProcessError(
          "\(name) has a parameter called \(parameter.name) of shape \(parameter.shape); expected a name that does not begin with \(Self.inputPrefix), and some entries"
        )
      }
    }
    for rows in [2, 1] {
      let x = Self.input("x", [2, dimensions])
      let columns = Self.input("columns", [rows, columns])
      let result = function(x, condition: condition(columns))
      guard result.shape == x.shape else {
        throw ProcessError(
          "\(name) takes \(x.shape) and a condition of \(rows == 1 ? "one row" : "as many rows") to \(result.shape); expected \(x.shape)"
        )
      }
      let known = names.union([x, columns].compactMap(\.inputName))
      let unknown = Formula.topological([result]).compactMap(\.inputName)
        .first { !known.contains($0) }
      if let unknown {
        throw ProcessError(
          "\(name) takes the input \(unknown), which is none of its parameters; expected \(parameters.map(\.name))"
        )
      }
      if rows == 2 { try checkRows(of: result, x, columns, parameters) }
    }
  }

  /// Holds the first of two rows to be the same whatever the second.
  private func checkRows(
    of result: Formula, _ x: Formula, _ columns: Formula, _ parameters: [Parameter]
  ) throws(ProcessError) {
    // Drawn without a 0, so that no layer hides the ones before it.
    let key = RandomKey(0).folded("own network")
    let drawn = Parameters<Double>(
      drawing: parameters.map { Parameter($0.name, $0.shape, .normal(deviation: 0.3)) }, key: key)
    let program = Program<Double>(
      parameters: parameters.map(\.formula), arguments: [x, columns], outputs: [result]
    ).bind(drawn.tensors)
    let (one, others): (Tensor<Double>, Tensor<Double>) = (
      key.folded("x").normal(x.shape), key.folded("columns").normal(columns.shape)
    )
    let (other, last) = (one.replacingLastRow(), others.replacingLastRow())
    let rows = [program([one, others])[0], program([other, last])[0]].map { $0.rows(0..<1).scalars }
    guard zip(rows[0], rows[1]).allSatisfy({ $0 == $1 || ($0.isNaN && $1.isNaN) }) else {
      throw ProcessError(
        "the network \(network.architecture.name) gives a row that depends on the other rows of its batch; expected each row by itself"
      )
    }
  }
}

extension Tensor where Scalar == Double {
  /// The same but for the last row, whose entries are half as large with the other sign.
  fileprivate func replacingLastRow() -> Tensor {
    .concatenated([rows(0..<rows - 1), -0.5 * rows(rows - 1..<rows)])
  }
}
