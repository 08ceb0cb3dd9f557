import ScoreSDE

/// Two sets of samples to look at: points in the plane, images, or histograms of columns.
struct ComparisonFigure<Scalar: TensorScalar> {
  private let compared: ComparedData<Scalar>
  private let columns: [ColumnComparison]

  /// The most images of each, and how many stand in a row.
  private let mostImages = 64
  private let across = 16

  init(_ compared: ComparedData<Scalar>, columns: [ColumnComparison]) {
    (self.compared, self.columns) = (compared, columns)
  }

  private var sets: [(title: String, set: Dataset<Scalar>, count: Int)] {
    [
      ("--data \(compared.data.name)", compared.data, compared.counts.data),
      ("--with \(compared.reference.name)", compared.reference, compared.counts.reference),
    ]
  }

  private var summary: String { "\(compared.data.name) with \(compared.reference.name)" }

  /// The picture as SVG.
  var figure: Panels {
    if compared.isImages {
      let captions = zip(sets, grids).map { set, grid in Caption(set.title, grid) }
      return Panels(captions, columns: 1, summary: summary)
    }
    return compared.isPlanar ? clouds : histograms
  }

  /// Images as pixels, those in question above.
  var raster: Raster { .stacked(grids.map(\.raster), gap: 12) }

  private var grids: [SampleGrid] {
    sets.map { _, set, count in
      let count = min(count, mostImages)
      return SampleFile.grid(
        set.samples.rows(0..<count).reshaped(compared.reference.samples.shape.withRows(count)),
        levels: set.scale.map { Double($0.levels - 1) * $0.binWidth }, columns: across)
    }
  }

  /// Side by side on the same axes, since points that lie over others hide them.
  private var clouds: Panels {
    let names = compared.reference.columns ?? compared.data.columns ?? ["x₁", "x₂"]
    let (x, y) = (range(of: 0), range(of: 1))
    return Panels(
      zip(sets, Color.series).map { set, color in
        set.set.samples.rows(0..<set.count).withUnsafeBuffer {
          Plot(
            set.title, x: Axis(names[0], range: x), y: Axis(names[1], range: y), width: 420,
            height: 400,
            // Columns have units of their own.
            isEqualAspect: compared.reference.standardization == nil,
            [.scatter(pairs: $0, size: SampleFile.dotSize(of: set.count), color: color)])
        }
      }, summary: summary)
  }

  private var histograms: Panels {
    let shown = ColumnComparison.worst(columns, atMost: ComparisonReport.mostShown)
    let bins = min(
      40, max(8, Int(Double(max(compared.counts.data, compared.counts.reference)).squareRoot())))
    let plots = shown.map { column in
      let range = range(of: column.place)
      return Plot(
        column.name, x: "value", y: "density", width: 300, height: 240,
        zip(sets, Color.series).map { set, color in
          .histogram(
            values(of: column.place, set.set, set.count), bins: bins, range: range,
            label: set.title, color: color)
        })
    }
    return Panels(plots, columns: min(3, plots.count), summary: summary)
  }

  private func values(of place: Int, _ set: Dataset<Scalar>, _ count: Int) -> [Double] {
    set.samples.withUnsafeBuffer { entries in
      (0..<count).map { Double(entries[$0 * compared.dimensions + place]) }
    }
  }

  /// What both sets have of a number, with some room.
  private func range(of place: Int) -> ClosedRange<Double> {
    let both = sets.flatMap { values(of: place, $0.set, $0.count) }
    let (least, greatest) = (both.min() ?? 0, both.max() ?? 1)
    let width = greatest - least
    let margin = 0.02 * width
    // One number alone has a place in the middle.
    guard width > 1e-9 * max(abs(least), abs(greatest)), margin > 1e-300 else {
      let room = max(0.5, 0.1 * abs(least))
      return least - room...greatest + room
    }
    return least - margin...greatest + margin
  }
}
