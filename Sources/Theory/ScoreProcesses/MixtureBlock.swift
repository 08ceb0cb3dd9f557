import Foundation
import ScoreTensors

/// The sums of a mixture over its components, for one block of rows at a time.
///
/// ```
/// gₖ = Cₖ⁻¹ (x − α μₖ),   Cₖ = α² Σₖ + σ² I,   rₖ ∝ wₖ N(x; α μₖ, Cₖ)
/// ε̂ = σ ḡ,   ḡ = Σₖ rₖ gₖ
/// ∂ε̂/∂x = σ [Σₖ rₖ Cₖ⁻¹ − Σₖ rₖ (gₖ − ḡ)(gₖ − ḡ)ᵀ]
/// ```
///
/// Rows lie along the fast axis, so that every loop runs over rows; a row's numbers meet no other row's. One block
/// serves one thread.
final class MixtureBlock {
  private typealias Buffer = UnsafeMutableBufferPointer<Double>

  private let parts: MixtureComponents
  private let kernels: RowKernels
  private let (count, width): (Int, Int)
  /// The number of rows that fit.
  let capacity: Int
  private let slab: Buffer
  // `[D, capacity]` unless another shape is given.
  private let x, first, second: Buffer
  private let mean: Buffer  // ḡ
  private let cotangent, pulled: Buffer
  private let gradient: Buffer  // gₖ, [K, D, capacity]
  private let inverse: Buffer  // 1 / eigenvalues of Cₖ, [K, D, capacity]
  private let logit: Buffer  // log (wₖ N), then rₖ: [K, capacity]
  private let logDeterminant: Buffer  // of Cₖ, [K, capacity]
  private let alpha, sigma, greatest, sum: Buffer  // [capacity]
  private let scratch: UnsafeMutableRawPointer

  init(_ parts: MixtureComponents, _ kernels: RowKernels) {
    self.parts = parts
    self.kernels = kernels
    (count, width) = (parts.count, parts.dimensions)
    // Small enough to stay in the second-level cache, a multiple of every vector width.
    capacity = max(8, min(128, 32_768 / (count * width) / 8 * 8))
    let lengths =
      [Int](repeating: width, count: 6) + [count * width, count * width, count, count, 1, 1, 1, 1]
    let slab = Buffer.allocate(capacity: lengths.reduce(0, +) * capacity)
    slab.initialize(repeating: 0)
    var offset = 0
    let buffers = lengths.map { [capacity] length in
      defer { offset += length * capacity }
      return Buffer(rebasing: slab[offset..<offset + length * capacity])
    }
    self.slab = slab
    (x, first, second, mean, cotangent, pulled) =
      (buffers[0], buffers[1], buffers[2], buffers[3], buffers[4], buffers[5])
    (gradient, inverse, logit, logDeterminant) = (buffers[6], buffers[7], buffers[8], buffers[9])
    (alpha, sigma, greatest, sum) = (buffers[10], buffers[11], buffers[12], buffers[13])
    scratch = .allocate(
      byteCount: max(64, Double._gemmScratch(width, capacity, width)), alignment: 64)
    if kernels.isShared { prepareShared() }
  }

  deinit {
    slab.deallocate()
    scratch.deallocate()
  }

  // ε̂ and its derivatives for given rows

  /// Writes ε̂ of rows `rows` of a batch `[n, D]`.
  func noise(_ batch: UnsafeBufferPointer<Double>, _ rows: Range<Int>, _ out: Out) {
    evaluate(batch, rows)
    storeNoise(rows, out)
  }

  /// Writes log p_t of rows.
  func logDensity(_ batch: UnsafeBufferPointer<Double>, _ rows: Range<Int>, _ out: Out) {
    evaluate(batch, rows)
    Kernels.best.takeLogarithm(sum)
    let constant = 0.5 * Double(width) * log(2 * .pi)
    for b in 0..<rows.count { out[rows.lowerBound + b] = greatest[b] + sum[b] - constant }
  }

