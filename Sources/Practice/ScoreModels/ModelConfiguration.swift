import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// Everything about a model but its parameters: what they mean, and the formula they go into.
public struct ModelConfiguration: Sendable, Equatable {
  /// The shape of one sample.
  public var sampleShape: Shape
  /// The network.
  public var network: NetworkSpec
  /// How its output becomes ε̂.
  public var preconditioning: Preconditioning

  public init(sampleShape: Shape, network: NetworkSpec, preconditioning: Preconditioning) {
    self.sampleShape = sampleShape
    self.network = network
    self.preconditioning = preconditioning
  }

  /// The number of entries of one sample.
  public var dimensions: Int { sampleShape.count }

  /// Checks that the network takes samples of this shape; anything else that is asked of the model leans on it.
  /// - Throws: `ProcessError` that says what the network takes.
  public func check() throws(ProcessError) { try network.check(sampleShape) }

  /// The parameters, in the order of files and optimisers.
  public var parameters: [Parameter] {
    let features = network.features == .fourier ? fourier.parameters : []
    return features + network.network(sampleShape).parameters
  }

  private var fourier: FourierFeatures {
    FourierFeatures("time", frequencies: network.frequencies, scale: network.scale)
  }

  /// Numbers a row that the formula needs of its time: condition, shift, input scale, skip, output scale.
  package static let timeColumns = 5

  /// Writes the time columns of `marginal` at `t` to five places.
  package func fillTimeColumns<Scalar: TensorScalar>(
    _ marginal: Marginal, at t: Double, _ out: UnsafeMutablePointer<Scalar>
  ) {
    let (shift, scale, skip, gain) = preconditioning.columns(marginal)
    var columns = (network.condition(marginal, at: t), shift, scale, skip, gain)
    withUnsafeBytes(of: &columns) { bytes in
      if let base = bytes.assumingMemoryBound(to: Double.self).baseAddress {
        Scalar._round(Self.timeColumns, base, out)
      }
    }
  }

  /// ε̂ as a formula of `x`, `[n, dimensions]`, and time columns, `[n or 1, 5]`.
  package func noise(_ x: Formula, times: Formula) -> Formula {
    func column(_ index: Int) -> Formula { times.slice(axis: 1, index..<index + 1) }
    let c = column(0)
    let features =
      network.features == .fourier
      ? fourier(c) : PositionalFeatures(frequencies: network.frequencies)(c)
    let function = network.network(sampleShape)
    if preconditioning == .noise { return function(x * column(2), condition: features) }
    let centred = x - column(1)
    return centred * column(3) + column(4) * function(centred * column(2), condition: features)
  }
}
