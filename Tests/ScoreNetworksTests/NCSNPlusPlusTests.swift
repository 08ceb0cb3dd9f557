import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Testing

/// The network NCSN++. That its results are PyTorch's is a test of published models.
@Suite struct NCSNPlusPlusTests {
  private static func small(headWidth: Int? = nil) -> NCSNPlusPlus {
    var configuration = NCSNPlusPlus.Configuration()
    configuration.widths = [8, 16]
    configuration.attention = [true, false]
    configuration.blocks = 1
    configuration.headWidth = headWidth
    return NCSNPlusPlus(image: [4, 2, 2], conditions: 6, classes: 4..<6, configuration)
  }

  /// As many as in models of 256 × 256 pixels that are published.
  @Test func theNetworkFor256HasThePublishedParameters() {
    let network = NCSNPlusPlus(image: [256, 256, 3], conditions: 256)
    // And 128 frequencies.
    #expect(network.parameters.reduce(128) { $0 + $1.shape.count } == 65_574_549)
    #expect(Set(network.parameters.map(\.name)).count == network.parameters.count)
  }

  @Test func networksStartAsTheZeroFunction() {
    let network = Self.small()
    let (x, c) = (Formula.input("x", [3, 16]), Formula.input("c", [1, 6]))
    let drawn = Parameters<Double>(drawing: network.parameters, key: RandomKey(1))
    let program = Program<Double>(
      parameters: network.parameters.map(\.formula), arguments: [x, c],
      outputs: [network(x, condition: c)])
    let found = program(
      [RandomKey(2).normal([3, 16]), RandomKey(3).normal([1, 6])], parameters: drawn.tensors)
    #expect(found == [Tensor([3, 16])])
  }

  @Test(arguments: [nil, 2] as [Int?])
  func gradientsAgreeWithFiniteDifferences(headWidth: Int?) {
    let network = Self.small(headWidth: headWidth)
    let (x, c) = (Formula.input("x", [2, 16]), Formula.input("c", [2, 6]))
    let loss = square(network(x, condition: c)).sum()
    let inputs = network.parameters.map(\.formula) + [x, c]
    let values: [Tensor<Double>] = network.parameters.enumerated().map { place, parameter in
      let drawn: Tensor<Double> = RandomKey(4).folded(UInt64(place)).normal(parameter.shape)
      return drawn.map { 0.2 * $0 + (parameter.name.hasSuffix("norm.weight") ? 1 : 0) }
    }
    let slopes = Slopes(
      of: loss, by: inputs,
      at: values + [RandomKey(5).normal([2, 16]), RandomKey(6).normal([2, 6])])
    #expect(slopes.agree(to: 1e-5), "\(slopes)")
  }

  /// The sums by which filtered images are defined, with zeros about them.
  @Test func imagesAreFilteredByOneThreeThreeOne() {
    let (height, width, channels) = (6, 4, 2)
    let image: Tensor<Double> = RandomKey(7).normal([3, height, width, channels])
    func pixel(_ n: Int, _ row: Int, _ column: Int, _ channel: Int) -> Double {
      guard (0..<height).contains(row), (0..<width).contains(column) else { return 0 }
      return image.scalars[((n * height + row) * width + column) * channels + channel]
    }
    let x = Formula.input("x", image.shape)
    let outputs = Program<Double>(
      parameters: [], arguments: [x], outputs: [Resampling.half(x), Resampling.double(x)])(
        [image], parameters: [])
    #expect(outputs[0].shape == [3, 3, 2, 2] && outputs[1].shape == [3, 12, 8, 2])
    let half: [(Int, Double)] = [(-1, 1 / 8), (0, 3 / 8), (1, 3 / 8), (2, 1 / 8)]
    func doubled(_ place: Int) -> [(Int, Double)] {
      [(place / 2, 3 / 4), (place / 2 + (place % 2 == 0 ? -1 : 1), 1 / 4)]
    }
    for (output, taps) in [
      (outputs[0], { (place: Int) in half.map { (2 * place + $0.0, $0.1) } }),
      (outputs[1], doubled),
    ] {
      var entry = 0
      for n in 0..<3 {
        for row in 0..<output.shape[1] {
          for column in 0..<output.shape[2] {
            for channel in 0..<channels {
              let expected = taps(row).reduce(0.0) { sum, down in
                taps(column).reduce(sum) {
                  $0 + down.1 * $1.1 * pixel(n, down.0, $1.0, channel)
                }
              }
              #expect(abs(output.scalars[entry] - expected) < 1e-14)
              entry += 1
            }
          }
        }
      }
    }
  }
}
