import CScoreKernels
import Testing

/// One instruction set that this machine can run.
struct Target: Sendable, CustomTestStringConvertible {
  /// The kernels' own number for it.
  let number: UInt32

  /// Its routines.
  var kernels: OpaquePointer {
    guard let kernels = sk_kernels_for(sk_target(number)) else {
      preconditionFailure("target \(number) was available a moment ago")
    }
    return kernels
  }

  var testDescription: String { String(cString: sk_kernels_name(kernels)) }

  /// Whether a multiply-add rounds once.
  var hasFMA: Bool { number != SK_GENERIC.rawValue }

  /// Every target of this machine, so that each is tested wherever it can run.
  static let available = (0..<5 as Range<UInt32>).map(Target.init).filter {
    sk_kernels_for(sk_target($0.number)) != nil
  }
}

@Suite struct TargetTests {
  @Test func genericIsAlwaysThereAndBestIsAvailable() {
    #expect(Target.available.contains { $0.number == SK_GENERIC.rawValue })
    let best = sk_kernels_target(sk_kernels_best())
    #expect(Target.available.contains { $0.number == best.rawValue })
  }

  @Test(arguments: Target.available) func namesItself(_ target: Target) {
    let names = ["generic", "avx2", "avx512", "neon", "avx512bf16"]
    #expect(sk_kernels_target(target.kernels).rawValue == target.number)
    #expect(String(cString: sk_kernels_name(target.kernels)) == names[Int(target.number)])
  }
}
