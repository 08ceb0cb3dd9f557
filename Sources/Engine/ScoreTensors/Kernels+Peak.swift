import CScoreKernels

extension Kernels {
  /// Does rounds of independent multiply-adds in registers; returns how many floating-point operations they were.
  ///
  /// Their time on each core is the peak that the other kernels are measured by.
  package func multiplyAdds<Scalar: TensorScalar>(rounds: Int, of type: Scalar.Type) -> Double {
    if MemoryLayout<Scalar>.size == 8 {
      var sum = 0.0
      return sk_multiply_adds_f64(table, Int64(rounds), 0.5, &sum)
    }
    var sum: Float = 0
    return sk_multiply_adds_f32(table, Int64(rounds), 0.5, &sum)
  }
}
