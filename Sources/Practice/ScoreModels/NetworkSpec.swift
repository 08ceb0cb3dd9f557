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
/// unet-1d:…                         the same for series [length] or [length, channels]
/// ddpm-unet:channels=128-256-256-256,blocks=2,groups=32,attention=0-1-0-0           DDPM's, for images
/// ncsnpp:channels=128-128-256-256-256-256-256,blocks=2,attention=0-0-0-0-1-0-0           NCSN++, for images
/// … ,condition=log-snr|time|discrete-time|log-sigma|step ,features=fourier|positional|positional-open|plain ,frequencies=64
/// … ,scale=0.16 of fourier ,chain-steps=1000 of step ,given-channels=3 of images that are given beside each sample
/// ```
///
/// A network of one's own has no text but its name; `init(own:)` makes it.
public struct NetworkSpec: Sendable, Equatable {
  /// The architecture.
  public enum Architecture: Sendable, Equatable {
    case mlp, residualMLP, unet, unet1D
    /// DDPM's, of these sizes; the spec's own width and depth mean nothing to it.
    case ddpmUNet(DDPMUNet.Configuration)
    /// NCSN++ of these sizes, likewise.
    case ncsnPlusPlus(NCSNPlusPlus.Configuration)
    case own(OwnNetwork)

    /// The architectures that texts know, with their names.
    static let named: KeyValuePairs<String, Architecture> = [
      "mlp": .mlp, "residual-mlp": .residualMLP, "unet": .unet,
      "unet-1d": .unet1D, ddpmUNetName: .ddpmUNet(DDPMUNet.Configuration()),
      ncsnPlusPlusName: .ncsnPlusPlus(NCSNPlusPlus.Configuration()),
    ]
    static let (ddpmUNetName, ncsnPlusPlusName) = ("ddpm-unet", "ncsnpp")

    /// Whether it is a U-Net, of images or of series.
    var isUNet: Bool { self == .unet || self == .unet1D }

    /// Whether it takes images that are given beside samples.
    public var takesGivenImages: Bool {
      switch self {
      case .unet, .unet1D, .ddpmUNet, .ncsnPlusPlus: true
      case .mlp, .residualMLP, .own: false
      }
    }

    /// Whether classes have a table of embeddings of their own, where those of none are 0.
    var hasClassTable: Bool {
      switch self {
      case .ddpmUNet, .ncsnPlusPlus: true
      case .mlp, .residualMLP, .unet, .unet1D, .own: false
      }
    }

    /// The name, of one's own too.
    public var name: String {
      if case .own(let network) = self { return network.name }
      if case .ddpmUNet = self { return Self.ddpmUNetName }
      if case .ncsnPlusPlus = self { return Self.ncsnPlusPlusName }
      return Self.named.first { $0.value == self }?.key ?? ""
    }
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
    /// The step i of a chain of N that leads to the time t = (i + 1)/N, N t − 1, as published networks are given it.
    case step
  }

  /// How that number becomes a row of features.
  public enum Features: String, Sendable, CaseIterable {
    case fourier, positional
    /// Positions without the frequency 1/10000, which many published networks leave out.
    case positionalOpen = "positional-open"
    /// The number itself, one column, for networks that make their own of it.
    case plain
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
  /// The steps N of the chain whose step is the condition `step`.
  public var chainSteps = 1000
  /// Where the covariates are an image beside each sample, or a series beside a series, of its sides: its channels. A U-Net
  /// joins them to the sample's; with 0 covariates go with the time.
  public var givenChannels = 0

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

