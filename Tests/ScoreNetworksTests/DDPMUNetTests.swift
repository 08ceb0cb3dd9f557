import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Testing

/// DDPM's network. That its results are PyTorch's is a test of published models.
@Suite struct DDPMUNetTests {
  private static func small(
    headWidth: Int? = nil, padsAllSides: Bool = false, attendsInMiddle: Bool = true
  ) -> DDPMUNet {
    var configuration = DDPMUNet.Configuration()
    configuration.widths = [4, 8]
    configuration.attention = [false, true]
    configuration.blocks = 1
    configuration.groups = 2
    configuration.headWidth = headWidth
    configuration.padsAllSides = padsAllSides
    configuration.attendsInMiddle = attendsInMiddle
    return DDPMUNet(image: [4, 8, 1], conditions: 6, configuration)
  }

  private static func values(_ network: DDPMUNet) -> [Tensor<Double>] {
    network.parameters.enumerated().map { place, parameter in
      let drawn: Tensor<Double> = RandomKey(4).folded(UInt64(place)).normal(parameter.shape)
      return drawn.map { 0.3 * $0 + (parameter.name.hasSuffix("norm.weight") ? 1 : 0) }
    }
  }

  @Test func theNetworkForCIFARHasThePublishedParameters() {
    let network = DDPMUNet(image: [32, 32, 3], conditions: 128)
    #expect(network.parameters.reduce(0) { $0 + $1.shape.count } == 35_746_307)
    #expect(Set(network.parameters.map(\.name)).count == network.parameters.count)
  }

  @Test func networksStartAsTheZeroFunction() {
    let network = Self.small(headWidth: 4)
    let (x, c) = (Formula.input("x", [3, 32]), Formula.input("c", [1, 6]))
    let drawn = Parameters<Double>(drawing: network.parameters, key: RandomKey(1))
    let program = Program<Double>(
      parameters: network.parameters.map(\.formula), arguments: [x, c],
      outputs: [network(x, condition: c)])
    let found = program(
      [RandomKey(2).normal([3, 32]), RandomKey(3).normal([1, 6])], parameters: drawn.tensors)
    #expect(found == [Tensor([3, 32])])
  }

