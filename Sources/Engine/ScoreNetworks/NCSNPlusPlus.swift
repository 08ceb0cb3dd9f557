import ScoreAutodiff
import ScoreTensors

/// The U-shaped network NCSN++ of Song et al. (2021, appendix H), as it is published for images of 256 pixels a side.
///
/// ```
/// e = silu(W₂ silu(W₁ c) + W k),   h₀ = conv(x),   x₀ = x
/// down: h ← attend(block(h, e)), each kept; then xₗ₊₁ = half(xₗ), h ← block of half the sides(h, e) + conv(xₗ₊₁), kept too
/// middle: h ← block(attend(block(h, e)), e)
/// up: h ← block(concatenate(h, kept), e), one block more a level than down, and attend; then
///     y ← double(y) + conv(silu(norm h)), h ← block of twice the sides(h, e)
/// y ← double(y) + conv(silu(norm h))
/// ```
///
/// Images are halved and doubled by the filter (1, 3, 3, 1); the image goes down and the result goes up beside the network, so
/// that all levels see the one and add to the other. Each sum of a block or attention and its skip is over √2, and channels are
/// normalised in groups of four, or in 32 groups where there are more. k are the columns of the condition that are those of
/// classes, c the others.
///
/// Where an image y is given beside each sample, as the last columns of the condition, h₀ is the convolution of both.
///
/// The last convolutions of blocks and network and those of the result start at 0, so that the network starts as the zero function.
public struct NCSNPlusPlus: Network {
  /// The sizes of a network; those for images of 256 pixels a side where nothing is said.
  public struct Configuration: Sendable, Hashable {
    /// The channels of each level.
    public var widths = [128, 128, 256, 256, 256, 256, 256]
    /// Which levels have attention: after each block down, and after all of them up.
    public var attention = [false, false, false, false, true, false, false]
    /// Residual blocks of each level on the way down; there is one more on the way up.
    public var blocks = 2
    /// Channels of each head of attention, a divisor of those of levels that have it; nil for one head of all.
    public var headWidth: Int?
    /// What is added to variances of groups.
    public var epsilon = 1e-6
    /// Channels of an image that is given beside each sample, the last columns of the condition; 0 where there is none.
    public var givenChannels = 0

    public init() {}

    /// What height and width of images are multiples of.
    public var factor: Int { 1 << (widths.count - 1) }

    /// The channels where there is attention.
    public var attendedWidths: [Int] {
      zip(widths, attention).filter(\.1).map(\.0) + widths.suffix(1)
    }

    /// The numbers of channels that are normalised, which `groups(of:)` divides.
    public var normalizedWidths: [Int] {
      widths + ImageStage.joinedWidths(widths, blocks: blocks).joined()
    }

    /// Whether there is such a network for images of a shape.
    func takes(_ image: Shape) -> Bool {
      image.rank == 3 && image[0] % factor == 0 && image[1] % factor == 0 && blocks >= 1
        && attention.count == widths.count
        && normalizedWidths.allSatisfy { $0 >= 4 && $0 % Self.groups(of: $0) == 0 }
        && attendedWidths.allSatisfy { $0 % (headWidth ?? $0) == 0 }
    }

    /// The groups of so many channels.
    public static func groups(of channels: Int) -> Int { min(channels / 4, 32) }
  }

  /// What changes the sides of a level: a block, and the convolution of the image, or to the result, after normalisation.
  private struct Step {
    let block: ResidualBlock
    let norm: GroupNorm?
    let image: Convolution

    var parameters: [Parameter] {
      block.parameters + (norm?.parameters ?? []) + image.parameters
    }
  }

  private let image: Shape
  private let input: InputConvolution
  private let embedding: ConditionEmbedding
  private let down: [[ImageStage]]
  private let shrink: [Step]
  private let middle: [ImageStage]
  private let up: [[ImageStage]]
  private let grow: [Step]
  private let norm: GroupNorm
  private let output: Convolution

