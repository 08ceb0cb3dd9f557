/// The extents of a tensor, outermost first; rows are contiguous in memory (row-major).
///
/// A shape with no axes is a scalar's, with count 1. An extent may be 0.
public struct Shape: Hashable, Sendable {
  /// The extents, outermost first.
  public let extents: [Int]

  /// Creates a shape from extents.
  /// - Precondition: none of them is negative, and the product of those that are not 0 is an `Int`, so that rows of none can be counted too.
  public init(_ extents: [Int]) {
    precondition(extents.allSatisfy { $0 >= 0 }, "a shape's extents are not negative: \(extents)")
    var (count, overflows) = (1, false)
    for extent in extents where extent > 0 && !overflows {
      (count, overflows) = count.multipliedReportingOverflow(by: extent)
    }
    precondition(!overflows, "a shape of extents \(extents) has more entries than can be counted")
    self.extents = extents
  }

  /// The number of axes.
  public var rank: Int { extents.count }

  /// The number of entries: the product of the extents.
  public var count: Int { extents.reduce(1, *) }

  /// The first extent, or 1 for a scalar.
  public var rows: Int { extents.first ?? 1 }

  /// The number of entries of one row: the product of all extents but the first.
  public var rowCount: Int { extents.dropFirst().reduce(1, *) }

  /// The extents of one row: all but the first.
  public var row: Shape { Shape(Array(extents.dropFirst())) }

  /// The same row extents with another number of rows.
  public func withRows(_ rows: Int) -> Shape { Shape([rows] + extents.dropFirst()) }

  /// The extent of an axis; a negative axis counts from the end.
  public subscript(axis: Int) -> Int { extents[axis < 0 ? axis + rank : axis] }

  /// The step in entries from one index to the next along each axis.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * extents[axis + 1]
    }
    return strides
  }
}

extension Shape: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension Shape: CustomStringConvertible {
  public var description: String {
    "[" + extents.map(String.init).joined(separator: ", ") + "]"
  }
}
