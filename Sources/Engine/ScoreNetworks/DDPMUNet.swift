import ScoreAutodiff
import ScoreTensors

/// The U-shaped network of DDPM (Ho et al. 2020, appendix B), as published models have it.
///
/// ```
/// e = silu(W₂ silu(W₁ c) + W k),   h₀ = conv(x)
/// down: h ← attend(block(h, e)), each kept; then every second pixel of conv(h), kept too
/// middle: h ← block(attend(block(h, e)), e)
/// up: h ← attend(block(concatenate(h, kept), e)), one block more a level than down; then conv of h with its pixels repeated
/// y = conv(silu(norm h))
/// ```
///
/// All that is kept on the way down, h₀ as well, is joined to a block on the way up. Levels halve the sides, and those that are
/// asked for have attention after each block. k are the columns of the condition that are those of classes, c the others.
///
/// Where an image y is given beside each sample, as the last columns of the condition, h₀ is the convolution of both.
///
/// The last convolutions of blocks and network start at 0, so that the network starts as the zero function.
public struct DDPMUNet: Network {
  /// The sizes of a network; those of DDPM for CIFAR-10 where nothing is said.
  public struct Configuration: Sendable, Hashable {
    /// The channels of each level.
    public var widths = [128, 256, 256, 256]
    /// Which levels have attention after each block.
    public var attention = [false, true, false, false]
    /// Residual blocks of each level on the way down; there is one more on the way up.
    public var blocks = 2
    /// Groups of channels that are normalised together; they divide the channels of all levels.
    public var groups = 32
    /// Channels of each head of attention, a divisor of those of levels that have it; nil for one head of all.
    public var headWidth: Int?
    /// Whether there is attention in the middle.
    public var attendsInMiddle = true
    /// Whether zeros stand on all sides of images that are halved, and not below and to the right alone.
    public var padsAllSides = false
    /// What is added to variances of groups.
    public var epsilon = 1e-6
    /// Channels of an image that is given beside each sample, the last columns of the condition; 0 where there is none.
    public var givenChannels = 0

    public init() {}

    /// What height and width of images are multiples of.
    public var factor: Int { 1 << (widths.count - 1) }

    /// The channels where there is attention.
    public var attendedWidths: [Int] {
      zip(widths, attention).filter(\.1).map(\.0) + (attendsInMiddle ? widths.suffix(1) : [])
    }
  }

  private let image: Shape
  private let padsAllSides: Bool
  private let input: InputConvolution
  private let embedding: ConditionEmbedding
  private let down: [[ImageStage]]
  private let shrink: [Convolution]
  private let middle: [ImageStage]
  private let up: [[ImageStage]]
  private let grow: [Convolution]
  private let norm: GroupNorm
  private let output: Convolution

  /// Creates a network on images `[height, width, channels]`, given as rows of their entries.
  /// - Parameter classes: which columns of the condition are those of classes.
  public init(
    image: Shape, conditions: Int, classes: Range<Int> = 0..<0,
    _ configuration: Configuration = Configuration()
  ) {
    let (widths, groups, epsilon) = (
      configuration.widths, configuration.groups, configuration.epsilon
    )
    let head = configuration.headWidth
    precondition(
      image.rank == 3 && image[0] % configuration.factor == 0
        && image[1] % configuration.factor == 0 && configuration.blocks >= 1
        && configuration.attention.count == widths.count
        && widths.allSatisfy { $0 % groups == 0 }
        && configuration.attendedWidths.allSatisfy { $0 % (head ?? $0) == 0 },
      "no DDPM U-Net of \(configuration) for images \(image)")
    let base = widths[0]
    let width = 4 * base
    func stage(_ name: String, _ inputs: Int, _ outputs: Int, attends: Bool) -> ImageStage {
      ImageStage(
        block: ResidualBlock(
          name, inputs, outputs, embedding: width, groups: groups, epsilon: epsilon),
        attention: attends
          ? ImageAttention(
            "\(name).attention", outputs, groups: groups, headWidth: head, epsilon: epsilon) : nil)
    }
    self.image = image
    padsAllSides = configuration.padsAllSides
    input = InputConvolution(image, givenChannels: configuration.givenChannels, base)
    embedding = ConditionEmbedding(
      conditions: conditions - input.columns, classes: classes, width: width)
    down = widths.enumerated().map { level, own in
      (0..<configuration.blocks).map { place in
        stage(
          "down.\(level).\(place)", place > 0 ? own : level == 0 ? base : widths[level - 1], own,
          attends: configuration.attention[level])
      }
    }
    let last = widths[widths.count - 1]
    middle = [
      stage("middle.0", last, last, attends: configuration.attendsInMiddle),
      stage("middle.1", last, last, attends: false),
    ]
    up = ImageStage.joinedWidths(widths, blocks: configuration.blocks).enumerated().map {
      level, joined in
      joined.enumerated().map { place, inputs in
        stage(
          "up.\(level).\(place)", inputs, widths[level], attends: configuration.attention[level])
      }
    }
    shrink = widths.dropLast().enumerated().map { Convolution("down.\($0).half", $1, $1) }
    grow = widths.dropFirst().enumerated().map { Convolution("up.\($0 + 1).double", $1, $1) }
    norm = GroupNorm("norm", base, groups: groups, silu: true, epsilon: epsilon)
    output = Convolution("output", base, image[2], weights: .constant(0))
  }

  public var parameters: [Parameter] {
    input.parameters + embedding.parameters
      + down.joined().flatMap(\.parameters) + shrink.flatMap(\.parameters)
      + middle.flatMap(\.parameters) + up.joined().flatMap(\.parameters)
      + grow.flatMap(\.parameters) + norm.parameters + output.parameters
  }

  /// `[n, height · width · channels]` and a condition `[n or 1, conditions]` to the shape of x.
  public func callAsFunction(_ x: Formula, condition c: Formula) -> Formula {
    let (first, rest) = input(x, c)
    let e = embedding(rest)
    var h = first
    var kept = [h]
    for (level, stages) in down.enumerated() {
      for stage in stages {
        h = stage(h, e)
        kept.append(h)
      }
      guard level < shrink.count else { continue }
      h = shrink[level].halved(h, padsAllSides: padsAllSides)
      kept.append(h)
    }
    for stage in middle { h = stage(h, e) }
    for (level, stages) in up.enumerated().reversed() {
      for stage in stages {
        h = stage(.concatenated([h, kept.removeLast()], axis: 3), e)
      }
      if level > 0 { h = grow[level - 1](h.upsampled()) }
    }
    return output(norm(h)).reshaped(x.shape)
  }
}
