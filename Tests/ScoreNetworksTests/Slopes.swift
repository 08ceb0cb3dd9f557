import ScoreAutodiff
import ScoreTensors

/// How fast a number changes along a direction that is drawn.
struct Slopes {
  /// By its gradient.
  let gradient: Double
  /// By differences of fourth order.
  let differences: Double

  /// - Parameters:
  ///   - loss: one number.
  ///   - inputs: all that it is a formula of.
  ///   - point: their values.
  init(of loss: Formula, by inputs: [Formula], at point: [Tensor<Double>]) {
    let program = Program<Double>(
      arguments: inputs, outputs: [loss] + ScoreAutodiff.gradient(of: loss, withRespectTo: inputs)
    ).bind([])
    let direction = point.enumerated().map { index, tensor in
      RandomKey(7).folded(UInt64(index)).normal(tensor.shape) as Tensor<Double>
    }
    func value(_ step: Double) -> Double {
      program(zip(point, direction).map { $0 + step * $1 })[0].scalars[0]
    }
    let h = 1e-4
    differences = (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h)
    gradient = zip(program(point).dropFirst(), direction).reduce(0.0) {
      $0 + zip($1.0.scalars, $1.1.scalars).reduce(0) { $0 + $1.0 * $1.1 }
    }
  }

  /// Whether they agree, to a share of their size.
  func agree(to share: Double) -> Bool {
    abs(gradient - differences) < share * (1 + abs(differences))
  }
}
