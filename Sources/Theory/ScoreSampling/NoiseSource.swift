import ScoreTensors

/// Where a run's normal numbers come from.
package enum NoiseSource: Sendable {
  /// From a key: draw d of step k of sample i depends on (key, k, d, i) alone.
  case keyed(RandomKey)
  /// Sample 1 + j sees a 1 in place of number j and 0 elsewhere, counted over the whole run: what reads a linear
  /// sampler's response off. Sample 0 sees zeros, and samples from `total` + 1 on see ones.
  case unit(total: Int)
  /// From a Brownian path in the time that runs from noise to data, so that grids of any step see the same noise.
  ///
  /// With W the path's change over a step of length h and I the integral over the step of the path less its start, the
  /// step's first draw is W/√h and its second √3 (2 I/h − W)/√h, which are independent and standard normal.
  case path(BrownianPath, RandomKey)
  /// The nodes of a quadrature: with n of them, draw d of each step of sample i is node ⌊i/nᵈ⌋ mod n, the same in all entries,
  /// so that nᵈ⁺¹ samples give an expectation over a step's draws without a statistical error.
  case nodes([Double])
}

/// The normal numbers of one batch, in the order in which a run draws them.
struct NoiseStream: Sendable {
  let source: NoiseSource
  let samples: SampleIndices
  private var step: Int?
  private var stepKey = RandomKey(0)
  private var draw: UInt64 = 0
  /// How many numbers a sample has drawn so far.
  private(set) var drawn = 0

  /// Whether numbers come from a key, so that any may be drawn at any time.
  var isKeyed: Bool {
    if case .keyed = source { true } else { false }
  }

  init(_ source: NoiseSource, samples: SampleIndices) {
    self.source = source
    self.samples = samples
  }

  /// The numbers that the initial state is made of.
  mutating func prior<Scalar: TensorScalar>(_ shape: Shape) -> Tensor<Scalar> {
    switch source {
    case .keyed(let key), .path(_, let key):
      key.folded("prior").normal(shape, samples: samples)
    case .unit(let total): unit(shape, total)
    case .nodes: Tensor(shape)
    }
  }

  /// The next numbers of a step.
  mutating func next<Scalar: TensorScalar>(
    _ shape: Shape, in step: TimeStep
  ) -> Tensor<Scalar> {
    if step.index != self.step { draw = 0 }
    defer { draw += 1 }
    switch source {
    case .keyed(let key):
      if step.index != self.step {
        if self.step == nil { noiseKey = key.folded("noise") }
        self.step = step.index
        stepKey = noiseKey.folded(UInt64(bitPattern: Int64(step.index)))
      }
      return stepKey.folded(draw).normal(shape, samples: samples)
    case .unit(let total):
      self.step = step.index
      return unit(shape, total)
    case .nodes(let nodes):
      self.step = step.index
      let block = (0..<draw).reduce(1) { size, _ in size * nodes.count }
      return Tensor(shape) { out in
        for row in 0..<shape.rows {
          let node = Scalar(nodes[samples[row] / block % nodes.count])
          for j in 0..<shape.rowCount { out[row * shape.rowCount + j] = node }
        }
      }
    case .path(let path, _):
      self.step = step.index
      precondition(draw < 2, "draw \(draw) of step \(step.index) on a Brownian path")
      let (change, integral): (Tensor<Scalar>, Tensor<Scalar>) = path.increments(
        shape, samples: samples, from: step.time, to: step.next)
      let h = step.length
      return draw == 0
        ? Scalar(1 / h.squareRoot()) * change
        : .combined(
          Scalar(2 * 3.0.squareRoot() / (h * h.squareRoot())), integral,
          Scalar(-(3 / h).squareRoot()), change)
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
