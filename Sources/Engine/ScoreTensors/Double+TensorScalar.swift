import CScoreKernels

extension Double: TensorScalar {
  public static var typeName: String { "float64" }

  public static func _round(
    _ n: Int, _ x: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Self>
  ) {
    out.update(from: x, count: n)
  }

  public static func _combine(
    _ kernels: Kernels, _ n: Int, _ a: Self, _ x: UnsafePointer<Self>?, _ b: Self,
    _ y: UnsafePointer<Self>?, _ c: Self, _ z: UnsafePointer<Self>?,
    _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_combine_f64(kernels.table, Int64(n), a, x, b, y, c, z, out)
  }

  public static func _combineRows(
    _ kernels: Kernels, _ rows: Int, _ columns: Int, _ a: UnsafePointer<Self>?,
    _ x: UnsafePointer<Self>?, _ b: UnsafePointer<Self>?, _ y: UnsafePointer<Self>?,
    _ c: UnsafePointer<Self>?, _ z: UnsafePointer<Self>?, _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_combine_rows_f64(kernels.table, Int64(rows), Int64(columns), a, x, b, y, c, z, out)
  }

  public static func _map(
    _ kernels: Kernels, _ opcode: sk_opcode, _ n: Int, _ x: UnsafePointer<Self>?,
    _ y: UnsafeMutablePointer<Self>?
  ) {
    sk_map_f64(kernels.table, opcode, Int64(n), x, y)
  }

  public static func _dotRows(
    _ kernels: Kernels, _ rows: Int, _ columns: Int, _ x: UnsafePointer<Self>?,
    _ y: UnsafePointer<Self>?, _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_dot_rows_f64(kernels.table, Int64(rows), Int64(columns), x, y, out)
  }

  public static func _allFinite(_ kernels: Kernels, _ n: Int, _ x: UnsafePointer<Self>?) -> Bool {
    sk_all_finite_f64(kernels.table, Int64(n), x) != 0
  }

  public static func _gemm(
    _ kernels: Kernels, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Self>?, _ lda: Int,
    _ transA: Bool, _ b: UnsafePointer<Self>?, _ ldb: Int, _ transB: Bool,
    _ c: UnsafeMutablePointer<Self>?, _ ldc: Int, _ scratch: UnsafeMutableRawPointer?
  ) {
    sk_gemm_f64(
      kernels.table, Int64(m), Int64(n), Int64(k), a, Int64(lda), transA ? 1 : 0, b, Int64(ldb),
      transB ? 1 : 0, c, Int64(ldc), 0, nil, SK_IDENTITY, nil, scratch)
  }

  public static func _gemmScratch(_ m: Int, _ n: Int, _ k: Int) -> Int {
    sk_gemm_scratch_f64(Int64(m), Int64(n), Int64(k))
  }

  public static func _uniform(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_uniform_f64(kernels.table, key, index, Int64(first), Int64(rows), Int64(columns), out)
  }

  public static func _normal(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_normal_f64(kernels.table, key, index, Int64(first), Int64(rows), Int64(columns), out)
  }

  public static func _rademacher(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?
  ) {
    sk_rademacher_f64(kernels.table, key, index, Int64(first), Int64(rows), Int64(columns), out)
  }

  public static func _adam(
    _ kernels: Kernels, _ n: Int, _ gradient: UnsafePointer<Self>?, _ scale: Self,
    _ parameter: UnsafeMutablePointer<Self>?, _ m: UnsafeMutablePointer<Self>?,
    _ v: UnsafeMutablePointer<Self>?, _ average: UnsafeMutablePointer<Self>?, _ step: Self,
    _ beta1: Self, _ beta2: Self, _ inverseRoot: Self, _ epsilon: Self, _ decay: Self
  ) {
    sk_adam_f64(
      kernels.table, Int64(n), gradient, scale, parameter, m, v, average, step, beta1, beta2,
      inverseRoot, epsilon, decay)
  }
}
