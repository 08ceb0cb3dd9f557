/// The SVG elements of a plot that has been laid out.
struct PlotDrawing {
  let plot: Plot
  let layout: PlotLayout

  var elements: String {
    var text = ""
    if !plot.title.isEmpty {
      text += SVG.text(
        plot.title, x: layout.left, y: 24, size: PlotLayout.titleSize, fill: "#1a1a1a", bold: true,
        within: room(from: layout.left))
    }
    for (line, note) in plot.notes.enumerated() {
      text += SVG.text(
        note, x: layout.left,
        y: (plot.title.isEmpty ? 14 : 40) + PlotLayout.noteHeight * Double(line),
        size: PlotLayout.noteSize, fill: "#555555", within: room(from: layout.left))
    }
    text += grid
    // A nested picture clips its content and needs no identifier.
    text +=
      "<svg x=\"\(n(layout.left))\" y=\"\(n(layout.top))\" width=\"\(n(layout.plotWidth))\""
      + " height=\"\(n(layout.plotHeight))\""
      + " viewBox=\"\(n(layout.left)) \(n(layout.top)) \(n(layout.plotWidth)) \(n(layout.plotHeight))\">\n"
    for (mark, color) in zip(plot.marks, layout.colors) { text += draw(mark, color) }
    return text + "</svg>\n" + frame + labels + legend
  }

  private func n(_ value: Double) -> String { SVG.number(value) }

  /// What a text that begins at x has of the picture.
  private func room(from x: Double) -> Double { Double(plot.width) - x }
  private var bottom: Double { layout.top + layout.plotHeight }
  private var right: Double { layout.left + layout.plotWidth }

  // ------------------------------------------------------------------ the frame

  private var grid: String {
    let vertical = layout.xTicks.map { tick in
      "M\(n(layout.placeX(tick.value))) \(n(layout.top))V\(n(bottom))"
    }
    let horizontal = layout.yTicks.map { tick in
      "M\(n(layout.left)) \(n(layout.placeY(tick.value)))H\(n(right))"
    }
    return "<path d=\"\((vertical + horizontal).joined())\" stroke=\"#e9e9e9\" fill=\"none\"/>\n"
  }

  private var frame: String {
    var marks = ""
    var text = ""
    for tick in layout.xTicks {
      let place = layout.placeX(tick.value)
      marks += "M\(n(place)) \(n(bottom))v\(tick.label == nil ? 3 : 5)"
      guard let label = tick.label else { continue }
      // A number at the very edge moves inwards rather than out of the picture.
      let half = SVG.textWidth(label, size: PlotLayout.tickSize) / 2
      text += SVG.text(
        label, x: min(place, Double(plot.width) - half - 2), y: bottom + 18,
        size: PlotLayout.tickSize, fill: "#555555", anchor: .middle)
    }
    for tick in layout.yTicks {
      let place = layout.placeY(tick.value)
      marks += "M\(n(layout.left)) \(n(place))h\(tick.label == nil ? -3 : -5)"
      guard let label = tick.label else { continue }
      text += SVG.text(
        label, x: layout.left - 8, y: place + 4, size: PlotLayout.tickSize, fill: "#555555",
        anchor: .end)
    }
    let axes = "M\(n(layout.left)) \(n(layout.top))V\(n(bottom))H\(n(right))"
    return "<path d=\"\(marks)\(axes)\" stroke=\"#8a8a8a\" fill=\"none\"/>\n" + text
  }

  private var labels: String {
    var text = ""
    if !plot.x.label.isEmpty {
      text += SVG.text(
        plot.x.label, x: (layout.left + right) / 2, y: bottom + 39, size: PlotLayout.labelSize,
        anchor: .middle)
    }
    if !plot.y.label.isEmpty {
      text += SVG.text(
        plot.y.label, x: 18, y: layout.top + layout.plotHeight / 2, size: PlotLayout.labelSize,
        anchor: .middle, rotated: true)
    }
    return text
  }

