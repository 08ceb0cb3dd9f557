import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// Which network a model has and how it sees the time: the text that `--network` takes and run folders keep.
///
/// ```
/// mlp:width=256,layers=4            residual-mlp:width=256,blocks=3
/// … ,condition=log-snr|time|discrete-time|log-sigma ,features=fourier|positional ,frequencies=64 ,scale=0.16
/// ```
public struct NetworkSpec: Sendable, Equatable {
  /// The architecture.
  public enum Architecture: String, Sendable, CaseIterable {
    case mlp
    case residualMLP = "residual-mlp"
  }

  /// The number through which the network sees the time.
  public enum Condition: String, Sendable, CaseIterable {
    /// Half the log signal-to-noise ratio, log(α/σ): alike for all processes.
    case logSNR = "log-snr"
    /// t itself.
    case time
    /// 999 t, as networks trained on DDPM's 1000 steps expect.
    case discreteTime = "discrete-time"
    /// log σ, as VE networks expect.
    case logSigma = "log-sigma"
  }

  /// How that number becomes a row of features.
  public enum Features: String, Sendable, CaseIterable {
    case fourier, positional
  }

  public var architecture: Architecture
  /// Units of each hidden layer.
  public var width: Int
  /// Hidden layers of an MLP, or blocks of a residual MLP.
  public var depth: Int
  public var condition: Condition
  public var features: Features
  /// Sines, and as many cosines.
  public var frequencies: Int
  /// The standard deviation of Fourier frequencies.
  public var scale: Double

  /// Creates a network; the defaults suit data of a few dozen dimensions.
  public init(
    _ architecture: Architecture = .residualMLP, width: Int = 256, depth: Int = 3,
    condition: Condition = .logSNR, features: Features = .fourier, frequencies: Int = 64,
    scale: Double = 0.16
  ) {
    self.architecture = architecture
    self.width = width
    self.depth = depth
    self.condition = condition
    self.features = features
    self.frequencies = frequencies
    self.scale = scale
  }

  /// Reads a network from its text.
  /// - Throws: `SpecError` that says what is known, or which value is out of range.
  public init(_ text: String) throws(SpecError) {
    let spec = try Spec(text, kind: "network")
    guard let architecture = Architecture(rawValue: spec.name) else {
      throw spec.unknownName(known: Architecture.allCases.map(\.rawValue))
    }
    let depth = architecture == .mlp ? "layers" : "blocks"
    try spec.expect(keys: [
      "width", depth, "condition", "features", "frequencies", "scale",
    ])
    self.init(
      architecture,
      width: try spec.integer("width", default: 256, in: .between(1, 16384)),
      depth: try spec.integer(depth, default: architecture == .mlp ? 4 : 3, in: .between(1, 256)),
      condition: try spec.choice("condition", default: .logSNR),
      features: try spec.choice("features", default: .fourier),
      frequencies: try spec.integer("frequencies", default: 64, in: .between(1, 4096)),
      scale: try spec.number("scale", default: 0.16, in: .positive))
  }

  /// The text that reads back as this network.
  public var text: String {
    let depthName = architecture == .mlp ? "layers" : "blocks"
    return "\(architecture.rawValue):width=\(width),\(depthName)=\(depth),"
      + "condition=\(condition.rawValue),features=\(features.rawValue),"
      + "frequencies=\(frequencies),scale=\(Spec.text(scale))"
  }

  /// The network for data of `dimensions` numbers a sample.
  func network(dimensions: Int) -> any Network {
    switch architecture {
    case .mlp:
      MLP(
        inputs: dimensions, conditions: 2 * frequencies, width: width, layers: depth,
        outputs: dimensions)
    case .residualMLP:
      ResidualMLP(
        inputs: dimensions, conditions: 2 * frequencies, width: width, blocks: depth,
        outputs: dimensions)
    }
  }

  /// The condition's value at t.
  func condition(_ marginal: Marginal, at t: Double) -> Double {
    switch condition {
    case .logSNR: marginal.halfLogSNR
    case .time: t
    case .discreteTime: 999 * t
    case .logSigma: log(marginal.sigma)
    }
  }
}