  /// Writes ε̂ of rows, and the trace of ∂ε̂/∂x.
  func noiseAndTrace(
    _ batch: UnsafeBufferPointer<Double>, _ rows: Range<Int>, _ out: Out, _ trace: Out
  ) {
    evaluate(batch, rows)
    storeNoise(rows, out)
    let n = rows.count
    zero(sum)
    for k in 0..<count {
      zero(first)
      for j in 0..<width {
        let (g, c) = (column(gradient, k * width + j), column(inverse, k * width + j))
        let centre = column(mean, j)
        for b in 0..<n {
          let off = g[b] - centre[b]
          first[b] += c[b] - off * off
        }
      }
      let r = column(logit, k)
      for b in 0..<n { sum[b] += r[b] * first[b] }
    }
    for b in 0..<n { trace[rows.lowerBound + b] = sigma[b] * sum[b] }
  }

  /// Writes ε̂ of rows, and the pullback of the cotangent's rows.
  func noiseAndPullback(
    _ batch: UnsafeBufferPointer<Double>, _ v: UnsafeBufferPointer<Double>, _ rows: Range<Int>,
    _ out: Out, _ pullback: Out
  ) {
    evaluate(batch, rows)
    storeNoise(rows, out)
    load(v, rows, cotangent)
    let n = rows.count
    zero(pulled)
    for k in 0..<count {
      // second = Cₖ⁻¹ v
      rotate(k, cotangent, first, back: false)
      for j in 0..<width {
        let (y, c) = (column(first, j), column(inverse, k * width + j))
        for b in 0..<n { y[b] *= c[b] }
      }
      rotate(k, first, second, back: true)
      // sum = (gₖ − ḡ) · v
      zero(sum)
      for j in 0..<width {
        let (g, centre) = (column(gradient, k * width + j), column(mean, j))
        let v = column(cotangent, j)
        for b in 0..<n { sum[b] += (g[b] - centre[b]) * v[b] }
      }
      let r = column(logit, k)
      for j in 0..<width {
        let (g, centre) = (column(gradient, k * width + j), column(mean, j))
        let (p, y) = (column(pulled, j), column(second, j))
        for b in 0..<n { p[b] += r[b] * (y[b] - sum[b] * (g[b] - centre[b])) }
      }
    }
    for j in 0..<width {
      let p = column(pulled, j)
      for b in 0..<n { pullback[(rows.lowerBound + b) * width + j] = sigma[b] * p[b] }
    }
  }

  typealias Out = UnsafeMutableBufferPointer<Double>

  // Fills logit with rₖ, gradient with gₖ, mean with ḡ, and greatest + log(sum) is log Σ wₖ N but for its constant.
  private func evaluate(_ batch: UnsafeBufferPointer<Double>, _ rows: Range<Int>) {
    let n = rows.count
    if !kernels.isShared { prepare(rows) }
    load(batch, rows, x)
    for k in 0..<count {
      for i in 0..<width {
        let (x, d) = (column(x, i), column(first, i))
        let centre = parts.means[k * width + i]
        for b in 0..<n { d[b] = x[b] - alpha[b] * centre }
      }
      rotate(k, first, second, back: false)
      let logit = column(logit, k)
      let constant = column(logDeterminant, k)
      for b in 0..<n { logit[b] = constant[b] }
      for j in 0..<width {
        let (y, c) = (column(second, j), column(inverse, k * width + j))
        for b in 0..<n {
          let w = y[b] * c[b]
          logit[b] += y[b] * w
          y[b] = w
        }
      }
      let weight = parts.logWeights[k]
      for b in 0..<n { logit[b] = weight - 0.5 * logit[b] }
      let g = Buffer(rebasing: gradient[k * width * capacity..<(k + 1) * width * capacity])
      rotate(k, second, g, back: true)
    }
    normalise(n)
    zero(mean)
    for k in 0..<count {
      let r = column(logit, k)
      for j in 0..<width {
        let (centre, g) = (column(mean, j), column(gradient, k * width + j))
        for b in 0..<n { centre[b] += r[b] * g[b] }
      }
    }
  }

