import Foundation
import ScoreGuidance
import ScoreProcesses
import ScoreSampling
import ScoreTensors
import Testing

/// A field that gives the same noise everywhere.
private struct ConstantField<Scalar: TensorScalar>: ScoreField {
  let process: any LinearProcess
  let sampleShape: Shape
  var value = 0.0

  func noise(_ x: Tensor<Scalar>, at t: Times) throws -> Tensor<Scalar> {
    Tensor(x.shape, repeating: Scalar(value))
  }
}

/// Fields whose denoised data are kept in the range of the data.
@Suite struct ClippedFieldTests {
  private typealias Threshold = ClippedField<Double>.Threshold

  private static func gaussian(
    _ process: any LinearProcess, _ width: Int = 1
  ) throws -> GaussianOracle<Double> {
    try GaussianOracle(process: process, mean: 0.3, deviation: 0.8, sampleShape: [width])
  }

  private static func wave(_ rows: Int, _ width: Int, size: Double = 1) -> Tensor<Double> {
    Tensor([rows, width], (0..<rows * width).map { size * sin(1 + 1.7 * Double($0)) })
  }

  @Test func denoisedDataAreClippedUnderEveryProcess() throws {
    for process in try ProcessSpec.standardNames.map(ProcessSpec.process) {
      let field = try Self.gaussian(process, 4)
      let clipped = try ClippedField(field, lower: [-1, 0, 0.25, -9], upper: [1, 0.5, 0.75, 9])
      let times = Times.perSample([0.02, 0.4, 1].map { $0 * process.endTime })
      let x = Self.wave(3, 4, size: 3 * process.priorDeviation)
      let plain = try field.denoised(x, at: times)
      let result = try clipped.denoised(x, at: times)
      var beyond = 0
      for (place, (own, kept)) in zip(plain.scalars, result.scalars).enumerated() {
        let j = place % 4
        let expected = min(max(own, clipped.lower[j]), clipped.upper[j])
        if expected != own { beyond += 1 }
        // What ε̂ rounds to shows σ/α times as large.
        let kernel = process.marginal(at: times[place / 4])
        let error = 1e-14 * (1 + kernel.sigma / kernel.alpha * (1 + abs(x.scalars[place])))
        #expect(abs(kept - expected) < error, "\(process.name) \(place): \(kept), \(expected)")
      }
      #expect(beyond > 2, "\(process.name)")
    }
  }

  /// Without noise x is the data, which no ε̂ can bring into the range.
  @Test func withoutNoiseNothingIsClipped() throws {
    let field = try Self.gaussian(try VariancePreserving(), 2)
    let clipped = try ClippedField(field, to: -1...1)
    let x = Tensor<Double>([1, 2], [9, 0])
    #expect(try clipped.noise(x, at: .shared(0)) == field.noise(x, at: .shared(0)))
  }

  @Test func whatIsInTheRangeKeepsItsBits() throws {
    let process = try VariancePreserving()
    let field = try Self.gaussian(process, 3)
    let x = Self.wave(5, 3)
    // Of each entry x̂₀ is known: only the first one's is beyond its bound.
    for threshold in [nil, Threshold(quantile: 1)] {
      for t in [1e-5, 0.3, 1] {
        let wide = try ClippedField(field, to: -50...50, threshold: threshold)
        #expect(try wide.noise(x, at: .shared(t)) == field.noise(x, at: .shared(t)))
      }
    }
    let first = try ClippedField(field, lower: [9, -50, -50], upper: [10, 50, 50])
    let (own, kept) = (try field.noise(x, at: .shared(0.3)), try first.noise(x, at: .shared(0.3)))
    for place in 0..<x.count {
      #expect((own.scalars[place] == kept.scalars[place]) == (place % 3 != 0))
    }
    // −0 stays −0.
    let zero = ConstantField<Double>(process: process, sampleShape: [1], value: -0.0)
    let noise = try ClippedField(zero, to: -1...1).noise(Tensor([1, 1], [0.1]), at: .shared(0.5))
    #expect(noise.scalars[0].sign == .minus)
  }