  /// Creates a network of one's own; the sizes of the others mean nothing to it.
  ///
  /// - Parameters:
  ///   - name: what run folders call it, and equal networks have in common; one line of up to 100 letters.
  ///   - make: the network for samples of a shape and conditions of a width, the same at each call. It takes samples as rows
  ///     `[n, sampleShape.count]` and a condition `[n or 1, width]`, the features of the time, a column a class, and where there
  ///     are covariates a 1 and these, or zeros where they are not known, to rows of the samples' width; row i by row i alone.
  ///     No parameter of it is called `time.frequencies`, as the features' own are, or begins with `batch: `.
  public init(
    own name: String, condition: Condition = .logSNR, features: Features = .fourier,
    frequencies: Int = 64, scale: Double = 0.16,
    _ make: @escaping @Sendable (_ sampleShape: Shape, _ conditions: Int) -> any Network
  ) {
    self.init(
      .own(OwnNetwork(name: name, make: make)), condition: condition, features: features,
      frequencies: frequencies, scale: scale)
  }

  /// The most channels or units, blocks or layers, and frequencies.
  package static let (mostWidth, mostDepth, mostFrequencies) = (16384, 256, 4096)
  /// The most levels of a U-Net.
  static let mostLevels = 8
  static let givenKey = "given-channels"

  /// Reads a network from its text.
  /// - Throws: `SpecError` that says what is known, or which value is out of range.
  public init(_ text: String) throws(SpecError) {
    let spec = try Spec(text, kind: "network")
    guard let architecture = Architecture.named.first(where: { $0.key == spec.name })?.value else {
      throw spec.unknownName(known: Architecture.named.map(\.key))
    }
    let isUNet = architecture.isUNet
    let timeKeys = ["condition", "features", "frequencies", "scale", "chain-steps"]
    if case .ddpmUNet = architecture {
      try spec.expect(keys: Self.ddpmUNetKeys + timeKeys + [Self.givenKey])
      self.init(.ddpmUNet(try Self.ddpmUNet(spec)))
    } else if case .ncsnPlusPlus = architecture {
      try spec.expect(keys: Self.ncsnPlusPlusKeys + timeKeys + [Self.givenKey])
      self.init(.ncsnPlusPlus(try Self.ncsnPlusPlus(spec)))
    } else {
      let (width, depth) = Self.keys(architecture)
      try spec.expect(
        keys: [width, depth]
          + (isUNet ? ["multipliers", "groups", "attention", Self.givenKey] : []) + timeKeys)
      self.init(
        architecture,
        width: try spec.integer(
          width, default: isUNet ? 32 : 256, in: .between(1, Double(Self.mostWidth))),
        depth: try spec.integer(
          depth, default: isUNet ? 1 : architecture == .mlp ? 4 : 3,
          in: .between(1, Double(Self.mostDepth))))
    }
    condition = try spec.choice("condition", default: .logSNR)
    features = try spec.choice("features", default: .fourier)
    frequencies = try spec.integer(
      "frequencies", default: 64, in: .between(1, Double(Self.mostFrequencies)))
    scale = try spec.number("scale", default: 0.16, in: .positive)
    chainSteps = try spec.integer(
      "chain-steps", default: 1000, in: .between(2, Double(DDPMChain.mostSteps)))
    givenChannels = try spec.integer(
      Self.givenKey, default: 0, in: .between(0, Double(Self.mostWidth)))
    guard isUNet else { return }
    if let numbers = try Self.numbers(spec, "multipliers", 1...64, such: "1-2-2") {
      multipliers = numbers
    }
    groups = try spec.integer(
      "groups", default: groups(upTo: 8), in: .between(1, Double(self.width)))
    guard self.width % groups == 0 else {
      throw spec.wrong("groups", "\(groups)", "a divisor of the \(self.width) channels")
    }
    attention = try spec.flag("attention")
  }

  /// Whole numbers with hyphens between, one a level; nil where they are not given.
  static func numbers(
    _ spec: Spec, _ key: String, _ range: ClosedRange<Int>, such example: String
  ) throws(SpecError) -> [Int]? {
    guard let text = spec.string(key) else { return nil }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }.filter(range.contains)
    guard numbers.count == parts.count, numbers.count <= mostLevels else {
      throw spec.wrong(
        key, text,
        "up to \(mostLevels) whole numbers from \(range.lowerBound) to \(range.upperBound), such as \(example)"
      )
    }
    return numbers
  }

