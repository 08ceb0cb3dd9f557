import ScoreAutodiff
import ScoreTensors

/// The U-shaped network of images under a condition (Ronneberger et al. 2015; Ho et al. 2020).
///
/// ```
/// e = silu(W₂ silu(W₁ c)),   h₀ = conv(x)
/// down: hₗ = blocks(pool hₗ₋₁, e)        middle: u = block(h_L, e)
/// up:   u = blocks(concatenate(upsampled u, hₗ), e)        y = conv(silu(norm u))
/// ```
///
/// Each level has its own number of channels and half the pixels a side of the one above, by means of 2 × 2 pixels down
/// and repetition up; every block down has one up that it is joined to. The last convolutions of blocks and network
/// start at 0, so that the network starts as the zero function.
///
/// Where an image y is given beside each sample, as the last columns of the condition, h₀ is the convolution of both.
///
/// A series is an image of one row: filters have one row then, and columns alone are halved.
public struct UNet: Network {
  /// The sizes of a network.
  public struct Configuration: Sendable, Equatable {
    /// Channels of the first level.
    public var channels = 32
    /// The channels of each level in multiples of those of the first.
    public var multipliers = [1, 2, 2]
    /// Residual blocks of each level, down and up.
    public var blocks = 1
    /// Groups of channels that are normalised together; they divide `channels`.
    public var groups = 8
    /// Whether the lowest level has attention.
    public var attention = false
    /// Channels of an image that is given beside each sample, the last columns of the condition; 0 where there is none.
    public var givenChannels = 0

    public init() {}

    /// What height and width of images are multiples of, or the width of an image of one row.
    public var factor: Int { 1 << (multipliers.count - 1) }
  }

  private let image: Shape
  /// Two, or one where images have one row.
  private let rowsOfBlock: Int
  private let input: InputConvolution
  private let embedding: [Linear]
  private let down: [[ResidualBlock]]
  private let middle: ResidualBlock
  private let attention: ImageAttention?
  private let up: [[ResidualBlock]]
  private let norm: GroupNorm
  private let output: Convolution

  /// Creates a network on images `[height, width, channels]`, given as rows of their entries.
  public init(image: Shape, conditions: Int, _ configuration: Configuration = Configuration()) {
    let (base, groups) = (configuration.channels, configuration.groups)
    precondition(
      image.rank == 3 && (image[0] == 1 || image[0] % configuration.factor == 0)
        && image[1] % configuration.factor == 0 && base % groups == 0
        && configuration.blocks >= 1 && configuration.multipliers.allSatisfy { $0 >= 1 },
      "no U-Net of \(configuration) for images \(image)")
    let widths = configuration.multipliers.map { $0 * base }
    let width = 4 * base
    let rows = image[0] == 1 ? 1 : 3
    func block(_ name: String, _ inputs: Int, _ outputs: Int) -> ResidualBlock {
      ResidualBlock(name, inputs, outputs, embedding: width, groups: groups, rows: rows)
    }
    self.image = image
    rowsOfBlock = image[0] == 1 ? 1 : 2
    input = InputConvolution(
      image, givenChannels: configuration.givenChannels, base, rows: rows)
    embedding = [
      Linear("embedding.0", conditions - input.columns, width),
      Linear("embedding.1", width, width),
    ]
    var last = base
    var down: [[ResidualBlock]] = []
    var up: [[ResidualBlock]] = []
    for (level, own) in widths.enumerated() {
      let above = level == 0 ? base : widths[level - 1]
      down.append(
        (0..<configuration.blocks).map { block("down.\(level).\($0)", $0 == 0 ? last : own, own) })
      up.append(
        (0..<configuration.blocks).map {
          block("up.\(level).\($0)", 2 * own, $0 == configuration.blocks - 1 ? above : own)
        })
      last = own
    }
    self.down = down
    self.up = up
    middle = block("middle", last, last)
    attention =
      configuration.attention ? ImageAttention("attention", last, groups: groups) : nil
    norm = GroupNorm("norm", base, groups: groups, silu: true)
    output = Convolution("output", base, image[2], rows: rows, weights: .constant(0))
  }

  public var parameters: [Parameter] {
    input.parameters + embedding.flatMap(\.parameters)
      + down.joined().flatMap(\.parameters) + middle.parameters
      + (attention?.parameters ?? []) + up.reversed().joined().flatMap(\.parameters)
      + norm.parameters + output.parameters
  }

  /// `[n, height · width · channels]` and a condition `[n or 1, conditions]` to the shape of x.
  public func callAsFunction(_ x: Formula, condition c: Formula) -> Formula {
    let (first, rest) = input(x, c)
    let e = silu(embedding[1](silu(embedding[0](rest))))
    var h = first
    var skips: [Formula] = []
    for (level, blocks) in down.enumerated() {
      if level > 0 { h = h.averagePooled(rowsOfBlock) }
      for block in blocks {
        h = block(h, e)
        skips.append(h)
      }
    }
    h = middle(h, e)
    if let attention { h = attention(h) }
    for (level, blocks) in up.enumerated().reversed() {
      for block in blocks {
        h = block(.concatenated([h, skips.removeLast()], axis: 3), e)
      }
      if level > 0 { h = h.upsampled(rowsOfBlock) }
    }
    return output(norm(h)).reshaped(x.shape)
  }
}
