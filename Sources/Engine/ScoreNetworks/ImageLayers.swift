import ScoreAutodiff
import ScoreTensors

/// A convolution of images `[n, height, width, channels]` that keeps their size, with a bias.
public struct Convolution: Sendable {
  /// The filter, `[rows, columns, inputs, outputs]`; PyTorch keeps `[outputs, inputs, rows, columns]`.
  public let weight: Parameter
  /// The bias, `[outputs]`.
  public let bias: Parameter

  /// Creates a layer whose parameters are `name.weight` and `name.bias`.
  /// - Parameters:
  ///   - size: of the filter, in columns and in rows where these are not given; odd.
  ///   - rows: of the filter, 1 for series along the columns; odd.
  public init(
    _ name: String, _ inputs: Int, _ outputs: Int, size: Int = 3, rows: Int? = nil,
    weights: Initializer? = nil
  ) {
    let rows = rows ?? size
    precondition(
      rows % 2 == 1 && size % 2 == 1, "a filter of \(rows) rows and \(size) columns has no middle")
    weight = Parameter(
      "\(name).weight", [rows, size, inputs, outputs],
      weights ?? .leCun(fanIn: rows * size * inputs))
    bias = Parameter("\(name).bias", [outputs], .constant(0))
  }

  public var parameters: [Parameter] { [weight, bias] }

  /// The convolution without the bias.
  public func product(_ x: Formula) -> Formula {
    let padding = [weight.shape[0] / 2, weight.shape[1] / 2]
    return x.convolution(weight.formula, before: padding, after: padding)
  }

  /// `[n, h, w, inputs]` to `[n, h, w, outputs]`.
  public func callAsFunction(_ x: Formula) -> Formula { product(x) + bias.formula }

  /// Every second row and column, `[n, h/2, w/2, outputs]`, of sides that are even, by a filter of three rows and columns: over
  /// rows 2i to 2i + 2 for row i, or, where zeros stand on all sides, over 2i − 1 to 2i + 1.
  func halved(_ x: Formula, padsAllSides: Bool) -> Formula {
    let before = padsAllSides ? 1 : 0
    return x.convolution(
      weight.formula, stride: 2, before: [before, before], after: [1 - before, 1 - before])
      + bias.formula
  }
}

/// The first convolution of a U-Net, of samples and of an image that is given beside each where there is one: the last columns
/// of the condition, of the samples' sides.
///
/// ```
/// h₀ = W ∗ x + (V ∗ y + b)
/// ```
///
/// is the convolution of x and y joined along their channels; that of a y for all samples is computed once.
struct InputConvolution: Sendable {
  private let image: Shape
  private let sample: Convolution
  private let given: Convolution?
  private let givenShape: Shape

  /// Creates the layer for samples that are images `[height, width, channels]`, whose parameters are those of `input`, and
  /// `given.weight` where images of `givenChannels` stand beside them.
  init(_ image: Shape, givenChannels: Int, _ outputs: Int, rows: Int = 3) {
    self.image = image
    sample = Convolution("input", image[2], outputs, rows: rows)
    given =
      givenChannels > 0 ? Convolution("given", givenChannels, outputs, rows: rows) : nil
    givenShape = [image[0], image[1], givenChannels]
  }

  var parameters: [Parameter] { sample.parameters + (given.map { [$0.weight] } ?? []) }

  /// The columns of the condition that are an image's.
  var columns: Int { givenShape.count }

  /// Samples as rows and a condition `[n or 1, …]` to h₀, `[n, height, width, outputs]`, and what else is in the condition.
  func callAsFunction(_ x: Formula, _ c: Formula) -> (h: Formula, condition: Formula) {
    let x = x.reshaped(Shape([x.shape[0]] + image.extents))
    guard let given else { return (sample(x), c) }
    let first = c.shape[1] - columns
    let y = c.slice(axis: 1, first..<c.shape[1]).reshaped(Shape([c.shape[0]] + givenShape.extents))
    // In this order rows have the same bits whether they share y or not.
    let h = sample.product(x) + (given.product(y) + sample.bias.formula)
    return (h, c.slice(axis: 1, 0..<first))
  }
}

/// Images normalised in groups of channels, scaled and shifted by what is learned (Wu & He 2018), then SiLU if wanted.
public struct GroupNorm: Sendable {
  private let scale: Parameter
  private let shift: Parameter
  private let groups: Int
  private let silu: Bool
  private let epsilon: Double

  /// Creates a layer whose parameters are `name.weight` and `name.bias`; `epsilon` is added to variances.
  public init(
    _ name: String, _ channels: Int, groups: Int, silu: Bool = false, epsilon: Double = 1e-5
  ) {
    scale = Parameter("\(name).weight", [channels], .constant(1))
    shift = Parameter("\(name).bias", [channels], .constant(0))
    self.groups = groups
    self.silu = silu
    self.epsilon = epsilon
  }

  public var parameters: [Parameter] { [scale, shift] }

  /// `[n, h, w, channels]` to the same shape.
  public func callAsFunction(_ x: Formula) -> Formula {
    x.groupNorm(
      groups: groups, scale: scale.formula, shift: shift.formula, epsilon: epsilon, silu: silu)
  }
}

