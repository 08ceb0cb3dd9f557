import ScoreProcesses
import ScoreTensors

// Generic conversions between scalar types go entry by entry through protocol witnesses; the loops here are compiled for
// Float and Double, which is what the solvers' states and the fields' scalars are.
extension Tensor {
  /// A tensor from rows in Double of which the first `shape.rowCount` entries are taken.
  package init(rows source: UnsafePointer<Double>, stride: Int, shape: Shape) {
    self.init(shape) { (out: UnsafeMutableBufferPointer<Scalar>) in
      let (rows, width) = (shape.rows, shape.rowCount)
      func fill<Entry: BinaryFloatingPoint>(_ out: UnsafeMutablePointer<Entry>) {
        for i in 0..<rows {
          for j in 0..<width { out[i * width + j] = Entry(source[i * stride + j]) }
        }
      }
      guard let base = UnsafeMutableRawPointer(out.baseAddress) else { return }
      if Scalar.self == Float.self {
        fill(base.assumingMemoryBound(to: Float.self))
      } else if Scalar.self == Double.self {
        fill(base.assumingMemoryBound(to: Double.self))
      } else {
        fill(base.assumingMemoryBound(to: Scalar.self))
      }
    }
  }

  /// Writes the rows as Double.
  package func copyRows(into target: UnsafeMutablePointer<Double>, stride: Int) {
    withUnsafeBuffer { buffer in
      let (rows, width) = (shape.rows, shape.rowCount)
      func copy<Entry: BinaryFloatingPoint>(_ entries: UnsafePointer<Entry>) {
        for i in 0..<rows {
          for j in 0..<width { target[i * stride + j] = Double(entries[i * width + j]) }
        }
      }
      guard let base = UnsafeRawPointer(buffer.baseAddress) else { return }
      if Scalar.self == Float.self {
        copy(base.assumingMemoryBound(to: Float.self))
      } else if Scalar.self == Double.self {
        copy(base.assumingMemoryBound(to: Double.self))
      } else {
        copy(base.assumingMemoryBound(to: Scalar.self))
      }
    }
  }

  /// Writes the flow's drift f·x + (g²/2σ)·ε̂, with self as ε̂, for rows x in Double.
  package func addRows(
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

  /// The entries as Double.
  package var doubles: [Double] {
    [Double](unsafeUninitializedCapacity: count) { out, filled in
      if let base = out.baseAddress { copyRows(into: base, stride: shape.rowCount) }
      filled = count
    }
  }
}

extension Array where Element: TensorScalar {
  /// Numbers in Double, rounded; compiled for Float and Double like the loops above.
  init(rounding values: [Double]) {
    self.init(unsafeUninitializedCapacity: values.count) { out, filled in
      func fill<Entry: BinaryFloatingPoint>(_ out: UnsafeMutablePointer<Entry>) {
        for i in values.indices { out[i] = Entry(values[i]) }
      }
      filled = values.count
      guard let base = UnsafeMutableRawPointer(out.baseAddress) else { return }
      if Element.self == Float.self {
        fill(base.assumingMemoryBound(to: Float.self))
      } else if Element.self == Double.self {
        fill(base.assumingMemoryBound(to: Double.self))
      } else {
        fill(base.assumingMemoryBound(to: Element.self))
      }
    }
  }

  /// The numbers in Double.
  package var doubles: [Double] { Tensor([count], self).doubles }
}