  /// A class adds the entries of its column to the embedding of the time and of what stands behind the classes.
  @Test func aClassIsAddedToTheEmbeddingOfTheTime() {
    let width = 8
    let (plain, classed) = (
      ConditionEmbedding(conditions: 4, classes: 0..<0, width: width),
      ConditionEmbedding(conditions: 6, classes: 3..<5, width: width)
    )
    func values(_ embedding: ConditionEmbedding) -> [Tensor<Double>] {
      embedding.parameters.enumerated().map {
        RandomKey(1).folded(UInt64($0)).normal($1.shape)
      }
    }
    func run(
      _ embedding: ConditionEmbedding, _ values: [Tensor<Double>], _ point: [Double]
    ) -> [Double] {
      let c = Formula.input("c", [1, point.count])
      return Program<Double>(
        parameters: embedding.parameters.map(\.formula), arguments: [c], outputs: [embedding(c)])(
          [Tensor([1, point.count], point)], parameters: values)[0].scalars
    }
    let known = values(classed)
    var shifted = values(plain)
    let table = known[4].scalars
    #expect(known[4].shape == [width, 2] && known.count == 5 && shifted.count == 4)
    shifted[3] = Tensor(
      [width], (0..<width).map { shifted[3].scalars[$0] + 1.5 * table[2 * $0 + 1] })
    let (found, expected) = (
      run(classed, known, [0.3, -0.2, 0.9, 0, 1.5, 0.7]),
      run(plain, shifted, [0.3, -0.2, 0.9, 0.7])
    )
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-12) }
  }

  @Test(arguments: [nil, 2] as [Int?], [false, true])
  func gradientsAgreeWithFiniteDifferences(headWidth: Int?, padsAllSides: Bool) {
    let network = Self.small(headWidth: headWidth, padsAllSides: padsAllSides)
    let (x, c) = (Formula.input("x", [2, 32]), Formula.input("c", [2, 6]))
    let loss = square(network(x, condition: c)).sum()
    let inputs = network.parameters.map(\.formula) + [x, c]
    let point: [Tensor<Double>] =
      Self.values(network) + [RandomKey(5).normal([2, 32]), RandomKey(6).normal([2, 6])]
    let slopes = Slopes(of: loss, by: inputs, at: point)
    #expect(slopes.agree(to: 1e-6), "\(slopes)")
  }

  /// With heads of one channel each, the weights of a pixel for another are exp(q k), channel by channel.
  @Test(arguments: [1, 2, 4])
  func headsAttendEachByItself(headWidth: Int) {
    let (channels, pixels) = (4, 6)
    let layer = ImageAttention("a", channels, groups: 2, headWidth: headWidth)
    let x = Formula.input("x", [2, 2, 3, channels])
    let values: [Tensor<Double>] = layer.parameters.enumerated().map {
      RandomKey(1).folded(UInt64($0)).normal($1.shape)
    }
    func run(_ result: Formula, _ point: Tensor<Double>) -> Tensor<Double> {
      Program<Double>(
        parameters: layer.parameters.map(\.formula), arguments: [x], outputs: [result])(
          [point], parameters: values)[0]
    }
    let point: Tensor<Double> = RandomKey(2).normal([2, 2, 3, channels])
    let found = run(layer(x), point)
    let normal = run(
      x.groupNorm(
        groups: 2, scale: layer.parameters[0].formula, shift: layer.parameters[1].formula), point)
    func mapped(_ map: Int, _ row: Int, _ input: (Int) -> Double) -> Double {
      let (weight, bias) = (values[2 + 2 * map], values[3 + 2 * map])
      return (0..<channels).reduce(bias.scalars[row]) {
        $0 + weight.scalars[row * channels + $1] * input($1)
      }
    }
    for image in 0..<2 {
      func at(_ tensor: Tensor<Double>, _ pixel: Int, _ channel: Int) -> Double {
        tensor.scalars[(image * pixels + pixel) * channels + channel]
      }
      func part(_ map: Int, _ pixel: Int, _ channel: Int) -> Double {
        mapped(map, channel) { at(normal, pixel, $0) }
      }
      for pixel in 0..<pixels {
        let sums = (0..<channels).map { channel in
          let head = channel / headWidth * headWidth..<(channel / headWidth + 1) * headWidth
          let weights = (0..<pixels).map { other in
            exp(
              head.reduce(0.0) { $0 + part(0, pixel, $1) * part(1, other, $1) }
                / Double(headWidth).squareRoot())
          }
          let total = weights.reduce(0, +)
          return (0..<pixels).reduce(0) { $0 + weights[$1] / total * part(2, $1, channel) }
        }
        for channel in 0..<channels {
          let expected = at(point, pixel, channel) + mapped(3, channel) { sums[$0] }
          #expect(abs(at(found, pixel, channel) - expected) < 1e-10)
        }
      }
    }
  }

  @Test func positionsAreThoseOfBothConventions() {
    let c = Formula.input("c", [1, 1])
    for (includesLast, ratio) in [(true, 2.0), (false, 3.0)] {
      let features = PositionalFeatures(frequencies: 3, includesLast: includesLast)(c)
      let found = Program<Double>(parameters: [], arguments: [c], outputs: [features])(
        [Tensor([1, 1], [0.7])], parameters: [])[0].scalars
      for place in 0..<3 {
        let angle = 0.7 * pow(10_000, -Double(place) / ratio)
        #expect(abs(found[place] - sin(angle)) < 1e-14)
        #expect(abs(found[place + 3] - cos(angle)) < 1e-14)
      }
    }
  }
}
