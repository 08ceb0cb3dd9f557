/// One layer of a plot: a line, points, a band, a density, arrows, bars or a rule.
///
/// Marks with the same label share one colour and one entry of the legend. Values that are not finite are left out; in
/// lines and bands they leave a gap.
public struct Mark: Sendable {
  enum Kind: Sendable {
    case line(x: [Double], y: [Double], dashed: Bool)
    case points(x: [Double], y: [Double], error: [Double]?)
    case scatter(x: [Double], y: [Double], size: Double)
    case band(x: [Double], lower: [Double], upper: [Double])
    case heat(raster: Raster, x: ClosedRange<Double>, y: ClosedRange<Double>)
    case arrows(x: [Double], y: [Double], dx: [Double], dy: [Double])
    case bars(edges: [Double], heights: [Double])
    case rule(value: Double, horizontal: Bool)
  }

  let kind: Kind
  /// The entry in the legend; none where nil.
  public var label: String?
  /// The colour; the next free one of the series colours where nil.
  public var color: Color?
  /// How opaque the mark is, from 0 to 1.
  public var opacity: Double

  private init(_ kind: Kind, _ label: String?, _ color: Color?, opacity: Double = 1) {
    (self.kind, self.label, self.color, self.opacity) = (kind, label, color, opacity)
  }

  /// A line through points, in the order given.
  public static func line(
    x: [Double], y: [Double], label: String? = nil, color: Color? = nil, dashed: Bool = false
  ) -> Mark {
    precondition(x.count == y.count, "\(x.count) abscissae for \(y.count) ordinates")
    return Mark(.line(x: x, y: y, dashed: dashed), label, color)
  }

  /// Dots with error bars of one standard error up and down.
  public static func points(
    x: [Double], y: [Double], error: [Double]? = nil, label: String? = nil, color: Color? = nil
  ) -> Mark {
    precondition(
      x.count == y.count && error?.count ?? x.count == x.count,
      "\(x.count) abscissae for \(y.count) ordinates and \(error?.count ?? x.count) errors")
    return Mark(.points(x: x, y: y, error: error), label, color)
  }

  /// A cloud of points in the plane from pairs x₀, y₀, x₁, y₁, …: the scalars of samples of shape `[n, 2]`.
  public static func scatter(
    pairs: some Collection<some BinaryFloatingPoint>, size: Double = 2.5, label: String? = nil,
    color: Color? = nil, opacity: Double = 0.55
  ) -> Mark {
    precondition(pairs.count.isMultiple(of: 2), "\(pairs.count) numbers are not pairs")
    var x: [Double] = []
    var y: [Double] = []
    for value in pairs {
      if x.count == y.count { x.append(Double(value)) } else { y.append(Double(value)) }
    }
    return Mark(.scatter(x: x, y: y, size: size), label, color, opacity: opacity)
  }

  /// The area between two curves.
  public static func band(
    x: [Double], lower: [Double], upper: [Double], label: String? = nil, color: Color? = nil
  ) -> Mark {
    precondition(
      x.count == lower.count && x.count == upper.count,
      "\(x.count) abscissae for \(lower.count) and \(upper.count) ordinates")
    return Mark(.band(x: x, lower: lower, upper: upper), label, color, opacity: 0.2)
  }

  /// A matrix of values as colours over a rectangle, row by row, the row of the smallest y first.
  ///
  /// Both axes must be linear. The values map from 0 (or the least, if that is less) … the greatest to the colour map.
  public static func heat(
    _ values: [Double], columns: Int, x: ClosedRange<Double>, y: ClosedRange<Double>,
    colorMap: ColorMap = .ink
  ) -> Mark {
    precondition(
      columns > 0 && !values.isEmpty && values.count.isMultiple(of: columns),
      "\(values.count) values are not rows of \(columns)")
    let finite = values.filter(\.isFinite)
    let low = min(0, finite.min() ?? 0)
    let high = finite.max() ?? 1
    let rows = values.count / columns
    let fromTop = (0..<rows).reversed().flatMap { values[$0 * columns..<($0 + 1) * columns] }
    let raster = Raster(
      matrix: fromTop, width: columns, low: low, high: high > low ? high : max(low + 1, low.nextUp),
      colorMap: colorMap)
    return Mark(.heat(raster: raster, x: x, y: y), nil, .black)
  }

  /// Arrows from (x, y) to (x + dx, y + dy): a score field or a drift.
  public static func arrows(
    x: [Double], y: [Double], dx: [Double], dy: [Double], label: String? = nil,
    color: Color? = nil
  ) -> Mark {
    precondition(
      [y.count, dx.count, dy.count].allSatisfy { $0 == x.count },
      "\(x.count), \(y.count) origins for \(dx.count), \(dy.count) arrows")
    return Mark(.arrows(x: x, y: y, dx: dx, dy: dy), label, color)
  }

  /// Bars between edges, one edge more than heights.
  public static func bars(
    edges: [Double], heights: [Double], label: String? = nil, color: Color? = nil
  ) -> Mark {
    precondition(
      edges.count == heights.count + 1, "\(edges.count) edges for \(heights.count) bars")
    return Mark(.bars(edges: edges, heights: heights), label, color, opacity: 0.45)
  }

  /// A histogram as a density: its area is the share of the values that lie in the range.
  public static func histogram(
    _ values: some Collection<some BinaryFloatingPoint>, bins: Int, range: ClosedRange<Double>,
    label: String? = nil, color: Color? = nil
  ) -> Mark {
    precondition(bins > 0 && range.lowerBound < range.upperBound, "\(bins) bins over \(range)")
    let width = (range.upperBound - range.lowerBound) / Double(bins)
    precondition(width > 0 && width.isFinite, "\(bins) bins over \(range) are \(width) wide")
    var counts = [Int](repeating: 0, count: bins)
    for value in values where range.contains(Double(value)) {
      counts[min(bins - 1, Int((Double(value) - range.lowerBound) / width))] += 1
    }
    let scale = values.isEmpty ? 0 : 1 / (Double(values.count) * width)
    return .bars(
      edges: (0...bins).map { range.lowerBound + width * Double($0) },
      heights: counts.map { Double($0) * scale }, label: label, color: color)
  }

  /// A horizontal line across the plot.
  public static func horizontalRule(at y: Double, label: String? = nil, color: Color = .gray)
    -> Mark
  {
    Mark(.rule(value: y, horizontal: true), label, color)
  }

  /// A vertical line across the plot.
  public static func verticalRule(at x: Double, label: String? = nil, color: Color = .gray)
    -> Mark
  {
    Mark(.rule(value: x, horizontal: false), label, color)
  }
}
