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
  /// The most parameters of a network whose rows are checked: drawn in Double they take an eighth of a gigabyte.
  private static let mostCheckedEntries = 1 << 24

  /// Holds a network of one's own to what `Network` and `NetworkSpec.init(own:)` say of it.
  ///
  /// Compiles the network and runs it on one row and on three, but for networks of more than 2²⁴ parameters.
  /// - Throws: `ProcessError` where its name is none for one line, it gives rows of another shape, has two parameters of one
  ///   name, or one whose name or shape is not what its formula takes, or gives a row by others or by their number.
  func checkOwnNetwork() throws(ProcessError) {
    let title = network.architecture.name
    guard !title.isEmpty, title.count <= 100, !title.contains(where: \.isNewline) else {
      throw ProcessError(
        "a network of one's own is called “\(title.prefix(100).split(whereSeparator: \.isNewline).joined(separator: " "))”; expected a name of one line, of 1 to 100 letters"
      )
    }
    let name = "the network \(title)"
    let parameters = parameters
    var shapes: [String: Shape] = [:]
    for parameter in parameters {
      guard shapes.updateValue(parameter.shape, forKey: parameter.name) == nil else {
        throw ProcessError(
          "\(name) has two parameters called \(parameter.name), counting those of the time's features; expected a name for each"
        )
      }
      guard !parameter.name.hasPrefix(Self.inputPrefix), parameter.shape.count > 0 else {
        throw ProcessError(
          "\(name) has a parameter called \(parameter.name) of shape \(parameter.shape); expected a name that does not begin with \(Self.inputPrefix), and some entries"
        )
      }
    }
    for (rows, conditions) in [(3, 3), (3, 1), (1, 1)] {
      let x = Self.input("x", [rows, dimensions])
      let columns = Self.input("columns", [conditions, columns])
      let result = function(x, condition: condition(columns))
      guard result.shape == x.shape else {
        throw ProcessError(
          "\(name) takes \(x.shape) and a condition of \(conditions == 1 ? "one row" : "as many rows") to \(result.shape); expected \(x.shape)"
        )
      }
      for input in Formula.topological([result]) {
        guard let taken = input.inputName, ![x.inputName, columns.inputName].contains(taken) else {
          continue
        }
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
    if parameters.reduce(0, { $0 + $1.shape.count }) <= Self.mostCheckedEntries {
      try checkRows(parameters)
    }
  }

  /// Holds each of three rows to be the same by itself.
  private func checkRows(_ parameters: [Parameter]) throws(ProcessError) {
    // Drawn without a 0, so that no layer hides the ones before it.
    let key = RandomKey(0).folded("own network")
    let drawn = Parameters<Double>(
      drawing: parameters.map { Parameter($0.name, $0.shape, .normal(deviation: 0.3)) }, key: key)
    func program(rows: Int) -> BoundProgram<Double> {
      let x = Self.input("x", [rows, dimensions])
      let columns = Self.input("columns", [rows, columns])
      return Program<Double>(
        parameters: parameters.map(\.formula), arguments: [x, columns],
        outputs: [function(x, condition: condition(columns))]
      ).bind(drawn.tensors)
    }
    let x: Tensor<Double> = key.folded("x").normal([3, dimensions])
    let times: Tensor<Double> = key.folded("columns").normal([3, columns])
    let (three, one) = (program(rows: 3), program(rows: 1))
    let together = three([x, times])[0]
    for row in 0..<3 {
      let alone = one([x.rows(row..<row + 1), times.rows(row..<row + 1)])[0].scalars
      guard zip(together.row(row), alone).allSatisfy({ $0 == $1 || ($0.isNaN && $1.isNaN) }) else {
        throw ProcessError(
          "the network \(network.architecture.name) gives a row that depends on the other rows of its batch, or on how many there are; expected each row by itself"
        )
      }
    }
  }
}
