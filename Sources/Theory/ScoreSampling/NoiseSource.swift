import ScoreTensors

/// Where a run's normal numbers come from.
package enum NoiseSource: Sendable {
  /// From a key: draw d of step k of sample i depends on (key, k, d, i) alone.
  case keyed(RandomKey)
  /// Sample 1 + j sees a 1 in place of number j and 0 elsewhere, counted over the whole run: what reads a linear
  /// sampler's response off. Sample 0 sees zeros, and samples from `total` + 1 on see ones.
  case unit(total: Int)
}

/// The normal numbers of one batch, in the order in which a run draws them.
struct NoiseStream: Sendable {
  let source: NoiseSource
  let samples: SampleIndices
  private var step = -1
  private var stepKey = RandomKey(0)
  private var draw: UInt64 = 0
  /// How many numbers a sample has drawn so far.
  private(set) var drawn = 0

  init(_ source: NoiseSource, samples: SampleIndices) {
    self.source = source
    self.samples = samples
  }

  /// The numbers that the initial state is made of.
  mutating func prior<Scalar: TensorScalar>(_ shape: Shape) -> Tensor<Scalar> {
    switch source {
    case .keyed(let key): key.folded("prior").normal(shape, samples: samples)
    case .unit(let total): unit(shape, total)
    }
  }

  /// The next numbers of a step.
  mutating func next<Scalar: TensorScalar>(_ shape: Shape, step: Int) -> Tensor<Scalar> {
    switch source {
    case .keyed(let key):
      if step != self.step {
        if self.step < 0 { noiseKey = key.folded("noise") }
        self.step = step
        stepKey = noiseKey.folded(UInt64(bitPattern: Int64(step)))
        draw = 0
      }
      defer { draw += 1 }
      return stepKey.folded(draw).normal(shape, samples: samples)
    case .unit(let total): return unit(shape, total)
    }
  }

  private var noiseKey = RandomKey(0)

  private mutating func unit<Scalar: TensorScalar>(_ shape: Shape, _ total: Int) -> Tensor<Scalar> {
    let (first, width) = (drawn, shape.rowCount)
    drawn += width
    return Tensor(shape) { out in
      for row in 0..<shape.rows {
        let sample = samples[row]
        for j in 0..<width {
          out[row * width + j] = sample > total || sample == 1 + first + j ? 1 : 0
        }
      }
    }
  }
}
