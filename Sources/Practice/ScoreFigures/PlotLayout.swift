import Foundation

/// Where everything of a plot goes, in pixels from the top left corner.
struct PlotLayout {
  struct Entry {
    let label: String
    let color: Color
    let mark: Mark
    let x: Double
    let y: Double
  }

  static let titleSize = 15.0
  static let labelSize = 13.0
  static let tickSize = 12.0
  static let noteSize = 11.0
  static let noteHeight = 15.0

  let x: PlotScale
  let y: PlotScale
  let left: Double
  let top: Double
  let plotWidth: Double
  let plotHeight: Double
  let height: Int
  let xTicks: [Ticks.Tick]
  let yTicks: [Ticks.Tick]
  let colors: [Color]
  let legend: [Entry]

  init(_ plot: Plot, requestedHeight: Int) {
    let xScale = PlotScale(plot.x, plot.marks, \.xExtent, \.isFlushX)
    let yScale = PlotScale(plot.y, plot.marks, \.yExtent, \.isFlushY)
    let colors = Self.colors(plot.marks)
    let yTicks = yScale.ticks(pixels: Double(requestedHeight) - 90, perTick: 45).ticks
    let tickWidth = yTicks.compactMap(\.label).map { SVG.textWidth($0, size: Self.tickSize) }
    let left = 14 + (plot.y.label.isEmpty ? 0 : 20) + (tickWidth.max() ?? 0) + 6
    let right = 18.0
    let plotWidth = max(40, Double(plot.width) - left - right)

    // Title, notes, then the legend in as many lines as it needs, then the plot: nothing ever covers data.
    let legendTop = (plot.title.isEmpty ? 10.0 : 36.0) + Self.noteHeight * Double(plot.notes.count)
    var legend: [Entry] = []
    var cursor = (x: left, y: legendTop + 8)
    for (mark, color) in zip(plot.marks, colors) {
      guard let label = mark.label, !legend.contains(where: { $0.label == label }) else { continue }
      let width = 24 + SVG.widestWidth(label, size: Self.tickSize) + 18
      if cursor.x > left, cursor.x + width > Double(plot.width) {
        cursor = (left, cursor.y + 18)
      }
      legend.append(Entry(label: label, color: color, mark: mark, x: cursor.x, y: cursor.y))
      cursor.x += width
    }
    let top = legend.isEmpty ? legendTop + 4 : cursor.y + 18
    let bottom = 28.0 + (plot.x.label.isEmpty ? 0 : 20)
    let ratio = yScale.length / xScale.length
    let plotHeight =
      plot.isEqualAspect
      ? (plotWidth * min(max(ratio, 0.2), 3)).rounded()
      : max(30, Double(requestedHeight) - top - bottom)

    self.x = xScale
    self.y = yScale
    (self.left, self.top, self.plotWidth, self.plotHeight) = (left, top, plotWidth, plotHeight)
    height = Int((top + plotHeight + bottom).rounded(.up))
    xTicks = Self.spaced(
      xScale.ticks(pixels: plotWidth, perTick: plot.isEqualAspect ? 60 : 75).ticks
    ) { plotWidth * xScale.fraction($0) }
    self.yTicks = plot.isEqualAspect ? yScale.ticks(pixels: plotHeight, perTick: 60).ticks : yTicks
    self.colors = colors
    self.legend = legend
  }

  func placeX(_ value: Double) -> Double { left + plotWidth * x.fraction(value) }
  func placeY(_ value: Double) -> Double { top + plotHeight * (1 - y.fraction(value)) }

  /// The ticks with the numbers of some of them left out where they would run into each other.
  private static func spaced(_ ticks: [Ticks.Tick], _ place: (Double) -> Double) -> [Ticks.Tick] {
    let labelled = ticks.filter { $0.label != nil }
    let places = labelled.map { place($0.value) }
    let widths = labelled.map { SVG.textWidth($0.label ?? "", size: tickSize) }
    let gap = zip(places, places.dropFirst()).map { $1 - $0 }.min() ?? .infinity
    let needed = ((widths.max() ?? 0) + 8) / max(gap, 1)
    guard needed > 1 else { return ticks }
    let stride = Int(needed.rounded(.up))
    let kept = Set(labelled.indices.filter { $0.isMultiple(of: stride) }.map { labelled[$0].value })
    return ticks.map { kept.contains($0.value) ? $0 : Ticks.Tick(value: $0.value, label: nil) }
  }