  private var legend: String {
    layout.legend.map { entry in
      // What is drawn in white over a dark density would not be seen here.
      let color = (entry.color.isNearWhite ? Color.gray : entry.color).hex
      let (x, y) = (entry.x, entry.y)
      let swatch =
        switch entry.mark.kind {
        case .line(_, _, let dashed):
          "<path d=\"M\(n(x)) \(n(y))h18\" stroke=\"\(color)\" stroke-width=\"2\""
            + (dashed ? " stroke-dasharray=\"6 4\"" : "") + "/>\n"
        case .rule, .arrows:
          "<path d=\"M\(n(x)) \(n(y))h18\" stroke=\"\(color)\" stroke-width=\"1.5\"/>\n"
        case .points, .scatter:
          "<circle cx=\"\(n(x + 9))\" cy=\"\(n(y))\" r=\"4\" fill=\"\(color)\"/>\n"
        case .band, .bars, .heat:
          "<rect x=\"\(n(x))\" y=\"\(n(y - 5))\" width=\"18\" height=\"10\" fill=\"\(color)\""
            + " opacity=\"\(n(max(0.35, entry.mark.opacity)))\"/>\n"
        }
      return swatch
        + SVG.text(
          entry.label, x: x + 24, y: y + 4, size: PlotLayout.tickSize, within: room(from: x + 24))
    }.joined()
  }

  // ------------------------------------------------------------------ the marks

