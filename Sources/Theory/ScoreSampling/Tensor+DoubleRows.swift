import ScoreProcesses
import ScoreTensors

// The solvers' states are in Double, fields compute in Float or Double. A generic conversion goes entry by entry through
// protocol witnesses, at a hundred times the cost: the scalar types round whole rows, and loops from them are written twice here.
extension Tensor {
  /// A tensor from rows in Double of which the first `shape.rowCount` entries are taken.
  package init(rows source: UnsafePointer<Double>, stride: Int, shape: Shape) {
    let (rows, width) = (shape.rows, shape.rowCount)
    self.init(shape) { (out: UnsafeMutableBufferPointer<Scalar>) in
      guard let out = out.baseAddress else { return }
      for i in 0..<rows { Scalar._round(width, source + i * stride, out + i * width) }
    }
  }

  /// Writes the rows as Double.
  package func copyRows(into target: UnsafeMutablePointer<Double>, stride: Int) {
    let (rows, width) = (shape.rows, shape.rowCount)
    withUnsafeBuffer { entries in
      if let entries = entries.cast(to: Float.self) {
        for i in 0..<rows {
          for j in 0..<width { target[i * stride + j] = Double(entries[i * width + j]) }
        }
      } else if let entries = entries.cast(to: Double.self) {
        for i in 0..<rows {
          for j in 0..<width { target[i * stride + j] = entries[i * width + j] }
        }
      } else {
        for i in 0..<rows {
          for j in 0..<width { target[i * stride + j] = Double(entries[i * width + j]) }
        }
      }
    }
  }

  /// Writes the flow's drift f·x + (g²/2σ)·ε̂, with self as ε̂, for rows x in Double.
  package func writeFlow(
    _ rates: [Rates], of x: UnsafePointer<Double>, stride: Int,
    into target: UnsafeMutablePointer<Double>
  ) {
    copyRows(into: target, stride: stride)
    let width = shape.rowCount
    for (i, rate) in rates.enumerated() {
      let (drift, gain) = (rate.drift, rate.noiseGain)
      for j in i * stride..<i * stride + width { target[j] = drift * x[j] + gain * target[j] }
    }
  }

  /// The dot product of each row with the same row of another tensor, summed in Double from the first entry to the last.
  package func doubleRowDots(_ other: Tensor) -> [Double] {
    precondition(shape == other.shape, "shapes differ: \(shape), \(other.shape)")
    let (rows, width) = (shape.rows, shape.rowCount)
    return [Double](unsafeUninitializedCapacity: rows) { sums, filled in
      filled = rows
      sums.initialize(repeating: 0)
      guard let sums = sums.baseAddress else { return }
      withUnsafeBuffer { x in
        other.withUnsafeBuffer { y in
          if let x = x.cast(to: Float.self), let y = y.cast(to: Float.self) {
            writeRowDots(x, y, rows, width, into: sums) { Double($0) }
          } else if let x = x.cast(to: Double.self), let y = y.cast(to: Double.self) {
            writeRowDots(x, y, rows, width, into: sums) { $0 }
          } else if let x = x.baseAddress, let y = y.baseAddress {
            writeRowDots(x, y, rows, width, into: sums) { Double($0) }
          }
        }
      }
    }
  }

  /// The entries as Double.
  package var doubles: [Double] {
    [Double](unsafeUninitializedCapacity: count) { out, filled in
      if let base = out.baseAddress { copyRows(into: base, stride: shape.rowCount) }
      filled = count
    }
  }
}

@inline(__always)
private func writeRowDots<Entry>(
  _ x: UnsafePointer<Entry>, _ y: UnsafePointer<Entry>, _ rows: Int, _ width: Int,
  into sums: UnsafeMutablePointer<Double>, _ double: (Entry) -> Double
) {
  for i in 0..<rows {
    var sum = 0.0
    for j in i * width..<(i + 1) * width { sum += double(x[j]) * double(y[j]) }
    sums[i] = sum
  }
}

extension Array where Element: TensorScalar {
  /// The numbers in Double.
  package var doubles: [Double] { Tensor([count], self).doubles }
}

extension UnsafeBufferPointer {
  /// The same memory, where `Other` is the type of its entries.
  fileprivate func cast<Other>(to: Other.Type) -> UnsafePointer<Other>? {
    guard Other.self == Element.self else { return nil }
    return UnsafeRawPointer(baseAddress)?.assumingMemoryBound(to: Other.self)
  }
}
