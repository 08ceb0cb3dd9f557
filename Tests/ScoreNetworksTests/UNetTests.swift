import Foundation
import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Testing

@Suite struct UNetTests {
  private static func small(attention: Bool = false, blocks: Int = 1) -> UNet {
    var configuration = UNet.Configuration()
    configuration.channels = 8
    configuration.attention = attention
    configuration.blocks = blocks
    return UNet(image: [8, 8, 1], conditions: 32, configuration)
  }

  /// The reference's waves: see `Tests/Scripts/unet_reference.py`.
  private static func wave(_ k: Int, _ shape: Shape, _ deviation: Double) -> Tensor<Double> {
    Tensor(
      shape, (0..<shape.count).map { deviation * sin(1.3 * Double(k) + 0.71 * Double($0)) })
  }

  private static func values(_ network: UNet) -> [Tensor<Double>] {
    network.parameters.enumerated().map { k, parameter in
      let shape = parameter.shape
      switch shape.rank {
      case 4: return wave(k, shape, 1 / Double(shape[0] * shape[1] * shape[2]).squareRoot())
      case 2: return wave(k, shape, 1 / Double(shape[1]).squareRoot())
      default:
        let isScale = parameter.name.contains("norm") && parameter.name.hasSuffix("weight")
        return wave(k, shape, 0.2).map { $0 + (isScale ? 1 : 0) }
      }
    }
  }

  private static var condition: Tensor<Double> {
    let angles = [0.2, 0.7].map { t in (1...16).map { 2 * Double.pi * t * 0.3 * Double($0) } }
    return Tensor([2, 32], angles.flatMap { row in row.map { sin($0) } + row.map { cos($0) } })
  }

  @Test func resultsAndGradientsAreThoseOfPyTorch() {
    let network = Self.small()
    let (x, c) = (Formula.input("x", [2, 64]), Formula.input("c", [2, 32]))
    let y = network(x, condition: c)
    let inputs = network.parameters.map(\.formula)
    let gradients = gradient(of: (0.5 * square(y)).sum(), withRespectTo: inputs + [x])
    let program = Program<Double>(arguments: inputs + [x, c], outputs: [y] + gradients)
    let found = program(Self.values(network) + [Self.wave(100, [2, 64], 1), Self.condition])
    func expectClose(_ found: [Double], _ expected: [Double], _ name: String) {
      #expect(found.count == expected.count)
      for (a, b) in zip(found, expected) {
        #expect(abs(a - b) <= 1e-9 * (1 + abs(b)), "\(name)")
      }
    }
    func sixteenths(_ tensor: Tensor<Double>) -> [Double] {
      stride(from: 0, to: tensor.count, by: 16).map { tensor.scalars[$0] }
    }
    expectClose(sixteenths(found[0]), UNetReference.output, "output")
    expectClose(sixteenths(found[found.count - 1]), UNetReference.inputGradient, "input")
    let slopes = found.dropFirst().dropLast().map { gradient in
      gradient.scalars.enumerated().reduce(0.0) { $0 + $1.element * cos(0.37 * Double($1.offset)) }
    }
    expectClose(slopes, UNetReference.slopes, "parameters")
  }

  @Test func theUsualNetworkHasThePeersParameters() {
    let network = UNet(image: [28, 28, 1], conditions: 128)
    #expect(network.parameters.reduce(0) { $0 + $1.shape.count } == 503_617)
    #expect(Set(network.parameters.map(\.name)).count == network.parameters.count)
  }

  @Test(arguments: [false, true], [1, 2])
  func networksStartAsTheZeroFunction(attention: Bool, blocks: Int) {
    let network = Self.small(attention: attention, blocks: blocks)
    let (x, c) = (Formula.input("x", [3, 64]), Formula.input("c", [1, 32]))
    let drawn = Parameters<Double>(drawing: network.parameters, key: RandomKey(1))
    let program = Program<Double>(
      parameters: network.parameters.map(\.formula), arguments: [x, c],
      outputs: [network(x, condition: c)])
    let found = program(
      [RandomKey(2).normal([3, 64]), RandomKey(3).normal([1, 32])], parameters: drawn.tensors)
    #expect(found == [Tensor([3, 64])])
  }

  @Test(arguments: [false, true])
  func gradientsAgreeWithFiniteDifferences(attention: Bool) {
    let network = Self.small(attention: attention, blocks: 2)
    let (x, c) = (Formula.input("x", [2, 64]), Formula.input("c", [2, 32]))
    let loss = square(network(x, condition: c)).sum()
    let inputs = network.parameters.map(\.formula) + [x, c]
    let point: [Tensor<Double>] =
      Self.values(network) + [RandomKey(5).normal([2, 64]), Self.condition]
    let slopes = Slopes(of: loss, by: inputs, at: point)
    #expect(slopes.agree(to: 1e-6), "\(slopes)")
  }

  @Test func oneConditionForAllImagesGivesTheBitsOfARepeatedOne() {
    let network = Self.small(attention: true)
    func run(_ rows: Int, _ condition: Tensor<Float>) -> Tensor<Float> {
      let (x, c) = (Formula.input("x", [5, 64]), Formula.input("c", [rows, 32]))
      return Program<Float>(
        parameters: network.parameters.map(\.formula), arguments: [x, c],
        outputs: [network(x, condition: c)])(
          [RandomKey(8).normal([5, 64]), condition],
          parameters: Self.values(network).map { Tensor<Float>($0) })[0]
    }
    let one: Tensor<Float> = RandomKey(9).normal([1, 32])
    #expect(run(1, one) == run(5, one.rows([0, 0, 0, 0, 0])))
  }
}
