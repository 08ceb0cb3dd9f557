import ScoreTensors

/// Numbers of a table's rows that are whole: counts and codes, and choices among texts, a number a text.
///
/// ```
/// raw    r whole             of a choice among K texts, 1 for one of K numbers and 0 for the others
/// model  r + u, u of (0, 1)  before it is standardised: evenly, or of a choice in peaks
/// back   ⌊x⌋                 within the range of the data; of a choice, the text whose number is largest
/// ```
///
/// The noise `u`, of the density q, turns probabilities into densities: the mean of log p(r + u) − log q(u) bounds log P(r) from below
/// (Theis, van den Oord & Bethge 2016). A row's log density is then that of its measurements together with the probability of
/// the rest.
public struct DiscreteColumns: Hashable, Codable, Sendable {
  /// The range of each number of a row in the data, or nil where it is a measurement.
  public let ranges: [ClosedRange<Double>?]
  /// The places of the numbers of each choice.
  public let choices: [[Int]]

  /// - Precondition: choices of numbers that have ranges, none of them empty.
  public init(ranges: [ClosedRange<Double>?], choices: [[Int]] = []) {
    precondition(
      choices.allSatisfy { choice in
        !choice.isEmpty && choice.allSatisfy { ranges.indices.contains($0) && ranges[$0] != nil }
      }, "choices among the numbers \(choices) of \(ranges.count)")
    (self.ranges, self.choices) = (ranges, choices)
  }

  /// The bins: of width 1 for whole numbers, peaked for those of choices, and 0 for measurements.
  public var bins: Bins {
    let choice = Set(choices.joined())
    return Bins(
      widths: ranges.map { $0 == nil ? 0 : 1 }, isPeaked: ranges.indices.map(choice.contains))
  }

  /// The largest whole number between which and the next a type has places enough for the bin to be filled.
  static func most<Scalar: TensorScalar>(as type: Scalar.Type) -> Double {
    Double(Scalar(1).ulp) > 1e-10 ? 65_536 : 1e9
  }

  /// Raw rows `[n, width]` with whole numbers spread over their bins; row `i` depends on (key, `samples[i]`) alone.
  public func dequantised<Scalar: TensorScalar>(
    _ raw: Tensor<Scalar>, key: RandomKey, samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    var result = bins.spread(raw, key: key, samples: samples)
    result.withUnsafeMutableBuffer { entries in
      raw.withUnsafeBuffer { raw in
        // Rounding carries none out of its bin.
        forEachWhole(in: raw.count) { entry in
          let low = raw[entry]
          entries[entry] = min(max(entries[entry], low.nextUp), (low + 1).nextDown)
        }
      }
    }
    return result
  }

  /// Rows of points as rows of whole numbers: those of the bins that they lie in, within the ranges of the data, and of a choice 1 for
  /// the largest of its numbers and 0 for the others. Measurements stay.
  public func quantised<Scalar: TensorScalar>(_ points: Tensor<Scalar>) -> Tensor<Scalar> {
    let width = ranges.count
    var result = points
    result.withUnsafeMutableBuffer { entries in
      let raw = UnsafeMutableBufferPointer(rebasing: entries[...])
      for start in stride(from: 0, to: raw.count, by: width) {
        let chosen = choices.map { choice in
          choice.max { raw[start + $0] < raw[start + $1] } ?? choice[0]
        }
        for (column, range) in ranges.enumerated() {
          guard let range else { continue }
          let floor = Double(raw[start + column]).rounded(.down)
          raw[start + column] = Scalar(min(max(floor, range.lowerBound), range.upperBound))
        }
        for (choice, best) in zip(choices, chosen) {
          for place in choice { raw[start + place] = place == best ? 1 : 0 }
        }
      }
    }
    return result
  }

  /// Whether rows are as those of data: all that are to be whole numbers are, and of each choice one is 1 and the others are 0.
  public func holds<Scalar: TensorScalar>(_ raw: Tensor<Scalar>) -> Bool {
    raw.withUnsafeBuffer { entries in
      var isWhole = true
      forEachWhole(in: entries.count) { isWhole = isWhole && entries[$0] == entries[$0].rounded() }
      return isWhole
        && stride(from: 0, to: entries.count, by: ranges.count).allSatisfy { start in
          choices.allSatisfy { choice in
            choice.allSatisfy { 0...1 ~= entries[start + $0] }
              && choice.count { entries[start + $0] == 1 } == 1
          }
        }
    }
  }

  private func forEachWhole(in count: Int, _ body: (_ entry: Int) -> Void) {
    let wholes = ranges.indices.filter { ranges[$0] != nil }
    for start in stride(from: 0, to: count, by: ranges.count) {
      for column in wholes { body(start + column) }
    }
  }
}

// MARK: - In files

extension DiscreteColumns {
  private enum CodingKeys: String, CodingKey {
    case ranges, choices
  }

  /// Decodes the columns.
  /// - Throws: where a choice is among numbers that are no whole ones, instead of trapping.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let ranges = try values.decode([ClosedRange<Double>?].self, forKey: .ranges)
    let choices = try values.decode([[Int]].self, forKey: .choices)
    guard
      choices.joined().allSatisfy({ ranges.indices.contains($0) && ranges[$0] != nil }),
      !choices.contains([])
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .choices, in: values,
        debugDescription: "choices among \(choices) of \(ranges.count) numbers")
    }
    self.init(ranges: ranges, choices: choices)
  }
}