  /// ε̂ = 0, so that x̂₀ = x/α: of magnitudes 1, 2, 3, 4 and 7 the quantile 0.8 is at place 3.2, 4 + 0.2 · 3 = 4.6.
  @Test func thresholdsAreTheQuantileOfEachSample() throws {
    let process = try VariancePreserving()
    let (t, kernel) = (0.5, process.marginal(at: 0.5))
    let field = ConstantField<Double>(process: process, sampleShape: [5])
    let data: [[Double]] = [[3, -1, 7, -4, 2], [0.1, -0.2, 0.3, 0.4, 0.9], [0, 0, 0, 0, -3]]
    let x = kernel.alpha * Tensor([3, 5], data.flatMap { $0 })
    func denoised(_ threshold: Threshold, scale: Double = 1, middle: Double = 0) throws
      -> [[Double]]
    {
      let range = (middle - scale)...(middle + scale)
      let moved = (scale * x).map { $0 + kernel.alpha * middle }
      let result = try ClippedField(field, to: range, threshold: threshold)
        .denoised(moved, at: .shared(t))
      return (0..<3).map { result.row($0).map { ($0 - middle) / scale } }
    }
    func expect(_ result: [[Double]], _ scales: [Double]) {
      for (row, s) in scales.enumerated() {
        for (own, kept) in zip(data[row], result[row]) {
          #expect(abs(kept - min(max(own, -s), s) / s) < 1e-13, "\(kept) of \(own)")
        }
      }
    }
    // 0 + 0.2 · 3 is below 1.
    expect(try denoised(Threshold(quantile: 0.8)), [4.6, 1, 1])
    expect(try denoised(Threshold(quantile: 1)), [7, 1, 3])
    expect(try denoised(Threshold(quantile: 0.8, limit: 2)), [2, 1, 1])
    expect(try denoised(Threshold(quantile: 0.8, limit: 1)), [1, 1, 1])
    expect(try denoised(Threshold(quantile: 0.8), scale: 128, middle: 127.5), [4.6, 1, 1])
  }

  /// x_s = dataFactor x̂₀ + stateFactor x_t for the chain's own steps, with x̂₀ clipped.
  @Test func aStepOfTheChainIsThatByHand() throws {
    let chain = try DDPMChain.linear(steps: 4, from: 0.1, to: 0.4)
    let field = try ClippedField(
      ConstantField<Double>(process: chain, sampleShape: [2], value: 0.5), to: -1...1)
    let step = try TimeGrid.chain(chain).steps[1]
    // ᾱ of the third step: 0.9 · 0.8 · 0.7.
    let (now, before) = (0.9 * 0.8 * 0.7, 0.9 * 0.8)
    let x = [2.0, -0.1]
    let clean = [1, (-0.1 - (1 - now).squareRoot() * 0.5) / now.squareRoot()]
    var context = SolverContext<Double>(field: field, key: RandomKey(1))
    var quiet = step
    quiet.isNoiseless = true
    let next = try Ancestral().step(Tensor([1, 2], x), quiet, in: &context)
    for j in 0..<2 {
      let expected =
        before.squareRoot() * 0.3 / (1 - now) * clean[j]
        + 0.7.squareRoot() * (1 - before) / (1 - now) * x[j]
      #expect(abs(next.scalars[j] - expected) < 1e-14)
    }
  }

  @Test(arguments: [
    (ClippingReference.clipped, 1, nil), (ClippingReference.clippedFurther, 1.5, nil),
    (ClippingReference.thresholded, 1, 100), (ClippingReference.limited, 1, 1.5),
  ])
  func stepsAreThoseOfPyTorch(_ states: [[Double]], _ end: Double, _ limit: Double?) throws {
    let chain = try DDPMChain.linear(steps: 10, from: 0.05, to: 0.6)
    let constant = ConstantField<Double>(process: chain, sampleShape: [8], value: 0.25)
    let field = try ClippedField(
      constant, to: -end...end, threshold: limit.map { Threshold(quantile: 0.8, limit: $0) })
    var context = SolverContext<Double>(field: field, key: RandomKey(1))
    var x = Self.wave(1, 8, size: 2.5)
    for (step, state) in zip(try TimeGrid.chain(chain).steps, states) {
      var step = step
      step.isNoiseless = true
      x = try Ancestral().step(x, step, in: &context)
      for (own, other) in zip(x.scalars, state) {
        #expect(abs(own - other) < 1e-9, "step \(step.index)")
      }
    }
  }

