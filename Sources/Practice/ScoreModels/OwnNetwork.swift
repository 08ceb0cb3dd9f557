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
  /// Compiles the network and runs it on one row and on three, but for networks of more than 2²⁴ parameters.
  /// - Throws: `ProcessError` where its name is none for one line, and as `NetworkCheck`.
  func checkOwnNetwork() throws(ProcessError) {
    let title = network.architecture.name
    guard !title.isEmpty, title.count <= 100, !title.contains(where: \.isNewline) else {
      throw ProcessError(
        "a network of one's own is called “\(title.prefix(100).split(whereSeparator: \.isNewline).joined(separator: " "))”; expected a name of one line, of 1 to 100 letters"
      )
    }
    try NetworkCheck(
      name: "the network \(title)", parameters: parameters, inputs: dimensions,
      conditions: columns, outputs: dimensions, takesOneCondition: true
    ) { x, columns in function(x, condition: condition(columns)) }
    .check()
  }
}
