import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct PlanarTests {
  /// Integrals over the plane by the midpoint rule, which is exact to many digits for these smooth densities.
  struct Quadrature {
    /// ∫ p, ∫ p log p and ∫ p (log p)².
    let mass, meanLog, meanLogSquare: Double
    /// The probability of each cell of a board of `side` × `side` cells over the bounds.
    let cells: [Double]

    init(_ density: any PlanarDensity, side: Int, perCell: Int) {
      let bounds = density.bounds
      let count = side * perCell
      let stepX = (bounds.x.upperBound - bounds.x.lowerBound) / Double(count)
      let stepY = (bounds.y.upperBound - bounds.y.lowerBound) / Double(count)
      var moments = (0.0, 0.0, 0.0)
      var cells = [Double](repeating: 0, count: side * side)
      for row in 0..<count {
        for column in 0..<count {
          let log = density.logDensity(
            bounds.x.lowerBound + stepX * (Double(column) + 0.5),
            bounds.y.lowerBound + stepY * (Double(row) + 0.5))
          guard log > -700 else { continue }
          let mass = exp(log) * stepX * stepY
          moments.0 += mass
          moments.1 += mass * log
          moments.2 += mass * log * log
          cells[row / perCell * side + column / perCell] += mass
        }
      }
      (mass, meanLog, meanLogSquare) = moments
      self.cells = cells
    }
  }

  @Test(arguments: PlanarSet.allCases)
  func theDensityIntegratesToOneAndTheSamplesFollowIt(set: PlanarSet) {
    let density = set.density()
    let quadrature = Quadrature(density, side: 16, perCell: set == .pinwheel ? 16 : 6)
    #expect(abs(quadrature.mass - 1) < 2e-6, "mass \(quadrature.mass)")

    // The mean of log p(x) over samples is normal around −entropy: 5 standard errors, one false alarm in 2 million.
    let count = 40_000
    let points = density.points(count, key: RandomKey(11), samples: .consecutive(first: 0))
    let mean = density.logDensity(points).reduce(0, +) / Double(count)
    let variance = max(0, quadrature.meanLogSquare - quadrature.meanLog * quadrature.meanLog)
    let error = (variance / Double(count)).squareRoot() + 1e-6
    #expect(
      abs(mean - quadrature.meanLog) < 5 * error, "\(mean) vs \(quadrature.meanLog) ± \(error)")

    // χ² over a board; cells that expect fewer than 8 points are put together. (χ² − k) / √2k above 6 is a false alarm
    // less than once in a hundred thousand.
    var observed = [Double](repeating: 0, count: quadrature.cells.count)
    let bounds = density.bounds
    for i in 0..<count {
      let x = (points[i, 0] - bounds.x.lowerBound) / (bounds.x.upperBound - bounds.x.lowerBound)
      let y = (points[i, 1] - bounds.y.lowerBound) / (bounds.y.upperBound - bounds.y.lowerBound)
      guard 0..<1 ~= x, 0..<1 ~= y else { continue }
      observed[Int(y * 16) * 16 + Int(x * 16)] += 1
    }
    var square = 0.0
    var used = 0
    var rest = (expected: 0.0, observed: 0.0)
    for (mass, observed) in zip(quadrature.cells, observed) {
      let expected = mass * Double(count)
      if expected < 8 {
        rest = (rest.expected + expected, rest.observed + observed)
      } else {
        square += (observed - expected) * (observed - expected) / expected
        used += 1
      }
    }
    if rest.expected >= 8 {
      square += (rest.observed - rest.expected) * (rest.observed - rest.expected) / rest.expected
      used += 1
    }
    let freedom = Double(used - 1)
    #expect(abs(square - freedom) / (2 * freedom).squareRoot() < 6, "χ² \(square) for \(freedom)")
  }

  /// log p by 25-digit adaptive quadrature of the defining integral, elsewhere.
  @Test(arguments: [
    (PlanarSet.moons, 0.1, 0.2, -7.932543626795183), (.moons, -0.65, 0.9, -0.9673456450244536),
    (.moons, 1.5, -0.3, -3.611379765731154), (.moons, 3.0, -2.5, -283.1863507155984),
    (.spirals, 0.1, 0.2, -1.454038397269219), (.spirals, -0.65, 0.9, -6.998200391352592),
    (.spirals, 1.5, -0.3, -1.060252604726217), (.spirals, 3.0, -2.5, -623.0348919009656),
    (.swissRoll, 0.1, 0.2, -62.62677377695488), (.swissRoll, -0.65, 0.9, -1.455330076046978),
    (.swissRoll, 1.5, -0.3, -5.90597503350296), (.swissRoll, 3.0, -2.5, -505.371319545101),
    // For circles, by Bessel's function: exp(−(r² + R²) / 2σ²) I₀(r R / σ²) / 2πσ².
    (.circles, 0.8, 0, -0.9222654974669837), (.circles, 1.1, -0.4, -7.975033408945762),
    (.circles, 0, 0, -29.9258540609812), (.circles, -2, 0.1, -6.334787187200375),
  ])
  func curvesAreIntegratedToTenDigits(set: PlanarSet, x: Double, y: Double, expected: Double) {
    let value = set.density().logDensity(x, y)
    let tolerance = expected > -100 ? 1e-10 * max(1, abs(expected)) : 1e-4
    #expect(abs(value - expected) < tolerance, "\(value - expected)")
  }

  @Test func mixturesAndBoardsHaveTheirClosedForms() {
    let ring = PlanarMixture.ring(count: 2, radius: 1, deviation: 0.5)
    #expect(abs(ring.logDensity(0.9, 0) - log((exp(-0.02) + exp(-7.22)) / (.pi))) < 1e-12)
    #expect(abs(ring.logDensity(0.8, 0) - log((exp(-0.08) + exp(-6.48)) / .pi)) < 1e-12)
    let board = Checkerboard()
    #expect(board.logDensity(-1.5, -1.5) == -log(8.0))
    #expect(board.logDensity(-0.5, -1.5) == -.infinity)
    #expect(board.logDensity(2.5, 0.5) == -.infinity && board.logDensity(.nan, 0) == -.infinity)
  }

  /// Points of one blade, turned back by their distance from the middle, are the normal numbers that they were made of.
  @Test func bladesAreTwistedByTheDistanceFromTheMiddle() {
    let blade = Pinwheel(blades: 1, radius: 1, lengthDeviation: 0.2, widthDeviation: 0.5, twist: 2)
    let key = RandomKey(3)
    let points = blade.points(50, key: key, samples: .consecutive(first: 0))
    let numbers: Tensor<Double> = key.folded("noise").normal([50, 2])
    for row in 0..<50 {
      let square = numbers.row(row).reduce(0) { $0 + $1 * $1 }
      let expected = -0.5 * square - log(2 * .pi * 0.2 * 0.5)
      #expect(abs(blade.logDensity(points[row, 0], points[row, 1]) - expected) < 1e-9)
    }
  }

  @Test(arguments: PlanarSet.allCases)
  func rowsDependOnTheirIndexAlone(set: PlanarSet) {
    let density = set.density()
    let key = RandomKey(5)
    let whole: Tensor<Float> = density.sample(300, key: key)
    let part: Tensor<Float> = density.sample(3, key: key, samples: .explicit([200, 7, 299]))
    #expect(part == whole.rows([200, 7, 299]))
    let doubles: Tensor<Double> = density.sample(300, key: key)
    #expect(Tensor<Float>(doubles) == whole)
  }

  @Test(arguments: PlanarSet.allCases)
  func theSpreadIsAboutOne(set: PlanarSet) {
    let points = set.density().points(20_000, key: RandomKey(6), samples: .consecutive(first: 0))
    for axis in 0..<2 {
      let values = (0..<points.rows).map { points[$0, axis] }
      let mean = values.reduce(0, +) / Double(values.count)
      let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
      #expect(abs(mean) < 0.4 && 0.6...1.4 ~= square.squareRoot(), "\(mean), \(square)")
    }
  }

  /// The part of a set that a point lies nearest to, by the set's geometry; nil where that is not clear.
  private static func part(_ set: PlanarSet, _ x: Double, _ y: Double) -> Int? {
    let turn = 2 * Double.pi
    func sector(_ angle: Double, of count: Int) -> Int {
      let place = Int((angle / turn * Double(count)).rounded())
      return (place % count + count) % count
    }
    switch set {
    case .moons:
      return y > 0.75 ? 0 : y < -0.75 ? 1 : nil
    case .circles: return hypot(x, y) > 1.25 ? 0 : 1
    case .spirals:
      let distance = hypot(x, y)
      return distance > 1 ? sector(atan2(y, x) - turn * 1.25 * distance / 2, of: 2) : nil
    case .pinwheel:
      let distance = hypot(x, y)
      return distance > 1 ? sector(atan2(y, x) - distance, of: 5) : nil
    case .ring: return sector(atan2(y, x), of: 8)
    case .grid: return Int((y / 0.8).rounded()) * 5 + Int((x / 0.8).rounded()) + 12
    case .swissRoll, .checkerboard: return nil
    }
  }

  /// Which moon, circle, arm, blade or centre; noise is below five of its deviations but once in a million times.
  @Test(arguments: [
    (PlanarSet.moons, 2), (.circles, 2), (.spirals, 2), (.pinwheel, 5), (.ring, 8), (.grid, 25),
    (.swissRoll, 0), (.checkerboard, 0),
  ])
  func pointsHaveTheClassOfThePartThatTheyLieOn(set: PlanarSet, classes: Int) throws {
    let data: Dataset<Double> = try DataSource("\(set.rawValue):count=2000").load()
    guard classes > 0 else {
      #expect(data.labels == nil)
      return
    }
    let labels = try #require(data.labels)
    // Half of a class's share is more than four deviations below it.
    #expect((0..<classes).allSatisfy { k in labels.count { $0 == k } > 1000 / classes })
    #expect(labels.allSatisfy((0..<classes).contains))
    var checked = 0
    for (row, label) in labels.enumerated() {
      guard let part = Self.part(set, data.samples[row, 0], data.samples[row, 1]) else { continue }
      #expect(part == label, "\(set), row \(row)")
      checked += 1
    }
    #expect(checked > 600)
    #expect(
      set.density().labels(3, key: RandomKey(5), samples: .explicit([200, 7, 299]))
        == set.density().labels(300, key: RandomKey(5), samples: .consecutive(first: 0)).map {
          all in
          [200, 7, 299].map { all[$0] }
        })
  }

  /// A curve of one's own is given as a function, which may have no value.
  @Test func curvesThatAreNowhereOrEndlessAreRefused() throws {
    func refused(_ position: @escaping @Sendable (Double) -> (x: Double, y: Double)) -> DataError? {
      let fine = PlanarCurve.Strand { t in (t, 0) }
      return #expect(throws: DataError.self) {
        try PlanarCurve(strands: [fine, .init(position: position)], deviation: 0.1)
      }
    }
    let nowhere = refused { t in (1, t > 0.5 ? .nan : t) }
    #expect(nowhere?.kind == .notFinite, "\(nowhere!)")
    #expect(nowhere?.description.contains("strand 1 is at (1.0, nan) for t = 0.50390625") == true)
    #expect(refused { t in (t < 1 ? 0 : .infinity, 0) }?.kind == .notFinite)
    let endless = refused { t in (1e30 * t, 0) }
    #expect(endless?.kind == .outOfRange && endless?.message.contains("strand 1") == true)
    #expect(throws: DataError.self) { try PlanarCurve(strands: [], deviation: 0.1) }
    #expect(throws: DataError.self) {
      try PlanarCurve(strands: [.init { t in (t, t) }], deviation: 1e-5)
    }
    let line = try PlanarCurve(strands: [.init { t in (t, 0) }], deviation: 0.1)
    #expect(abs(line.logDensity(0.5, 0.1) - log(10 / (2 * .pi).squareRoot()) + 0.5) < 1e-5)
  }

  @Test func gridsShowTheDensityFromTheSmallestOrdinate() {
    let density = PlanarMixture(centers: [(1, 2)], deviation: 0.5)
    let grid = density.grid(columns: 4, rows: 2)
    #expect(grid.count == 8)
    let stepX = (density.bounds.x.upperBound - density.bounds.x.lowerBound) / 4
    let x = density.bounds.x.lowerBound + 1.5 * stepX
    let y = density.bounds.y.lowerBound * 0.75 + density.bounds.y.upperBound * 0.25
    #expect(abs(grid[1] - exp(density.logDensity(x, y))) < 1e-15)
  }
}
