/// One axis of a plot: what it measures, on which scale, over which range.
public struct Axis: Hashable, Sendable {
  /// How values are laid out along an axis.
  public enum Scale: Sendable {
    /// Equal differences are equal lengths.
    case linear
    /// Equal ratios are equal lengths; values that are not positive are left out.
    case log
  }

  /// What the axis measures, with its unit.
  public var label: String
  /// How values are laid out.
  public var scale: Scale
  /// The values shown; from the data where nil.
  public var range: ClosedRange<Double>?

  /// Creates an axis.
  public init(_ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil) {
    (self.label, self.scale, self.range) = (label, scale, range)
  }
}

extension Axis: ExpressibleByStringLiteral {
  /// Creates a linear axis with a label.
  public init(stringLiteral label: String) { self.init(label) }
}