  // Log weights to responsibilities, with the maximum taken out.
  private func normalise(_ n: Int) {
    for b in 0..<n { greatest[b] = logit[b] }
    for k in 0..<count {
      let l = column(logit, k)
      for b in 0..<n { greatest[b] = l[b] > greatest[b] ? l[b] : greatest[b] }
    }
    for k in 0..<count {
      let l = column(logit, k)
      for b in 0..<n { l[b] -= greatest[b] }
    }
    Kernels.best.exponentiate(logit)
    zero(sum)
    for k in 0..<count {
      let l = column(logit, k)
      for b in 0..<n { sum[b] += l[b] }
    }
    for k in 0..<count {
      let l = column(logit, k)
      for b in 0..<n { l[b] /= sum[b] }
    }
  }

  // The factors of rows and all that depends on them alone.
  private func prepare(_ rows: Range<Int>) {
    let n = rows.count
    for b in 0..<n {
      let kernel = kernels[rows.lowerBound + b]
      (alpha[b], sigma[b]) = (kernel.alpha, kernel.sigma)
    }
    for k in 0..<count {
      let constant = column(logDeterminant, k)
      for b in 0..<n { constant[b] = 0 }
      for j in 0..<width {
        let c = column(inverse, k * width + j)
        let variance = parts.variances[k * width + j]
        for b in 0..<n {
          c[b] = alpha[b] * alpha[b] * variance + sigma[b] * sigma[b]
          sum[b] = c[b]
          c[b] = 1 / c[b]
        }
        Kernels.best.takeLogarithm(Buffer(rebasing: sum[..<n]))
        for b in 0..<n { constant[b] += sum[b] }
      }
    }
  }

  // The same for all rows at once, which have one time.
  private func prepareShared() {
    prepare(0..<1)
    for buffer in [alpha, sigma] { buffer.update(repeating: buffer[0]) }
    for index in 0..<count * width {
      let c = column(inverse, index)
      c.update(repeating: c[0])
    }
    for k in 0..<count {
      let constant = column(logDeterminant, k)
      constant.update(repeating: constant[0])
    }
  }

  // Coordinates along the axes of component k, or back.
  private func rotate(_ k: Int, _ source: Buffer, _ target: Buffer, back: Bool) {
    if parts.axes.isEmpty {
      _ = target.update(fromContentsOf: source)
      return
    }
    parts.axes.withUnsafeBufferPointer { axes in
      let q = UnsafeBufferPointer(rebasing: axes[k * width * width..<(k + 1) * width * width])
      if width > 4 {
        Double._gemm(
          .best, width, capacity, width, q.baseAddress, width, back, source.baseAddress, capacity,
          false, target.baseAddress, capacity, scratch)
        return
      }
      for i in 0..<width {
        let y = column(target, i)
        for j in 0..<width {
          let (d, factor) = (column(source, j), back ? q[j * width + i] : q[i * width + j])
          if j == 0 {
            for b in 0..<capacity { y[b] = factor * d[b] }
          } else {
            for b in 0..<capacity { y[b] += factor * d[b] }
          }
        }
      }
    }
  }

  private func storeNoise(_ rows: Range<Int>, _ out: Out) {
    for j in 0..<width {
      let g = column(mean, j)
      for b in 0..<rows.count { out[(rows.lowerBound + b) * width + j] = sigma[b] * g[b] }
    }
  }

  private func load(_ batch: UnsafeBufferPointer<Double>, _ rows: Range<Int>, _ target: Buffer) {
    for j in 0..<width {
      let x = column(target, j)
      for b in 0..<rows.count { x[b] = batch[(rows.lowerBound + b) * width + j] }
    }
  }

  private func zero(_ buffer: Buffer) { buffer.update(repeating: 0) }

  @inline(__always) private func column(_ buffer: Buffer, _ index: Int) -> Buffer {
    Buffer(rebasing: buffer[index * capacity..<(index + 1) * capacity])
  }
}