  private func draw(_ mark: Mark, _ color: Color) -> String {
    let opacity = mark.opacity < 1 ? " opacity=\"\(n(mark.opacity))\"" : ""
    switch mark.kind {
    case .line(let x, let y, let dashed):
      return "<path d=\"\(path(x, y))\" fill=\"none\" stroke=\"\(color.hex)\" stroke-width=\"2\""
        + " stroke-linejoin=\"round\"\(dashed ? " stroke-dasharray=\"6 4\"" : "")\(opacity)/>\n"
    case .points(let x, let y, let error): return points(x, y, error, color, opacity)
    case .scatter(let x, let y, let size):
      // A line of no length with a round cap is a dot, at a fifth of a circle element's bytes.
      let dots = places(x, y, margin: size).map { "M\(tenth($0.x)) \(tenth($0.y))h0" }.joined()
      return "<path d=\"\(dots)\" stroke=\"\(color.hex)\" stroke-width=\"\(n(size))\""
        + " stroke-linecap=\"round\"\(opacity)/>\n"
    case .band(let x, let lower, let upper):
      let outline = bandOutline(x, lower, upper)
      return outline.isEmpty
        ? "" : "<path d=\"\(outline)\" fill=\"\(color.hex)\"\(opacity)/>\n"
    case .heat(let raster, let x, let y):
      let (left, top) = (layout.placeX(x.lowerBound), layout.placeY(y.upperBound))
      return "<image x=\"\(n(left))\" y=\"\(n(top))\""
        + " width=\"\(n(layout.placeX(x.upperBound) - left))\""
        + " height=\"\(n(layout.placeY(y.lowerBound) - top))\" preserveAspectRatio=\"none\""
        + " style=\"image-rendering:pixelated\" href=\"\(raster.dataURI)\"/>\n"
    case .arrows(let x, let y, let dx, let dy):
      return arrows(x, y, dx, dy, color, opacity)
    case .bars(let edges, let heights):
      let base = layout.placeY(layout.y.scale == .log ? layout.y.range.lowerBound : 0)
      var outline = "M\(n(layout.placeX(edges[0]))) \(n(base))"
      for (bin, height) in heights.enumerated() {
        let top = height > 0 || layout.y.scale == .linear ? layout.placeY(height) : base
        outline += "V\(n(top))H\(n(layout.placeX(edges[bin + 1])))"
      }
      return "<path d=\"\(outline)V\(n(base))Z\" fill=\"\(color.hex)\"\(opacity)/>\n"
    case .rule(let value, let horizontal):
      let place = horizontal ? layout.placeY(value) : layout.placeX(value)
      guard abs(place) < 1e6 else { return "" }
      let line =
        horizontal
        ? "M\(n(layout.left)) \(n(place))H\(n(right))"
        : "M\(n(place)) \(n(layout.top))V\(n(bottom))"
      return "<path d=\"\(line)\" stroke=\"\(color.hex)\" stroke-width=\"1.5\"\(opacity)/>\n"
    }
  }

  private func points(
    _ x: [Double], _ y: [Double], _ error: [Double]?, _ color: Color, _ opacity: String
  ) -> String {
    var text = ""
    if let error {
      var bars = ""
      for ((x, y), error) in zip(zip(x, y), error) where error > 0 && error.isFinite {
        let low =
          layout.y.scale == .log ? max(y - error, layout.y.range.lowerBound * 1e-3) : y - error
        guard let from = place(x, low), let to = place(x, y + error) else { continue }
        bars += "M\(n(from.x)) \(n(from.y))V\(n(to.y))M\(n(from.x - 3)) \(n(from.y))h6"
        bars += "M\(n(from.x - 3)) \(n(to.y))h6"
      }
      text += "<path d=\"\(bars)\" stroke=\"\(color.hex)\" stroke-width=\"1.5\"\(opacity)/>\n"
    }
    let dots = places(x, y, margin: 4).map { "M\(n($0.x)) \(n($0.y))h0" }.joined()
    return text + "<path d=\"\(dots)\" stroke=\"\(color.hex)\" stroke-width=\"7\""
      + " stroke-linecap=\"round\"\(opacity)/>\n"
  }

  private func arrows(
    _ x: [Double], _ y: [Double], _ dx: [Double], _ dy: [Double], _ color: Color,
    _ opacity: String
  ) -> String {
    var lines = ""
    for i in x.indices {
      guard let from = place(x[i], y[i]), let to = place(x[i] + dx[i], y[i] + dy[i]) else {
        continue
      }
      let (u, v) = (to.x - from.x, to.y - from.y)
      let length = (u * u + v * v).squareRoot()
      guard length > 0.3 else { continue }
      let head = min(5, 0.35 * length) / length
      let (backX, backY) = (to.x - head * u, to.y - head * v)
      lines += "M\(n(from.x)) \(n(from.y))L\(n(to.x)) \(n(to.y))"
      lines += "M\(n(backX - 0.6 * head * v)) \(n(backY + 0.6 * head * u))L\(n(to.x)) \(n(to.y))"
      lines += "L\(n(backX + 0.6 * head * v)) \(n(backY - 0.6 * head * u))"
    }
    return "<path d=\"\(lines)\" fill=\"none\" stroke=\"\(color.hex)\" stroke-width=\"1.2\""
      + " stroke-linecap=\"round\" stroke-linejoin=\"round\"\(opacity)/>\n"
  }

  // ------------------------------------------------------------------ places

  private func tenth(_ value: Double) -> String { SVG.number((value * 10).rounded() / 10) }

  private func place(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
    let place = (x: layout.placeX(x), y: layout.placeY(y))
    // Far outside the picture, renderers' arithmetic gives up.
    return abs(place.x) < 1e6 && abs(place.y) < 1e6 ? place : nil
  }

  private func places(_ x: [Double], _ y: [Double], margin: Double) -> [(x: Double, y: Double)] {
    zip(x, y).compactMap { place($0, $1) }.filter {
      $0.x >= layout.left - margin && $0.x <= right + margin && $0.y >= layout.top - margin
        && $0.y <= bottom + margin
    }
  }

  /// A polyline with gaps at values that are not finite, thinned where many points share a pixel column.
  private func path(_ x: [Double], _ y: [Double]) -> String {
    var text = ""
    var run: [(x: Double, y: Double)] = []
    for (x, y) in zip(x, y) {
      if let place = place(x, y) {
        run.append(place)
      } else {
        text += polyline(thinned(run))
        run = []
      }
    }
    return text + polyline(thinned(run))
  }

  /// The areas between two lines, one for each run of places where both are there.
  private func bandOutline(_ x: [Double], _ lower: [Double], _ upper: [Double]) -> String {
    var text = ""
    var (there, back): ([String], [String]) = ([], [])
    func end() {
      if !there.isEmpty { text += "M" + (there + back.reversed()).joined(separator: "L") + "Z" }
      (there, back) = ([], [])
    }
    for i in x.indices {
      guard let low = place(x[i], lower[i]), let high = place(x[i], upper[i]) else {
        end()
        continue
      }
      there.append("\(n(low.x)) \(n(low.y))")
      back.append("\(n(high.x)) \(n(high.y))")
    }
    end()
    return text
  }

  private func polyline(_ run: [(x: Double, y: Double)]) -> String {
    // One point alone is a dot.
    if run.count == 1 { return "M\(n(run[0].x - 1)) \(n(run[0].y))h2" }
    return run.isEmpty ? "" : "M" + run.map { "\(n($0.x)) \(n($0.y))" }.joined(separator: "L")
  }

  /// Keeps the first, lowest, highest and last point of each half pixel column.
  private func thinned(_ run: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
    guard Double(run.count) > 4 * layout.plotWidth else { return run }
    var result: [(x: Double, y: Double)] = []
    var start = 0
    while start < run.count {
      var end = start + 1
      let column = (run[start].x * 2).rounded(.down)
      while end < run.count && (run[end].x * 2).rounded(.down) == column { end += 1 }
      let group = start..<end
      let low = group.min { run[$0].y < run[$1].y } ?? start
      let high = group.max { run[$0].y < run[$1].y } ?? start
      result += Set([start, low, high, end - 1]).sorted().map { run[$0] }
      start = end
    }
    return result
  }
}
