import CScoreKernels

/// Elementwise functions in Double for the rooms that do arithmetic of their own beside tensors.
extension Kernels {
  /// Replaces every entry by its exponential.
  package func exponentiate(_ entries: UnsafeMutableBufferPointer<Double>) {
    guard let base = entries.baseAddress else { return }
    sk_map_f64(table, SK_EXP, Int64(entries.count), base, base)
  }

  /// Replaces every entry by its natural logarithm.
  package func takeLogarithm(_ entries: UnsafeMutableBufferPointer<Double>) {
    guard let base = entries.baseAddress else { return }
    sk_map_f64(table, SK_LOG, Int64(entries.count), base, base)
  }
}