/// Two convolutions with normalisation before and an embedding added between, beside a skip (He et al. 2016).
///
/// ```
/// h = conv₁(silu(norm₁ x)) + W e,   y = skip(x) + conv₂(silu(norm₂ h))
/// ```
///
/// The skip is a 1 × 1 convolution where the channels change. conv₂ starts at 0, so that the block starts as its skip. Where it
/// changes the sides of images, those of x and of silu(norm₁ x) are changed, and the skip is a convolution in any case.
public struct ResidualBlock: Sendable {
  private let norms: [GroupNorm]
  private let convolutions: [Convolution]
  private let embedding: Linear
  private let skip: Convolution?
  private let resampling: Resampling
  private let scale: Double

  /// Creates a block; `embedding` is the width of e, `rows` are those of its filters of three columns, and `epsilon` is added to
  /// variances.
  public init(
    _ name: String, _ inputs: Int, _ outputs: Int, embedding width: Int, groups: Int, rows: Int = 3,
    epsilon: Double = 1e-5
  ) {
    self.init(
      name, inputs, outputs, embedding: width, groups: (groups, groups), rows: rows,
      epsilon: epsilon, resampling: .none, scale: 1)
  }

  /// Creates a block with its own groups for each of its normalisations, that changes the sides of images and scales its sum.
  init(
    _ name: String, _ inputs: Int, _ outputs: Int, embedding width: Int, groups: (Int, Int),
    rows: Int = 3, epsilon: Double, resampling: Resampling, scale: Double
  ) {
    norms = [("norm1", inputs, groups.0), ("norm2", outputs, groups.1)].map {
      GroupNorm("\(name).\($0)", $1, groups: $2, silu: true, epsilon: epsilon)
    }
    convolutions = [
      Convolution("\(name).conv1", inputs, outputs, rows: rows),
      Convolution("\(name).conv2", outputs, outputs, rows: rows, weights: .constant(0)),
    ]
    embedding = Linear("\(name).embedding", width, outputs)
    skip =
      inputs == outputs && resampling == .none
      ? nil : Convolution("\(name).skip", inputs, outputs, size: 1)
    self.resampling = resampling
    self.scale = scale
  }

  public var parameters: [Parameter] {
    norms[0].parameters + convolutions[0].parameters + embedding.parameters + norms[1].parameters
      + convolutions[1].parameters + (skip?.parameters ?? [])
  }

  /// `[n, h, w, inputs]` and an embedding `[n or 1, width]` to `[n, h, w, outputs]`, or half or twice the sides.
  public func callAsFunction(_ x: Formula, _ e: Formula) -> Formula {
    // The bias goes with the embedding: one number a channel and image, which the convolution adds itself.
    let added = embedding(e) + convolutions[0].bias.formula
    let h =
      convolutions[0].product(resampling(norms[0](x)))
      + added.reshaped([added.shape[0], 1, 1, added.shape[1]] as Shape)
    let sum = (skip?(resampling(x)) ?? x) + convolutions[1](norms[1](h))
    return scale == 1 ? sum : scale * sum
  }
}

/// Attention of each pixel to all pixels of its image, beside a skip (Vaswani et al. 2017; Ho et al. 2020).
///
/// ```
/// y = x + W softmax(q kᵀ/√d) v,   (q, k, v) = maps of norm(x), d channels a head, each head by itself
/// ```
///
/// The last map starts at 0. Cost: pixels² · channels an image.
public struct ImageAttention: Sendable {
  private let norm: GroupNorm
  private let maps: [Linear]
  private let headWidth: Int
  private let scale: Double

  /// Creates a layer; `headWidth` are the channels of a head, which divide all, or nil for one head of all, and `scale` is what
  /// the sum with the skip is multiplied by.
  public init(
    _ name: String, _ channels: Int, groups: Int, headWidth: Int? = nil, epsilon: Double = 1e-5,
    scale: Double = 1
  ) {
    self.scale = scale
    self.headWidth = headWidth ?? channels
    precondition(
      channels % self.headWidth == 0,
      "heads of \(self.headWidth) channels do not divide \(channels)")
    norm = GroupNorm("\(name).norm", channels, groups: groups, epsilon: epsilon)
    maps =
      ["query", "key", "value"].map { Linear("\(name).\($0)", channels, channels) }
      + [Linear("\(name).output", channels, channels, weights: .constant(0))]
  }

  public var parameters: [Parameter] { norm.parameters + maps.flatMap(\.parameters) }

  /// `[n, h, w, channels]` to the same shape.
  public func callAsFunction(_ x: Formula) -> Formula {
    let (n, pixels, channels) = (x.shape[0], x.shape[1] * x.shape[2], x.shape[3])
    let normal = norm(x).reshaped([n, pixels, channels] as Shape)
    let heads = channels / headWidth
    // One head needs no axis of its own.
    func parted(_ x: Formula) -> Formula {
      heads == 1
        ? x : x.reshaped([n, pixels, heads, headWidth] as Shape).transposed([0, 2, 1, 3])
    }
    let (q, k, v) = (parted(maps[0](normal)), parted(maps[1](normal)), parted(maps[2](normal)))
    let weights = (q.matmul(k, transposeOther: true) / Double(headWidth).squareRoot()).softmax()
    let sums = weights.matmul(v)
    let joined = heads == 1 ? sums : sums.transposed([0, 2, 1, 3])
    let sum = x + maps[3](joined.reshaped([n, pixels, channels] as Shape)).reshaped(x.shape)
    return scale == 1 ? sum : scale * sum
  }
}
