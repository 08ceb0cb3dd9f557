extension Tensor {
  /// The number of rows (samples).
  public var rows: Int { shape.rows }

  /// A copy of a range of rows.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(
      0 <= range.lowerBound && range.upperBound <= rows, "rows \(range) of \(rows)")
    let width = shape.rowCount
    return Tensor(shape.withRows(range.count)) { target in
      withUnsafeBuffer { source in
        _ = target.initialize(
          fromContentsOf: source[range.lowerBound * width..<range.upperBound * width])
      }
    }
  }

  /// A copy of chosen rows, in the order given.
  public func rows(_ indices: [Int]) -> Tensor {
    let width = shape.rowCount
    return Tensor(shape.withRows(indices.count)) { target in
      withUnsafeBuffer { source in
        for (place, row) in indices.enumerated() {
          precondition(0 <= row && row < rows, "row \(row) of \(rows)")
          for j in 0..<width { target[place * width + j] = source[row * width + j] }
        }
      }
    }
  }

  /// Overwrites chosen rows with the rows of `other`.
  public mutating func setRows(_ indices: [Int], to other: Tensor) {
    let width = shape.rowCount
    precondition(
      other.shape.rowCount == width && other.rows == indices.count,
      "\(other.shape) does not fit \(indices.count) rows of \(shape)")
    let count = rows
    withUnsafeMutableBuffer { target in
      other.withUnsafeBuffer { source in
        for (place, row) in indices.enumerated() {
          precondition(0 <= row && row < count, "row \(row) of \(count)")
          for j in 0..<width { target[row * width + j] = source[place * width + j] }
        }
      }
    }
  }

  /// The entries of one row; a copy.
  public func row(_ index: Int) -> [Scalar] {
    let width = shape.rowCount
    precondition(0 <= index && index < rows, "row \(index) of \(rows)")
    return withUnsafeBuffer { Array($0[index * width..<(index + 1) * width]) }
  }

  /// Tensors of equal row shape, one below the other.
  public static func concatenated(_ parts: [Tensor]) -> Tensor {
    precondition(!parts.isEmpty, "concatenation of nothing")
    let row = parts[0].shape.row
    precondition(
      parts.allSatisfy { $0.shape.row == row }, "row shapes differ: \(parts.map(\.shape))")
    return Tensor(parts[0].shape.withRows(parts.reduce(0) { $0 + $1.rows })) { target in
      var place = 0
      for part in parts {
        part.withUnsafeBuffer { place = target[place...].initialize(fromContentsOf: $0) }
      }
    }
  }
}
