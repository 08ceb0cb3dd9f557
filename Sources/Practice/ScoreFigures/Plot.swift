/// A plot with axes: marks drawn over each other in the order given.
///
/// ```swift
/// Plot("Loss", x: "step", y: Axis("loss", scale: .log), [.line(x: steps, y: losses, label: "VP")]).svg
/// ```
public struct Plot: Figure {
  /// The text above the plot.
  public var title: String
  /// Lines in small type below the title.
  public var notes: [String]
  /// The horizontal axis.
  public var x: Axis
  /// The vertical axis.
  public var y: Axis
  /// The layers, the lowest first.
  public var marks: [Mark]
  /// Whether a unit is as long on one axis as on the other; the height then follows from the width, within 0.2 and 3 of it.
  public var isEqualAspect: Bool
  /// The width in pixels.
  public var width: Int
  private var givenHeight: Int

  /// Creates a plot.
  public init(
    _ title: String = "", notes: [String] = [], x: Axis = "", y: Axis = "", width: Int = 560,
    height: Int = 360, isEqualAspect: Bool = false, _ marks: [Mark] = []
  ) {
    precondition(width >= 120 && height >= 90, "a plot of \(width) × \(height) pixels is too small")
    (self.title, self.notes, self.x, self.y, self.marks) = (title, notes, x, y, marks)
    (self.width, self.givenHeight, self.isEqualAspect) = (width, height, isEqualAspect)
  }

  /// Creates a plot of marks alone.
  public init(_ marks: [Mark]) { self.init("", marks) }

  /// Adds a layer on top.
  public mutating func add(_ mark: Mark) { marks.append(mark) }

  /// The height in pixels.
  public var height: Int { layout.height }

  /// What the plot shows.
  public var summary: String {
    title.isEmpty ? "\(y.label) against \(x.label)" : title
  }

  var layout: PlotLayout { PlotLayout(self, requestedHeight: givenHeight) }

  /// The SVG elements of the plot.
  public var elements: String { PlotDrawing(plot: self, layout: layout).elements }
}

extension Plot {
  /// Clouds of points in the plane with one unit for both axes: samples of shape `[n, 2]`, each given by its scalars.
  public static func samples<S: Collection>(
    _ title: String = "", _ series: [(label: String, pairs: S)], range: ClosedRange<Double>? = nil,
    width: Int = 420
  ) -> Plot where S.Element: BinaryFloatingPoint {
    Plot(
      title, x: Axis(range: range), y: Axis(range: range), width: width, isEqualAspect: true,
      series.map { .scatter(pairs: $0.pairs, label: series.count > 1 ? $0.label : nil) })
  }
}
