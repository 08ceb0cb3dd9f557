import CScoreKernels

/// The instruction sets that the kernels are compiled for.
public enum KernelTarget: String, Sendable, CaseIterable {
  case generic, avx2, avx512, neon, avx512bf16

  var code: sk_target {
    switch self {
    case .generic: SK_GENERIC
    case .avx2: SK_AVX2
    case .avx512: SK_AVX512
    case .neon: SK_NEON
    case .avx512bf16: SK_AVX512_BF16
    }
  }
}

/// One instruction set's kernels, chosen once at run time.
///
/// Targets with fused multiply-add agree bit for bit in matrix products; `generic` may differ in the last bits, and so may
/// `avx512bf16` in products of operands rounded to bfloat16, which are all that sets it apart from `avx512`.
public struct Kernels: @unchecked Sendable {
  // Points at an immutable table with static lifetime, which is why sharing it is safe.
  package let table: OpaquePointer

  /// The instruction set of these kernels.
  public let target: KernelTarget

  /// The kernels for `target`, or nil where this machine cannot run them.
  public init?(_ target: KernelTarget) {
    guard let table = sk_kernels_for(target.code) else { return nil }
    self.table = table
    self.target = target
  }

  private init(best table: OpaquePointer) {
    self.table = table
    let code = sk_kernels_target(table)
    self.target = KernelTarget.allCases.first { $0.code == code } ?? .generic
  }

  /// The best kernels that this machine can run.
  public static let best = Kernels(best: sk_kernels_best())

  /// Every target that this machine can run.
  public static var available: [Kernels] { KernelTarget.allCases.compactMap { Kernels($0) } }
}
