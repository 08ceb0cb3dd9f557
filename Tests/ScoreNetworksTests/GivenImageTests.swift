import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Testing

/// U-Nets with an image given beside each sample.
@Suite struct GivenImageTests {
  enum Kind: CaseIterable, Sendable {
    case images, series, ddpm, ncsn

    var image: Shape { self == .series ? [1, 8, 2] : [4, 8, 2] }

    func network(givenChannels: Int) -> any Network {
      let conditions = 6 + image[0] * image[1] * givenChannels
      if self == .ncsn {
        var sizes = NCSNPlusPlus.Configuration()
        (sizes.widths, sizes.attention) = ([4, 8], [false, true])
        (sizes.blocks, sizes.givenChannels) = (1, givenChannels)
        return NCSNPlusPlus(image: image, conditions: conditions, sizes)
      }
      if self == .ddpm {
        var sizes = DDPMUNet.Configuration()
        (sizes.widths, sizes.attention) = ([4, 8], [false, true])
        (sizes.blocks, sizes.groups, sizes.givenChannels) = (1, 2, givenChannels)
        return DDPMUNet(image: image, conditions: conditions, sizes)
      }
      var sizes = UNet.Configuration()
      (sizes.channels, sizes.multipliers, sizes.groups) = (4, [1, 2], 2)
      sizes.givenChannels = givenChannels
      return UNet(image: image, conditions: conditions, sizes)
    }
  }

  /// Parameters drawn by their names, so that those of two networks that have names in common are the same; V is W.
  private static func values(_ network: any Network) -> [Tensor<Double>] {
    network.parameters.map { parameter in
      let name = parameter.name == "given.weight" ? "input.weight" : parameter.name
      return 0.3 * RandomKey(4).folded(name).normal(parameter.shape)
    }
  }

  private static func results(
    _ network: any Network, _ x: Tensor<Double>, _ c: Tensor<Double>
  ) -> Tensor<Double> {
    let (inputs, conditions) = (Formula.input("x", x.shape), Formula.input("c", c.shape))
    return Program<Double>(
      parameters: network.parameters.map(\.formula), arguments: [inputs, conditions],
      outputs: [network(inputs, condition: conditions)]
    )([x, c], parameters: values(network))[0]
  }

  /// With one filter for both, h₀ is that of the sum of sample and image; NCSN++ takes the sample at other levels too.
  @Test(arguments: Kind.allCases)
  func theImageIsConvolvedBesideTheSample(kind: Kind) {
    let size = kind.image.count
    let (x, y): (Tensor<Double>, Tensor<Double>) = (
      RandomKey(1).normal([3, size]), RandomKey(2).normal([3, size])
    )
    let time: Tensor<Double> = RandomKey(3).normal([3, 6])
    let condition = Tensor<Double>([3, 6 + size], (0..<3).flatMap { time.row($0) + y.row($0) })
    let network = kind.network(givenChannels: 2)
    let found = Self.results(network, x, condition)
    if kind != .ncsn {
      let expected = Self.results(kind.network(givenChannels: 0), x + y, time)
      for (a, b) in zip(found.scalars, expected.scalars) {
        #expect(abs(a - b) < 1e-12 * (1 + abs(b)))
      }
    }
    // One image for all samples is each one's.
    let first = condition.rows([0])
    #expect(found.rows([1]) != Self.results(network, x.rows([1]), first))
    let all = Self.results(network, x, first)
    for row in 0..<3 {
      #expect(all.rows([row]) == Self.results(network, x.rows([row]), first))
    }
  }

  @Test func gradientsAgreeWithFiniteDifferences() {
    let network = Kind.images.network(givenChannels: 1)
    let (x, c) = (Formula.input("x", [2, 64]), Formula.input("c", [2, 38]))
    let slopes = Slopes(
      of: square(network(x, condition: c)).sum(),
      by: network.parameters.map(\.formula) + [x, c],
      at: Self.values(network) + [RandomKey(5).normal([2, 64]), RandomKey(6).normal([2, 38])])
    #expect(slopes.agree(to: 1e-6), "\(slopes)")
  }
}
