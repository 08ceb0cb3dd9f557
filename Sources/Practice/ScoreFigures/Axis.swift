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
  /// Whether values are counted, such as steps, so that ticks are whole numbers too.
  public var isWhole: Bool

  /// Creates an axis.
  public init(
    _ label: String = "", scale: Scale = .linear, range: ClosedRange<Double>? = nil,
    isWhole: Bool = false
  ) {
    (self.label, self.scale, self.range, self.isWhole) = (label, scale, range, isWhole)
  }
}

extension Axis: ExpressibleByStringLiteral {
  /// Creates a linear axis with a label.
  public init(stringLiteral label: String) { self.init(label) }
}
