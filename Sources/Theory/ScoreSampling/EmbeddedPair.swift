/// A Runge–Kutta method with an estimate of its own local error, and so a step size.
///
/// The last stage lies at the step's end, with the method's weights for a row, and is the next step's first. The error is
/// h Σ e_i k_i; where a second, cruder estimate ẽ is given, the two make E²/√(E² + 0.01 Ẽ²) (Hairer, Nørsett & Wanner 1993,
/// II.10).
public struct EmbeddedPair: Sendable, Equatable {
  /// The method; its name is that of the pair.
  public let method: RungeKuttaTableau
  /// The exponent by which steps follow the error: the power of h in which it falls.
  public let errorOrder: Int
  /// The rows of all stages, the one at the step's end included.
  let stages: [[Double]]
  /// The places of all stages.
  let nodes: [Double]
  /// The error's weights.
  let errors: [Double]
  /// The weights of the cruder error, or none.
  let crudeErrors: [Double]
  /// The weights of the continuation's highest term, or none where cubic interpolation does.
  let continuation: [Double]
  /// The stages that what the step ends in, its errors or its continuation weigh: an integral of the states needs no others.
  let integralStages: Set<Int>

  init(
    _ method: RungeKuttaTableau, errorOrder: Int, errors: [Double], crudeErrors: [Double] = [],
    continuation: [Double] = []
  ) {
    self.method = method
    self.errorOrder = errorOrder
    self.errors = errors
    self.crudeErrors = crudeErrors
    self.continuation = continuation
    stages = method.stages + [method.weights]
    nodes = method.nodes + [1]
    let last = method.nodes.count
    let weights = [method.weights, errors, crudeErrors, continuation]
    integralStages = Set(
      (0...last).filter { stage in
        stage == 0 || stage == last || weights.contains { stage < $0.count && $0[stage] != 0 }
      })
  }

  /// The evaluations of a step.
  public var evaluationsPerStep: Int { nodes.count - 1 }

  /// All pairs.
  public static let all: [EmbeddedPair] = [
    .bogackiShampine, .dormandPrince, .tsitouras, .dormandPrince8,
  ]

  public static func == (a: EmbeddedPair, b: EmbeddedPair) -> Bool { a.method == b.method }
}

extension EmbeddedPair {
  /// Bogacki & Shampine 1989, of orders 3 and 2: three evaluations a step.
  public static let bogackiShampine = EmbeddedPair(
    RungeKuttaTableau(
      name: "bosh3", order: 3, nodes: [0, 0.5, 0.75], stages: [[], [0.5], [0, 0.75]],
      weights: [2.0 / 9, 1.0 / 3, 4.0 / 9]),
    errorOrder: 3, errors: [-5.0 / 72, 1.0 / 12, 1.0 / 9, -1.0 / 8])

  /// Tsitouras 2011, of orders 5 and 4: six evaluations a step.
  public static let tsitouras = EmbeddedPair(
    RungeKuttaTableau(
      name: "tsit5", order: 5, nodes: [0, 0.161, 0.327, 0.9, 0.9800255409045097, 1],
      stages: [
        [],
        [0.161],
        [-0.008480655492356989, 0.335480655492357],
        [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
        [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
        [
          5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401,
          -0.028269050394068383,
        ],
      ],
      weights: [
        0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081,
        2.324710524099774,
      ]),
    errorOrder: 5,
    errors: [
      -0.001780011052225777, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
      0.5823571654525552, -0.45808210592918697, 1.0 / 66,
    ])
}
