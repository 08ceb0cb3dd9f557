import CScoreKernels
import Testing

@Suite struct PeakTests {
  @Test(arguments: Target.available)
  func chainsReachTheirFixedPoint(target: Target) {
    // x = x/2 + 1 ends at 2 in every lane of every chain.
    var single: Float = 0
    let operations = sk_multiply_adds_f32(target.kernels, 100, 0.5, &single)
    #expect(operations > 0 && Double(single) == 2 * operations / 200)
    var double = 0.0
    let wide = sk_multiply_adds_f64(target.kernels, 100, 0.5, &double)
    #expect(wide > 0 && double == 2 * wide / 200)
  }
}
