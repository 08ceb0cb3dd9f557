import Foundation
import ScoreProcesses

/// A search for the best places of a grid's inner knots, from wide moves to narrow ones.
///
/// Each knot in turn is moved to either side, and its neighbours with it by the shape of a hat, eight knots wide to each
/// side at first, then four, two and one. A move that lowers the loss stays and lengthens the knot's next one, two that do
/// not halve it. Knots keep a tenth of the mean gap between them.
struct KnotSearch {
  /// How often each knot has its turn in narrow moves; half as often in each of the wider.
  var sweeps: Int
  /// The trials after which the search ends.
  var maxTrials = 400

  /// Improves falling knots, whose ends stay, or whose last stays and first rises to `highest` at most where that is given.
  ///
  /// `lowerLoss` is told the first knot that a trial moved from the best knots so far, their loss and the part of the search
  /// that is done, and gives the trial's loss where it is lower.
  func improve(
    _ knots: [Double], loss initial: Double, highest: Double? = nil,
    _ lowerLoss: (_ knots: [Double], _ moved: Int, _ than: Double, _ done: Double) throws -> Double?
  ) rethrows {
    let count = knots.count - 1
    let first = highest == nil ? 1 : 0
    guard count > first else { return }
    let mean = (knots[0] - knots[count]) / Double(count)
    let allTurns = turns(count, from: first)
    var (knots, loss, trials, turn) = (knots, initial, 0, 0)
    for width in Self.widths where width < count {
      var lengths = [Double](
        repeating: width == 1 ? min(0.3, 0.5 * mean) : 0.5 * mean, count: count)
      for _ in 0..<rounds(width) {
        for place in stride(from: first, to: count, by: Self.spacing(width)) {
          var improved = false
          for side in [1.0, -1] where !improved {
            let moved = max(first, place - width + 1)
            let trial = Self.moved(
              knots, from: moved, at: place, by: side * lengths[place], width: width)
            guard zip(trial, trial.dropFirst()).allSatisfy({ $0 - $1 > 0.1 * mean }),
              trial[0] <= highest ?? knots[0]
            else { continue }
            guard trials < maxTrials else { return }
            // It ends after all turns or all trials, whichever are first.
            let done = max(
              Double(turn) / Double(allTurns), Double(trials) / Double(maxTrials))
            trials += 1
            if let lower = try lowerLoss(trial, moved, loss, done) {
              (knots, loss, improved) = (trial, lower, true)
            }
          }
          lengths[place] *= improved ? 1.3 : 0.5
          turn += 1
        }
      }
    }
  }

  /// The most trials that the knots of `steps` steps come to, from the first that moves on: two a turn.
  func mostTrials(_ steps: Int, from first: Int) -> Int {
    min(maxTrials, 2 * turns(steps, from: first))
  }

  private func turns(_ steps: Int, from first: Int) -> Int {
    Self.widths.filter { $0 < steps }.reduce(0) {
      $0 + rounds($1) * ((steps - first + Self.spacing($1) - 1) / Self.spacing($1))
    }
  }

  private func rounds(_ width: Int) -> Int { width == 1 ? sweeps : (sweeps + 1) / 2 }

  private static let widths = [8, 4, 2, 1]

  private static func spacing(_ width: Int) -> Int { max(1, width / 2) }

  private static func moved(
    _ knots: [Double], from first: Int, at place: Int, by length: Double, width: Int
  ) -> [Double] {
    var knots = knots
    for other in first..<min(knots.count - 1, place + width) {
      knots[other] += length * (1 - Double(abs(other - place)) / Double(width))
    }
    return knots
  }

  /// Knots to start from: Karras's for several ρ, from steps that crowd at the data to steps even in log(σ/α).
  static func candidates(from high: Double, to low: Double, steps: Int) -> [[Double]] {
    let fractions = (0...steps).map { Double($0) / Double(steps) }
    return [3.0, 7, 20].map { rho in
      fractions.map { TimeGrid.karrasLevel(from: high, to: low, $0, rho: rho) }
    } + [fractions.map { TimeGrid.evenLevel(from: high, to: low, $0) }]
  }
}

extension LinearProcess {
  /// The grid whose steps join the times where log(σ/α) has the given values, with exact ends.
  func grid(_ knots: [Double], from start: Double, to end: Double) throws -> TimeGrid {
    try TimeGrid(
      times: knots.indices.map {
        $0 == 0
          ? start
          : $0 == knots.count - 1
            ? end : time(logNoiseRatio: knots[$0], between: end, and: start)
      })
  }
}
