import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct StandardizationTests {
  /// Columns 1, 2, 3, 4 and 10 times that less 1000.
  static let table = Tensor<Double>([4, 2], [1, -990, 2, -980, 3, -970, 4, -960])

  @Test func columnsAndTheWholeHaveTheirOwnMoments() throws {
    let columns = try Standardization(of: Self.table, by: .columns)
    #expect(columns.grouping(of: [2]) == .columns && columns.means == [2.5, -975])
    // The variance of 1 … n about its mean is (n² − 1)/12.
    #expect(columns.deviations == [(1.25).squareRoot(), (125.0).squareRoot()])
    #expect(abs(columns.logVolume(dimensions: 2) - 0.5 * log(1.25 * 125)) < 1e-15)

    let whole = try Standardization(of: Self.table, by: .whole)
    // Between columns that lie 977.5 apart there is a quarter of that squared.
    let variance = (1.25 + 125) / 2 + 977.5 * 977.5 / 4
    #expect(whole.grouping(of: [2]) == .whole && whole.means == [-486.25])
    #expect(abs(whole.deviations[0] - variance.squareRoot()) < 1e-10)
    #expect(abs(whole.logVolume(dimensions: 7) - 3.5 * log(variance)) < 1e-12)
  }

  @Test(arguments: Standardization.Grouping.allCases)
  func standardizedDataHaveMeanZeroAndDeviationOneAndComeBack(
    grouping: Standardization.Grouping
  ) throws {
    let normal: Tensor<Double> = RandomKey(1).normal([500, 2, 3])
    let raw = normal.map { 300 + 1e-3 * $0 * $0 }
    let map = try Standardization(of: raw, by: grouping)
    let model = map.standardized(raw)
    let again = try Standardization(of: model, by: grouping)
    let counts: [Standardization.Grouping: Int] = [.columns: 6, .whole: 1, .channels: 3]
    #expect(map.means.count == counts[grouping] && model.shape == raw.shape)
    #expect(map.grouping(of: [2, 3]) == grouping && map.fits([2, 3]))
    #expect(again.means.allSatisfy { abs($0) < 1e-9 })
    #expect(again.deviations.allSatisfy { abs($0 - 1) < 1e-9 })
    let back = map.restored(model)
    #expect(zip(back.scalars, raw.scalars).allSatisfy { abs($0 - $1) <= 2 * $1.ulp })
    // Single numbers are mapped in Double and rounded once.
    let single = map.standardized(Tensor<Float>(raw))
    let expected = map.standardized(Tensor<Double>(Tensor<Float>(raw)))
    #expect(single == Tensor<Float>(expected))
  }

  /// Two channels 1, 2 and 3, 4 at two times, and ten times that.
  @Test func channelsHaveMomentsOfTheirOwn() throws {
    let raw = Tensor<Double>([1, 4, 2], [1, 10, 2, 20, 3, 30, 4, 40])
    let map = try Standardization(of: raw, by: .channels)
    #expect(map.means == [2.5, 25])
    #expect(map.deviations == [(1.25).squareRoot(), (125.0).squareRoot()])
    #expect(map.standardized(raw)[0, 3, 1] == 15 / (125.0).squareRoot())
    #expect(abs(map.logVolume(dimensions: 8) - 2 * log(1.25 * 125)) < 1e-12)
    #expect(map.fits([7, 2]) && !map.fits([7, 3]) && !map.fits([4]))
    // Samples of one axis are a channel.
    #expect(try Standardization(of: Self.table, by: .channels).means == [-486.25])
  }

  @Test func constantColumnsKeepTheirUnit() throws {
    let map = try Standardization(
      of: Tensor<Double>([3, 2], [0.1, 1, 0.1, 2, 0.1, 3]), by: .columns)
    #expect(map.deviations[0] == 1 && abs(map.means[0] - 0.1) < 1e-16)
    #expect(map.deviations[1] == (2.0 / 3).squareRoot())
    // However many there are, whose sum is off.
    let many = try Standardization(
      of: Tensor<Double>([100_000, 1], Array(repeating: 3.7, count: 100_000)), by: .columns)
    #expect(many.means == [3.7] && many.deviations == [1])
  }

  @Test func entriesWhoseSquaresOverflowAreNamed() throws {
    let raw = Tensor<Double>([2, 2], [0, 0, 0, 1e200])
    let error = try #require(throws: DataError.self) {
      try Standardization(of: raw, by: .columns, name: "big.csv")
    }
    #expect(error.kind == .notFinite && error.place == "big.csv")
    #expect(error.message.contains("column 2"))
  }

  /// Numbers that differ by their rounding alone have no deviation to be divided by.
  @Test func constantsButForRoundingKeepTheirUnit() throws {
    let raw = Tensor<Double>([2, 1], [0.3, 0.1 + 0.2])
    #expect(raw[0, 0] != raw[1, 0])
    #expect(try Standardization(of: raw, by: .columns).deviations == [1])
  }

  @Test func entriesThatAreNoNumbersOrNotThereAreNamed() throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      let raw = Tensor<Double>([2, 2], [0, 0, 0, bad])
      for (grouping, place) in [(Standardization.Grouping.columns, " of column 2"), (.whole, "")] {
        let error = try #require(throws: DataError.self) {
          try Standardization(of: raw, by: grouping)
        }
        #expect(error.kind == .notFinite)
        #expect(
          error.message == "some entries\(place) are NaN or infinite; expected finite numbers")
      }
    }
    for shape in [[0, 2], [2, 0]] as [Shape] {
      let error = try #require(throws: DataError.self) {
        try Standardization(of: Tensor<Double>(shape), by: .columns)
      }
      #expect(error.kind == .empty && error.message.contains("\(shape)"))
    }
  }

  @Test func mapsAreKeptToTheBitInText() throws {
    let map = try Standardization(of: Self.table.map { $0 / 3 }, by: .columns)
    let text = try JSONEncoder().encode(map)
    #expect(try JSONDecoder().decode(Standardization.self, from: text) == map)
    for bad in [
      #"{"means": [0], "deviations": [0]}"#, #"{"means": [0, 1], "deviations": [1]}"#,
      #"{"means": [], "deviations": []}"#, #"{"means": [0], "deviations": [-1]}"#,
    ] {
      #expect(throws: DecodingError.self) {
        try JSONDecoder().decode(Standardization.self, from: Data(bad.utf8))
      }
    }
  }

  @Test func tablesInFilesComeWithTheirColumnsStandardized() throws {
    let folder = try TemporaryFolder()
    func load(_ name: String, _ bytes: [UInt8]) throws -> Dataset<Double> {
      try DataSource(folder.write(name, bytes)).load()
    }
    let text = "a,b\n1,-990\n2,-980\n3,-970\n4,-960\n"
    let table = try load("table.csv", Array(text.utf8))
    let map = try Standardization(of: Self.table, by: .columns)
    #expect(table.samples == Self.table && table.standardization == map)
    #expect(try load("table.npy", Array(NPY.encode(Self.table))).standardization == map)
    #expect(table.prefix(2).standardization == map)
    #expect(table.modelSamples(key: RandomKey(0)) == map.standardized(Self.table))
    #expect(
      table.modelSamples([3, 0], key: RandomKey(0)) == map.standardized(Self.table.rows([3, 0])))

    // Not so images, bytes, sets in the plane, and tables too large to have a deviation.
    let images = Tensor<Double>([2, 2, 2], Self.table.scalars)
    #expect(try load("images.npy", Array(NPY.encode(images))).standardization == nil)
    #expect(
      try load("big.csv", Array("1e200\n2\n".utf8)).standardization == nil)
    #expect(try DataSource("moons:count=9").load(as: Double.self).standardization == nil)
    let digits = Digits.load(.test, as: Double.self)
    #expect(digits.standardization == nil)
    let error = try #require(throws: DataError.self) { try digits.standardized(by: .whole) }
    #expect(error.kind == .badParameter && error.message.contains("quantised"))
  }
}
