import Foundation
import ScoreTensors

/// The sums over a data set that its exact field is made of, for a few rows at a time.
///
/// ```
/// wᵢ = exp(−dᵢ/(2 s²) − m),   dᵢ = |x − α xᵢ|²,   s² = α² h² + σ²,   m the largest exponent
/// ```
///
/// Data pass by in chunks, with the running maximum taken out, so memory does not grow with them. Distances come from
/// one matrix product where that is precise enough for the row, and from differences where it is not; the choice
/// depends on the row and its time alone, as every sum does.
struct EmpiricalSums {
  static let rowsAtOnce = 32
  static let chunk = 512

  /// m, the largest exponent.
  var largest: Double
  /// Σ wᵢ.
  var weight = 0.0
  /// Σ wᵢ dᵢ.
  var distance = 0.0
  /// Σ wᵢ xᵢ.
  var mean: [Double]
  /// Σ wᵢ cᵢ and Σ wᵢ cᵢ xᵢ with cᵢ = (x − α xᵢ) · v, where there is a cotangent v.
  var along = 0.0
  var alongMean: [Double]

  private init(_ width: Int) {
    largest = -.infinity
    mean = [Double](repeating: 0, count: width)
    alongMean = mean
  }

  /// The factors of one row.
  struct Kernel {
    var alpha: Double
    /// s².
    var variance: Double
  }

  /// The sums of at most `rowsAtOnce` rows x, with cotangents v or without.
  static func rows(
    _ x: Tensor<Double>, _ v: Tensor<Double>?, _ kernels: [Kernel], data: Tensor<Double>,
    squares: [Double], largestSquare: Double
  ) -> [EmpiricalSums] {
    let (rows, width) = (x.rows, data.shape.rowCount)
    var sums = [EmpiricalSums](repeating: EmpiricalSums(width), count: rows)
    let xSquares = x.rowDots(x)
    let alongX = v.map { x.rowDots($0) } ?? []
    let isPrecise = zip(kernels, xSquares).map {
      // The exponent's rounding error must stay below 10⁻¹⁰.
      ($1 + $0.alpha * $0.alpha * largestSquare) * 16 * .ulpOfOne <= 2e-10 * $0.variance
    }
    for begin in stride(from: 0, to: data.rows, by: chunk) {
      let part = data.rows(begin..<min(data.rows, begin + chunk))
      let count = part.rows
      var distances = x.matmul(part, transposeOther: true)
      let projections = v.map { $0.matmul(part, transposeOther: true) }
      distances.withUnsafeMutableBuffer { d in
        for b in 0..<rows {
          let row = UnsafeMutableBufferPointer(rebasing: d[b * count..<(b + 1) * count])
          let alpha = kernels[b].alpha
          if isPrecise[b] {
            for i in 0..<count {
              row[i] = max(
                0, xSquares[b] - 2 * alpha * row[i] + alpha * alpha * squares[begin + i])
            }
          } else {
            differences(x, b, alpha, part, row)
          }
        }
      }
      var weights = distances
      var weighted = distances  // wᵢ cᵢ
      weights.withUnsafeMutableBuffer { w in
        distances.withUnsafeBuffer { d in
          for b in 0..<rows {
            let scale = -0.5 / kernels[b].variance
            var largest = sums[b].largest
            for i in b * count..<(b + 1) * count {
              w[i] = scale * d[i]
              largest = max(largest, w[i])
            }
            for i in b * count..<(b + 1) * count { w[i] -= largest }
            sums[b].rescale(to: largest)
          }
          Kernels.best.exponentiate(w)
          for b in 0..<rows {
            for i in b * count..<(b + 1) * count {
              sums[b].weight += w[i]
              sums[b].distance += w[i] * d[i]
            }
          }
        }
      }
      let means = weights.matmul(part)
      for b in 0..<rows { add(means, b, to: &sums[b].mean) }
      guard let projections else { continue }
      weighted.withUnsafeMutableBuffer { c in
        weights.withUnsafeBuffer { w in
          projections.withUnsafeBuffer { p in
            for b in 0..<rows {
              for i in b * count..<(b + 1) * count {
                c[i] = w[i] * (alongX[b] - kernels[b].alpha * p[i])
                sums[b].along += c[i]
              }
            }
          }
        }
      }
      let alongMeans = weighted.matmul(part)
      for b in 0..<rows { add(alongMeans, b, to: &sums[b].alongMean) }
    }
    return sums
  }

  private mutating func rescale(to largest: Double) {
    if largest == self.largest { return }
    let factor = exp(self.largest - largest)
    self.largest = largest
    weight *= factor
    distance *= factor
    along *= factor
    for j in mean.indices {
      mean[j] *= factor
      alongMean[j] *= factor
    }
  }

  // Adds row `row` of `parts` to a vector.
  private static func add(_ parts: Tensor<Double>, _ row: Int, to vector: inout [Double]) {
    parts.withUnsafeBuffer { parts in
      for j in vector.indices { vector[j] += parts[row * vector.count + j] }
    }
  }

  private static func differences(
    _ x: Tensor<Double>, _ b: Int, _ alpha: Double, _ part: Tensor<Double>,
    _ out: UnsafeMutableBufferPointer<Double>
  ) {
    let width = part.shape.rowCount
    x.withUnsafeBuffer { x in
      part.withUnsafeBuffer { part in
        for i in 0..<out.count {
          var sum = 0.0
          for j in 0..<width {
            let difference = x[b * width + j] - alpha * part[i * width + j]
            sum += difference * difference
          }
          out[i] = sum
        }
      }
    }
  }
}
