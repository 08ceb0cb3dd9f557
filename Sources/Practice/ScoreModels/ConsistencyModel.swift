import ScoreProcesses
import ScoreTensors

/// A network that has learnt a consistency function: its x̂₀ is the end of the flow through (x, t), not a mean.
public struct ConsistencyModel<Network: ScoreField>: ConsistencyFunction {
  public typealias Scalar = Network.Scalar

  /// The network, in the form of the score field that it would be; under a class, or with rounded products, if it is.
  public let network: Network

  /// Takes a network for a consistency function.
  public init(_ network: Network) { self.network = network }

  public var process: any LinearProcess { network.process }
  public var sampleShape: Shape { network.sampleShape }
  public var rowCount: Int? { network.rowCount }
  public func rows(_ rows: [Int]) -> ConsistencyModel { ConsistencyModel(network.rows(rows)) }

  public func origins(of x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    try network.denoised(x, at: t)
  }
}