  private static func colors(_ marks: [Mark]) -> [Color] {
    var named: [String: Color] = [:]
    for mark in marks {
      if let label = mark.label, let color = mark.color, named[label] == nil {
        named[label] = color
      }
    }
    let given = Set(marks.compactMap { $0.color?.hex })
    let free = Color.series.filter { !given.contains($0.hex) }
    let series = free.isEmpty ? Color.series : free
    var next = 0
    return marks.map { mark in
      if let color = mark.color { return color }
      if let label = mark.label, let color = named[label] { return color }
      let color = series[next % series.count]
      next += 1
      if let label = mark.label { named[label] = color }
      return color
    }
  }
}

/// An axis with its range settled: from a value to the fraction of the axis' length.
struct PlotScale {
  let scale: Axis.Scale
  let range: ClosedRange<Double>
  private let isWhole: Bool
  private let low: Double
  private let high: Double

  init(
    _ axis: Axis, _ marks: [Mark], _ extent: KeyPath<Mark, [[Double]]>,
    _ isFlush: KeyPath<Mark, Bool>
  ) {
    (scale, isWhole) = (axis.scale, axis.isWhole)
    let isLog = axis.scale == .log
    func coordinate(_ value: Double) -> Double { isLog ? log10(value) : value }
    var bounds: (Double, Double)?
    if let range = axis.range, range.upperBound > range.lowerBound, !isLog || range.lowerBound > 0 {
      bounds = (coordinate(range.lowerBound), coordinate(range.upperBound))
    } else {
      for values in marks.lazy.flatMap({ $0[keyPath: extent] }) {
        // Beyond these bounds, margins and ticks would overflow.
        for value in values where abs(value) < 1e250 && (!isLog || value > 1e-250) {
          let place = coordinate(value)
          bounds = bounds.map { (min($0.0, place), max($0.1, place)) } ?? (place, place)
        }
      }
      let (least, greatest) = bounds ?? (isLog ? (-1, 1) : (0, 1))
      let width = greatest - least
      if !(width > 1e-12 * max(abs(least), abs(greatest))) {
        let margin = isLog ? 0.5 : max(0.5, abs(least) * 0.1)
        bounds = (least - margin, greatest + margin)
      } else if !marks.contains(where: { $0[keyPath: isFlush] }) {
        bounds = (least - 0.04 * width, greatest + 0.04 * width)
      } else {
        bounds = (least, greatest)
      }
    }
    (low, high) = bounds ?? (0, 1)
    range = isLog ? pow(10, low)...pow(10, high) : low...high
  }

  var length: Double { high - low }

  func fraction(_ value: Double) -> Double {
    ((scale == .log ? log10(value) : value) - low) / (high - low)
  }

  func ticks(pixels: Double, perTick: Double) -> Ticks {
    let count = max(3, Int(pixels / perTick))
    return scale == .log
      ? .log(range, count: count, isWhole: isWhole)
      : .linear(range, count: count, isWhole: isWhole)
  }
}

extension Mark {
  /// The values that the horizontal axis must show.
  var xExtent: [[Double]] {
    switch kind {
    case .line(let x, _, _), .points(let x, _, _), .scatter(let x, _, _), .band(let x, _, _): [x]
    case .heat(_, let x, _): [[x.lowerBound, x.upperBound]]
    case .arrows(let x, _, let dx, _): [x, zip(x, dx).map { $0 + $1 }]
    case .bars(let edges, _): [edges]
    case .rule(let value, let horizontal): horizontal ? [] : [[value]]
    }
  }

  /// The values that the vertical axis must show.
  var yExtent: [[Double]] {
    switch kind {
    case .line(_, let y, _), .scatter(_, let y, _): [y]
    case .points(_, let y, let error):
      error.map { [zip(y, $0).map { $0 - $1 }, zip(y, $0).map { $0 + $1 }] + [y] } ?? [y]
    case .band(_, let lower, let upper): [lower, upper]
    case .heat(_, _, let y): [[y.lowerBound, y.upperBound]]
    case .arrows(_, let y, _, let dy): [y, zip(y, dy).map { $0 + $1 }]
    case .bars(_, let heights): [heights.map { $0 * 1.06 }, [0]]
    case .rule(let value, let horizontal): horizontal ? [[value]] : []
    }
  }

  /// Whether the mark reaches to the edge of the plot, left and right.
  var isFlushX: Bool {
    if case .heat = kind { return true }
    return false
  }

  /// Whether the mark reaches to the edge of the plot, below and above.
  var isFlushY: Bool {
    switch kind {
    case .heat, .bars: true
    default: false
    }
  }
}
