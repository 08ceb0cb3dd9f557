import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// Which network a model has and how it sees the time: the text that `--network` takes and run folders keep.
///
/// ```
/// mlp:width=256,layers=4            residual-mlp:width=256,blocks=3
/// unet:channels=32,multipliers=1-2-2,blocks=1,groups=8,attention=false          for images
/// … ,condition=log-snr|time|discrete-time|log-sigma ,features=fourier|positional ,frequencies=64 ,scale=0.16
/// ```
public struct NetworkSpec: Sendable, Equatable {
  /// The architecture.
  public enum Architecture: String, Sendable, CaseIterable {
    case mlp
    case residualMLP = "residual-mlp"
    case unet
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
  /// Units of each hidden layer, or channels of a U-Net's first level.
  public var width: Int
  /// Hidden layers of an MLP, blocks of a residual MLP, or blocks of each level of a U-Net.
  public var depth: Int
  public var condition: Condition
  public var features: Features
  /// Sines, and as many cosines.
  public var frequencies: Int
  /// The standard deviation of Fourier frequencies.
  public var scale: Double
  /// The channels of a U-Net's levels, in multiples of those of the first.
  public var multipliers: [Int]
  /// Groups of channels that a U-Net normalises together.
  public var groups: Int
  /// Whether a U-Net's lowest level has attention.
  public var attention: Bool

  /// Creates a network; the defaults suit data of a few dozen dimensions.
  public init(
    _ architecture: Architecture = .residualMLP, width: Int = 256, depth: Int = 3,
    condition: Condition = .logSNR, features: Features = .fourier, frequencies: Int = 64,
    scale: Double = 0.16, multipliers: [Int] = [1, 2, 2], groups: Int = 8, attention: Bool = false
  ) {
    self.architecture = architecture
    self.width = width
    self.depth = depth
    self.condition = condition
    self.features = features
    self.frequencies = frequencies
    self.scale = scale
    self.multipliers = multipliers
    self.groups = groups
    self.attention = attention
  }

  /// Reads a network from its text.
  /// - Throws: `SpecError` that says what is known, or which value is out of range.
  public init(_ text: String) throws(SpecError) {
    let spec = try Spec(text, kind: "network")
    guard let architecture = Architecture(rawValue: spec.name) else {
      throw spec.unknownName(known: Architecture.allCases.map(\.rawValue))
    }
    let (width, depth) = Self.keys(architecture)
    let isUNet = architecture == .unet
    try spec.expect(
      keys: [width, depth] + (isUNet ? ["multipliers", "groups", "attention"] : [])
        + ["condition", "features", "frequencies", "scale"])
    self.init(
      architecture,
      width: try spec.integer(width, default: isUNet ? 32 : 256, in: .between(1, 16384)),
      depth: try spec.integer(
        depth, default: isUNet ? 1 : architecture == .mlp ? 4 : 3, in: .between(1, 256)),
      condition: try spec.choice("condition", default: .logSNR),
      features: try spec.choice("features", default: .fourier),
      frequencies: try spec.integer("frequencies", default: 64, in: .between(1, 4096)),
      scale: try spec.number("scale", default: 0.16, in: .positive))
    guard isUNet else { return }
    if let text = spec.string("multipliers") {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { Int($0) }.filter { (1...64).contains($0) }
      guard numbers.count == parts.count, numbers.count <= 8 else {
        throw spec.wrong("multipliers", text, "up to 8 whole numbers from 1 to 64, such as 1-2-2")
      }
      multipliers = numbers
    }
    groups = try spec.integer(
      "groups", default: groups(upTo: 8), in: .between(1, Double(self.width)))
    guard self.width % groups == 0 else {
      throw spec.wrong("groups", "\(groups)", "a divisor of the \(self.width) channels")
    }
    attention = try spec.flag("attention")
  }

  /// The largest divisor of the width up to a number.
  private func groups(upTo most: Int) -> Int {
    (1...most).last { width % $0 == 0 } ?? 1
  }

  /// The names of width and depth.
  private static func keys(_ architecture: Architecture) -> (String, String) {
    switch architecture {
    case .mlp: ("width", "layers")
    case .residualMLP: ("width", "blocks")
    case .unet: ("channels", "blocks")
    }
  }

  /// The text that reads back as this network.
  public var text: String {
    let (widthName, depthName) = Self.keys(architecture)
    let levels = multipliers.map(String.init).joined(separator: "-")
    return "\(architecture.rawValue):\(widthName)=\(width),\(depthName)=\(depth),"
      + (architecture == .unet
        ? "multipliers=\(levels),groups=\(groups),attention=\(attention)," : "")
      + "condition=\(condition.rawValue),features=\(features.rawValue),"
      + "frequencies=\(frequencies),scale=\(Spec.text(scale))"
  }

  /// The sizes of a U-Net.
  private var unet: UNet.Configuration {
    var configuration = UNet.Configuration()
    configuration.channels = width
    configuration.multipliers = multipliers
    configuration.blocks = depth
    configuration.groups = groups
    configuration.attention = attention
    return configuration
  }

  /// The extents of a sample as an image: height, width and channels.
  private static func image(_ sampleShape: Shape) -> Shape {
    sampleShape.rank == 2 ? Shape(sampleShape.extents + [1]) : sampleShape
  }

  /// Checks the sizes, and that the network takes samples of a shape.
  /// - Throws: `ProcessError` where a size is below 1, the groups of a U-Net do not divide its channels, or it is asked to take
  ///   what is no image, or one that it cannot halve.
  package func check(_ sampleShape: Shape) throws(ProcessError) {
    let (widthName, depthName) = Self.keys(architecture)
    for (name, size) in [(widthName, width), (depthName, depth), ("frequencies", frequencies)]
    where size < 1 {
      throw ProcessError("the \(architecture.rawValue) has \(name) \(size); expected 1 or more")
    }
    guard architecture == .unet else { return }
    guard !multipliers.isEmpty, multipliers.allSatisfy({ $0 >= 1 }) else {
      throw ProcessError("the unet has multipliers \(multipliers); expected some, each 1 or more")
    }
    guard groups >= 1, width % groups == 0 else {
      throw ProcessError(
        "the unet has \(groups) groups; expected a divisor of its \(width) channels")
    }
    let image = Self.image(sampleShape)
    guard image.rank == 3, image.count > 0 else {
      throw ProcessError(
        "a unet takes images of height × width × channels; the samples have shape \(sampleShape)")
    }
    let factor = unet.factor
    guard image[0] % factor == 0, image[1] % factor == 0 else {
      throw ProcessError(
        "a unet of \(multipliers.count) levels takes images whose sides are multiples of \(factor); the samples have shape \(sampleShape)"
      )
    }
  }

  /// The entries of a sample's largest intermediate value, where chunks of samples must be cut to it.
  func activations(_ sampleShape: Shape) -> Int {
    architecture == .unet
      ? sampleShape.count / Self.image(sampleShape)[-1] * width * 2 : 1
  }

  /// The network for samples of a shape, of so many classes.
  func network(_ sampleShape: Shape, classes: Int = 0) -> any Network {
    let (dimensions, conditions) = (sampleShape.count, 2 * frequencies + classes)
    switch architecture {
    case .unet:
      return UNet(image: Self.image(sampleShape), conditions: conditions, unet)
    case .mlp:
      return MLP(
        inputs: dimensions, conditions: conditions, width: width, layers: depth,
        outputs: dimensions)
    case .residualMLP:
      return ResidualMLP(
        inputs: dimensions, conditions: conditions, width: width, blocks: depth,
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