  /// The largest divisor of the width up to a number.
  private func groups(upTo most: Int) -> Int {
    (1...most).last { width % $0 == 0 } ?? 1
  }

  /// The names of width and depth.
  static func keys(_ architecture: Architecture) -> (String, String) {
    switch architecture {
    case .mlp, .own, .ddpmUNet, .ncsnPlusPlus: ("width", "layers")
    case .residualMLP: ("width", "blocks")
    case .unet, .unet1D: ("channels", "blocks")
    }
  }

  /// What stands before the name of a network of one's own, in its text.
  package static let ownPrefix = "own: "

  /// Whether the text reads back as this network, as that of one's own does not.
  package var isBuiltIn: Bool {
    if case .own = architecture { false } else { true }
  }

  /// The text that reads back as this network; of one's own its name and how it sees the time.
  public var text: String {
    let time =
      "condition=\(condition.rawValue),features=\(features.rawValue),"
      + "frequencies=\(frequencies),scale=\(Spec.text(scale))"
      + (condition == .step ? ",chain-steps=\(chainSteps)" : "")
      + (givenChannels > 0 ? ",\(Self.givenKey)=\(givenChannels)" : "")
    guard isBuiltIn else { return "\(Self.ownPrefix)\(architecture.name) (\(time))" }
    if case .ddpmUNet(let sizes) = architecture {
      return "\(architecture.name):\(Self.text(of: sizes)),\(time)"
    }
    if case .ncsnPlusPlus(let sizes) = architecture {
      return "\(architecture.name):\(Self.text(of: sizes)),\(time)"
    }
    let (widthName, depthName) = Self.keys(architecture)
    return "\(architecture.name):\(widthName)=\(width),\(depthName)=\(depth),"
      + (architecture.isUNet
        ? "multipliers=\(Self.text(of: multipliers)),groups=\(groups),attention=\(attention),"
        : "")
      + time
  }

  /// One number a level, with hyphens between.
  static func text(of levels: [Int]) -> String { levels.map(String.init).joined(separator: "-") }

  /// The sizes of a U-Net.
  var unet: UNet.Configuration {
    var configuration = UNet.Configuration()
    configuration.channels = width
    configuration.multipliers = multipliers
    configuration.blocks = depth
    configuration.groups = groups
    configuration.attention = attention
    configuration.givenChannels = givenChannels
    return configuration
  }

  /// The extents of a sample as an image: height, width and channels; a series has one row.
  func image(_ sampleShape: Shape) -> Shape {
    let extents = sampleShape.extents
    if architecture == .unet1D { return Shape([1] + extents + (extents.count == 1 ? [1] : [])) }
    return extents.count == 2 ? Shape(extents + [1]) : sampleShape
  }

  /// The network for samples of a shape, under so many numbers beside the time's, the first of which are of classes.
  func network(_ sampleShape: Shape, given: Int = 0, classes: Int = 0) -> any Network {
    let dimensions = sampleShape.count
    let first = features == .plain ? 1 : 2 * frequencies
    let conditions = first + given
    switch architecture {
    case .own(let network): return network.make(sampleShape, conditions)
    case .unet, .unet1D:
      return UNet(image: image(sampleShape), conditions: conditions, unet)
    case .ddpmUNet(var sizes):
      sizes.givenChannels = givenChannels
      return DDPMUNet(
        image: image(sampleShape), conditions: conditions, classes: first..<first + classes, sizes)
    case .ncsnPlusPlus(var sizes):
      sizes.givenChannels = givenChannels
      return NCSNPlusPlus(
        image: image(sampleShape), conditions: conditions, classes: first..<first + classes, sizes)
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
    case .step: max(0, Double(chainSteps) * t - 1)
    }
  }
}
