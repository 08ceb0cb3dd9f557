import CScoreKernels
import Testing

/// The optimiser's step against the formulas of the header in higher precision.
@Suite struct AdamTests {
  func check<T: Scalar>(_: T.Type, _ target: Target, averaged: Bool) {
    for count in [1, 5, 16, 67, 300] {
      var noise = Noise(UInt64(count))
      var state = AdamState<T>(
        parameter: noise.numbers(count), m: [T](repeating: 0, count: count),
        v: [T](repeating: 0, count: count), average: averaged ? noise.numbers(count) : nil)
      var p = state.parameter.map { Extended($0) }
      var m = [Extended](repeating: 0, count: count)
      var v = m
      var average = state.average?.map { Extended($0) }
      for t in 1...5 {
        let gradient: [T] = noise.numbers(count)
        let b1: T = 0.9
        let b2: T = 0.999
        let c1 = 1 - Extended(pow(b1, t))
        let c2 = 1 - Extended(pow(b2, t))
        let rates = AdamRates<T>(
          scale: 0.5, step: T(Extended(0.01) / c1), b1: b1, b2: b2,
          inverseRootC2: T(1 / c2.squareRoot()), epsilon: 1e-8, decay: 0.95)
        T.adam(target, gradient, &state, rates)
        for i in 0..<count {
          let g = Extended(rates.scale) * Extended(gradient[i])
          m[i] = Extended(b1) * m[i] + (1 - Extended(b1)) * g
          v[i] = Extended(b2) * v[i] + (1 - Extended(b2)) * g * g
          p[i] -=
            Extended(rates.step) * m[i]
            / (v[i].squareRoot() * Extended(rates.inverseRootC2) + Extended(rates.epsilon))
          let gap = p[i] - (average?[i] ?? 0)
          average?[i] += (1 - Extended(rates.decay)) * gap
        }
      }
      let tolerance = 10 * Extended(T.ulpOfOne)
      for i in 0..<count {
        #expect(abs(Extended(state.parameter[i]) - p[i]) < tolerance)
        #expect(abs(Extended(state.m[i]) - m[i]) < tolerance)
        #expect(abs(Extended(state.v[i]) - v[i]) < tolerance * v[i] + 1e-30)
        if let average, let got = state.average {
          #expect(abs(Extended(got[i]) - average[i]) < tolerance)
        }
      }
    }
  }

  private func pow<T: Scalar>(_ x: T, _ n: Int) -> T { (0..<n).reduce(1) { y, _ in y * x } }

  @Test(arguments: Target.available, [false, true]) func fiveStepsInFloat(
    _ target: Target, averaged: Bool
  ) {
    check(Float.self, target, averaged: averaged)
  }

  @Test(arguments: Target.available, [false, true]) func fiveStepsInDouble(
    _ target: Target, averaged: Bool
  ) {
    check(Double.self, target, averaged: averaged)
  }
}
