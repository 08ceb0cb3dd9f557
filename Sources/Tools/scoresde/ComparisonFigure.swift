import ScoreSDE

/// Two sets of samples to look at: points in the plane, images, or histograms of columns.
struct ComparisonFigure<Scalar: TensorScalar> {
  private let compared: ComparedData<Scalar>
  private let columns: [ColumnComparison]
  /// Whether samples are drawn as images.
  private let isOfImages: Bool

  /// The most images of each, and how many stand in a row.
  private let mostImages = 64
  private let across = 16

  init(_ compared: ComparedData<Scalar>, columns: [ColumnComparison], isOfImages: Bool) {
    (self.compared, self.columns, self.isOfImages) = (compared, columns, isOfImages)
  }

  private struct Side {
    let option: String
    let set: Dataset<Scalar>
    /// How many samples are shown, the first ones.
    let count: Int
    let color: Color

    var title: String { "\(option) \(set.name)" }
    var counts: String {
      count == set.count
        ? ": \(NumberText.counted(count, "sample"))"
        : ": \(NumberText.grouped(count)) of \(NumberText.counted(set.count, "sample"))"
    }
    var counted: String { title + counts }
  }

  private var sides: [Side] {
    func side(_ option: String, _ set: Dataset<Scalar>, _ count: Int, _ color: Color) -> Side {
      guard isOfImages, count > mostImages else {
        return Side(option: option, set: set, count: count, color: color)
      }
      // Images of some classes may stand before those of others.
      return Side(option: option, set: set.spread, count: mostImages, color: color)
    }
    return [
      side("--data", compared.data, compared.counts.data, Color.series[0]),
      side("--with", compared.reference, compared.counts.reference, Color.series[1]),
    ]
  }

  private var summary: String { "\(compared.data.name) with \(compared.reference.name)" }

  /// The picture as SVG.
  var figure: any Figure {
    if isOfImages {
      let captions = zip(sides, grids).map { side, grid in Caption(side.counted, grid) }
      return Panels(captions, columns: 1, summary: summary)
    }
    if compared.isPlanar, let x = bins(of: 0), let y = bins(of: 1) {
      return clouds(x.range, y.range)
    }
    return histograms
  }

  // MARK: Images

  /// Images as pixels, those in question above, each under its name.
  var raster: Raster {
    let pictures = zip(sides, grids).flatMap { side, grid in
      [
        Raster.text(
          side.title, end: side.counts, channels: grid.raster.channels,
          within: max(480, grid.raster.width)),
        grid.raster,
      ]
    }
    return .stacked(pictures, gap: 6)
  }

  private var grids: [SampleGrid] {
    let range = compared.reference.samples.range ?? SampleFile.usualRange
    return sides.map { side in
      SampleFile.grid(
        side.set.samples.rows(0..<side.count).reshaped(
          compared.reference.samples.shape.withRows(side.count)),
        range: side.set.scale.map { 0...Double($0.levels - 1) * $0.binWidth } ?? range,
        columns: across)
    }
  }

  // MARK: Numbers

  /// Side by side on the same axes, since points that lie over others hide them.
  private func clouds(_ x: ClosedRange<Double>, _ y: ClosedRange<Double>) -> Panels {
    let names = compared.reference.columns ?? compared.data.columns ?? ["x₁", "x₂"]
    let (x, y) = (x.widened, y.widened)
    let beyond = sides.map { side in
      zip(values(of: 0, side), values(of: 1, side)).count { !x.contains($0) || !y.contains($1) }
    }
    return Panels(
      zip(sides, beyond).map { side, count in
        side.set.samples.rows(0..<side.count).withUnsafeBuffer {
          Plot(
            side.title,
            notes: beyond == [0, 0] ? [] : ["outside: \(count) of \(side.count)"],
            x: Axis(names[0], range: x), y: Axis(names[1], range: y), width: 420, height: 400,
            // Columns have units of their own.
            isEqualAspect: compared.reference.standardization == nil,
            [.scatter(pairs: $0, size: SampleFile.dotSize(of: side.count), color: side.color)])
        }
      }, summary: summary)
  }

  private var histograms: Panels {
    let shown = ColumnComparison.worst(columns, atMost: ComparisonReport.mostShown)
    let notes = shown.map(notes(on:))
    let lines = notes.map(\.count).max() ?? 0
    let panels = zip(shown, notes).map { column, notes -> any Figure in
      // Where one panel has notes, the others leave as much room for them.
      histogram(of: column, notes + Array(repeating: "", count: lines - notes.count))
    }
    let grid = Panels(panels, columns: min(3, panels.count))
    var said = [
      "Bins by the rule of Freedman and Diaconis, over the middle nine tenths of each set and as far again on either side"
    ]
    if shown.count < columns.count {
      let noun = isNamed ? "columns" : "numbers"
      said.insert("\(shown.count) of \(columns.count) \(noun): those that differ most", at: 0)
    }
    let heading = Heading(
      entries: sides.map { ($0.counted, $0.color) }, lines: said, width: max(640, grid.width))
    return Panels([heading, grid], columns: 1, summary: summary)
  }

  private func histogram(of column: ColumnComparison, _ notes: [String]) -> any Figure {
    let name = isNamed ? column.name : "number \(column.name)"
    guard let bins = bins(of: column.place) else {
      let value = values(of: column.place, sides[0]).first ?? 0
      return Heading(
        name, lines: ["every value is \(NumberText.trimmed(value, digits: 6))"],
        width: Self.panelWidth)
    }
    return Plot(
      name, notes: notes, x: Axis("value", isWhole: bins.isWhole), y: "density",
      width: Self.panelWidth, height: 240 + 15 * notes.count,
      sides.map { side in
        .histogram(
          values(of: column.place, side), bins: bins.count, range: bins.range, color: side.color)
      })
  }

  private static var panelWidth: Int { 300 }

  private var isNamed: Bool { compared.reference.columns ?? compared.data.columns != nil }

  /// What a histogram leaves out.
  private func notes(on column: ColumnComparison) -> [String] {
    guard let range = bins(of: column.place)?.range else { return [] }
    let beyond = sides.map { side in
      values(of: column.place, side).filter { !range.contains($0) }
    }
    let all = beyond.flatMap { $0 }
    guard let least = all.min(), let greatest = all.max() else { return [] }
    let ends = [least, greatest].map { NumberText.trimmed($0, digits: 3) }
    return [
      "outside: \(zip(sides, beyond).map { "\($1.count) of \($0.option)" }.joined(separator: ", ")),",
      all.count == 1 ? "at \(ends[0])" : "from \(ends[0]) to \(ends[1])",
    ]
  }

  private func values(of place: Int, _ side: Side) -> [Double] {
    side.set.samples.withUnsafeBuffer { entries in
      (0..<side.count).map { Double(entries[$0 * compared.dimensions + place]) }
    }
  }

  /// What both sets have of a number; nil where that is one number alone.
  private func bins(of place: Int) -> HistogramBins? {
    HistogramBins(sides.map { values(of: place, $0) })
  }
}

extension ClosedRange<Double> {
  /// The range with some room at its ends.
  fileprivate var widened: ClosedRange {
    let margin = 0.04 * (upperBound - lowerBound)
    return lowerBound - margin...upperBound + margin
  }
}