  /// Creates a network on images `[height, width, channels]`, given as rows of their entries.
  /// - Parameter classes: which columns of the condition are those of classes.
  public init(
    image: Shape, conditions: Int, classes: Range<Int> = 0..<0,
    _ configuration: Configuration = Configuration()
  ) {
    let (widths, attention, blocks) = (
      configuration.widths, configuration.attention, configuration.blocks
    )
    precondition(configuration.takes(image), "no NCSN++ of \(configuration) for images \(image)")
    let parts = Parts(embedding: 4 * widths[0], configuration)
    self.image = image
    input = InputConvolution(image, givenChannels: configuration.givenChannels, widths[0])
    embedding = ConditionEmbedding(
      conditions: conditions - input.columns, classes: classes, width: parts.embedding)
    let (first, last) = (widths[0], widths[widths.count - 1])
    down = widths.enumerated().map { level, own in
      (0..<blocks).map { place in
        let inputs = place > 0 ? own : level == 0 ? first : widths[level - 1]
        return parts.stage(
          "down.\(level).\(place)", inputs, own,
          attention: attention[level] ? "down.\(level).\(place).attention" : nil)
      }
    }
    shrink = widths.dropLast().enumerated().map { level, own in
      Step(
        block: parts.block("down.\(level).half", own, own, .half), norm: nil,
        image: Convolution("down.\(level).image", image[2], own, size: 1))
    }
    middle = [
      parts.stage("middle.0", last, last, attention: "middle.0.attention"),
      parts.stage("middle.1", last, last, attention: nil),
    ]
    up = ImageStage.joinedWidths(widths, blocks: blocks).enumerated().map { level, joined in
      joined.enumerated().map { place, inputs in
        parts.stage(
          "up.\(level).\(place)", inputs, widths[level],
          attention: place == blocks && attention[level] ? "up.\(level).attention" : nil)
      }
    }
    grow = widths.enumerated().dropFirst().map { level, own in
      Step(
        block: parts.block("up.\(level).double", own, own, .double),
        norm: parts.norm("up.\(level).norm", own),
        image: Convolution("up.\(level).image", own, image[2], weights: .constant(0)))
    }
    norm = parts.norm("norm", first)
    output = Convolution("output", first, image[2], weights: .constant(0))
  }

  public var parameters: [Parameter] {
    input.parameters + embedding.parameters + down.joined().flatMap(\.parameters)
      + shrink.flatMap(\.parameters) + middle.flatMap(\.parameters)
      + up.joined().flatMap(\.parameters) + grow.flatMap(\.parameters) + norm.parameters
      + output.parameters
  }

  /// `[n, height · width · channels]` and a condition `[n or 1, conditions]` to the shape of x.
  public func callAsFunction(_ x: Formula, condition c: Formula) -> Formula {
    let (first, rest) = input(x, c)
    let e = embedding(rest)
    var small = x.reshaped(Shape([x.shape[0]] + image.extents))
    var h = first
    var kept = [h]
    for (level, stages) in down.enumerated() {
      for stage in stages {
        h = stage(h, e)
        kept.append(h)
      }
      guard level < shrink.count else { continue }
      small = Resampling.half(small)
      h = shrink[level].block(h, e) + shrink[level].image(small)
      kept.append(h)
    }
    for stage in middle { h = stage(h, e) }
    var result: Formula?
    func add(_ part: Formula) { result = result.map { Resampling.double($0) + part } ?? part }
    for (level, stages) in up.enumerated().reversed() {
      for stage in stages {
        h = stage(.concatenated([h, kept.removeLast()], axis: 3), e)
      }
      guard level > 0 else { continue }
      let step = grow[level - 1]
      add(step.image(step.norm?(h) ?? h))
      h = step.block(h, e)
    }
    add(output(norm(h)))
    return (result ?? h).reshaped(x.shape)
  }
}

extension NCSNPlusPlus {
  /// Layers with the groups, heads and scales of a network.
  private struct Parts {
    let embedding: Int
    let configuration: Configuration

    init(embedding: Int, _ configuration: Configuration) {
      self.embedding = embedding
      self.configuration = configuration
    }

    private var scale: Double { 0.5.squareRoot() }

    func norm(_ name: String, _ channels: Int) -> GroupNorm {
      GroupNorm(
        name, channels, groups: Configuration.groups(of: channels), silu: true,
        epsilon: configuration.epsilon)
    }

    func block(
      _ name: String, _ inputs: Int, _ outputs: Int, _ resampling: Resampling = .none
    ) -> ResidualBlock {
      ResidualBlock(
        name, inputs, outputs, embedding: embedding,
        groups: (Configuration.groups(of: inputs), Configuration.groups(of: outputs)),
        epsilon: configuration.epsilon,
        resampling: resampling, scale: scale)
    }

    func stage(
      _ name: String, _ inputs: Int, _ outputs: Int, attention: String?
    ) -> ImageStage {
      ImageStage(
        block: block(name, inputs, outputs),
        attention: attention.map {
          ImageAttention(
            $0, outputs, groups: Configuration.groups(of: outputs),
            headWidth: configuration.headWidth, epsilon: configuration.epsilon, scale: scale)
        })
    }
  }
}