  @Test func samplesDoNotHangTogether() throws {
    let process = try VariancePreserving()
    let times = [0.1, 0.5, 0.9, 1]
    for threshold in [nil, ClippedField<Float>.Threshold(quantile: 0.7)] {
      let field = try ClippedField(
        GaussianOracle<Float>(process: process, mean: 2, deviation: 1, sampleShape: [3]),
        to: -0.5...0.5, threshold: threshold)
      let x = Tensor<Float>(Self.wave(4, 3))
      let together = try field.noise(x, at: .perSample(times))
      for row in 0..<4 {
        let alone = try field.noise(x.rows([row]), at: .shared(times[row]))
        #expect(alone.row(0) == together.row(row))
      }
      #expect(try field.noise(Tensor([0, 3]), at: .perSample([])).rows == 0)
    }
  }

  /// Guidance and many steps lead a wide field beyond; its samples are within all the same.
  @Test func samplesEndInTheRange() throws {
    let process = try VariancePreserving()
    let (wide, other) = (try Self.gaussian(process, 6), try Self.gaussian(process, 6))
    let guided = try GuidedField(
      TiltedField(wide) { x, _ in x.map { _ in 3 } }, from: other, scale: 4)
    for threshold in [nil, Threshold(quantile: 0.9)] {
      let field = try ClippedField(guided, to: -1...1, threshold: threshold)
      for solver in ["ancestral", "dpm-solver++", "ddim"] {
        let samples = try Sampler(field, SolverSpec("\(solver):denoise=tweedie"), steps: 30)
          .sample(50, key: RandomKey(2)).samples
        #expect(samples.scalars.allSatisfy { abs($0) < 1 + 1e-9 }, "\(solver)")
      }
    }
    let free = try Sampler(guided, SolverSpec("ddim"), steps: 30).sample(50, key: RandomKey(2))
    #expect(free.samples.mean > 1)
  }

  @Test func whatIsNotFiniteStaysSo() throws {
    let process = try VariancePreserving()
    for value in [Double.nan, .infinity, -.infinity] {
      let base = ConstantField<Double>(process: process, sampleShape: [2], value: value)
      for threshold in [nil, Threshold(quantile: 0.9)] {
        let field = try ClippedField(base, to: -1...1, threshold: threshold)
        let noise = try field.noise(Tensor([1, 2], [0.5, 1]), at: .shared(0.5))
        #expect(noise.scalars.allSatisfy { !$0.isFinite })
      }
    }
  }

  @Test func wrongRangesAreRefused() throws {
    let field = try Self.gaussian(VariancePreserving(), 2)
    for (lower, upper) in [(1.0, 1.0), (2, 1), (.nan, 1), (0, .infinity)] {
      #expect(
        throws: SamplingError(
          "the range is from \(lower) to \(upper); expected two finite numbers, the first below the second"
        )
      ) { try ClippedField(field, lower: [0, lower], upper: [1, upper]) }
    }
    #expect(
      throws: SamplingError(
        "the range has 1 lower and 2 upper bounds; expected 2 of both, one for each entry of a sample"
      )
    ) { try ClippedField(field, lower: [0], upper: [1, 1]) }
    for quantile in [0.5, 1.01, .nan] {
      #expect(
        throws: SamplingError(
          "the quantile is \(quantile); expected a number above 0.5 and up to 1")
      ) { try ClippedField(field, to: 0...1, threshold: Threshold(quantile: quantile)) }
    }
    for limit in [0.9, .nan] {
      #expect(
        throws: SamplingError(
          "the limit of the threshold is \(limit); expected 1 or more, 1 being the range's end")
      ) {
        try ClippedField(field, to: 0...1, threshold: Threshold(quantile: 0.9, limit: limit))
      }
    }
  }
}
