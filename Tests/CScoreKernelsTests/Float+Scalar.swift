import CScoreKernels

extension Float: Scalar {
  static func gemmScratch(_ m: Int, _ n: Int, _ k: Int) -> Int {
    sk_gemm_scratch_f32(Int64(m), Int64(n), Int64(k))
  }

  static func gemm(_ target: Target, _ call: GemmCall<Self>, scratch: UnsafeMutableRawPointer) {
    sk_gemm_f32(
      target.kernels, Int64(call.m), Int64(call.n), Int64(call.k), call.a, Int64(call.lda),
      call.transA ? 1 : 0, call.b, Int64(call.ldb), call.transB ? 1 : 0, call.c, Int64(call.ldc),
      call.beta ? 1 : 0, call.bias, call.activation, call.pre, scratch)
  }

  static func gemmPacked(
    _ target: Target, _ call: GemmCall<Self>, packed: UnsafePointer<Self>,
    scratch: UnsafeMutableRawPointer
  ) {
    sk_gemm_packed_f32(
      target.kernels, Int64(call.m), Int64(call.n), Int64(call.k), call.a, Int64(call.lda),
      call.transA ? 1 : 0, packed, call.c, Int64(call.ldc), call.beta ? 1 : 0, call.bias,
      call.activation, call.pre, scratch)
  }

  static func packedCount(_ target: Target, n: Int, k: Int) -> Int {
    sk_gemm_packed_count_f32(target.kernels, Int64(n), Int64(k))
  }

  static func pack(
    _ target: Target, _ call: GemmCall<Self>, rows: Range<Int>,
    packed: UnsafeMutablePointer<Self>
  ) {
    sk_gemm_pack_f32(
      target.kernels, Int64(call.n), Int64(call.k), call.b, Int64(call.ldb), call.transB ? 1 : 0,
      Int64(rows.lowerBound), Int64(rows.upperBound), packed)
  }

  static func map(_ target: Target, _ opcode: sk_opcode, _ x: [Self]) -> [Self] {
    var y = x
    sk_map_f32(target.kernels, opcode, Int64(x.count), x, &y)
    return y
  }

  static func programScratch(_ program: inout sk_program) -> Int {
    sk_program_scratch_f32(&program)
  }

  static func run(
    _ target: Target, _ program: inout sk_program, _ inputs: [UnsafePointer<Self>?],
    _ outputs: [UnsafeMutablePointer<Self>?], _ range: Range<Int>,
    scratch: UnsafeMutableRawPointer
  ) {
    sk_program_run_f32(
      target.kernels, &program, inputs, outputs, Int64(range.lowerBound), Int64(range.upperBound),
      scratch)
  }

  static func sum(_ target: Target, _ shape: ReductionShape, _ x: [Self], into out: inout [Self]) {
    sk_sum_f32(
      target.kernels, Int64(shape.reduce), Int64(shape.inner), Int64(shape.outerRange.lowerBound),
      Int64(shape.outerRange.upperBound), Int64(shape.innerRange.lowerBound),
      Int64(shape.innerRange.upperBound), x, &out)
  }

  static func max(_ target: Target, _ shape: ReductionShape, _ x: [Self], into out: inout [Self]) {
    sk_max_f32(
      target.kernels, Int64(shape.reduce), Int64(shape.inner), Int64(shape.outerRange.lowerBound),
      Int64(shape.outerRange.upperBound), Int64(shape.innerRange.lowerBound),
      Int64(shape.innerRange.upperBound), x, &out)
  }

  static func dotRows(
    _ target: Target, rows: Int, columns: Int, _ x: [Self], _ y: [Self]
  ) -> [Self] {
    var out = [Self](repeating: 0, count: rows)
    sk_dot_rows_f32(target.kernels, Int64(rows), Int64(columns), x, y, &out)
    return out
  }

  static func copyStrided(
    _ target: Target, _ size: [Int64], _ from: [Int64], _ to: [Int64], _ range: Range<Int>,
    _ source: [Self], _ destination: inout [Self]
  ) {
    sk_copy_strided_f32(
      target.kernels, Int32(size.count), size, from, to, Int64(range.lowerBound),
      Int64(range.upperBound), source, &destination)
  }

  static func allFinite(_ target: Target, _ x: [Self]) -> Bool {
    sk_all_finite_f32(target.kernels, Int64(x.count), x) != 0
  }

  static func combine(
    _ target: Target, _ a: Self, _ b: Self, _ c: Self, _ operands: Operands<Self>
  ) {
    sk_combine_f32(
      target.kernels, Int64(operands.count), a, operands.x, b, operands.y, c, operands.z,
      operands.out)
  }

  static func combineRows(
    _ target: Target, _ a: [Self], _ b: [Self], _ c: [Self], _ operands: Operands<Self>
  ) {
    sk_combine_rows_f32(
      target.kernels, Int64(a.count), Int64(operands.count / a.count), a, operands.x, b, operands.y,
      c, operands.z, operands.out)
  }

  static func draw(
    _ target: Target, _ law: Law, key: UInt64, index: [Int64]?, first: Int64, rows: Int,
    columns: Int
  ) -> [Self] {
    var out = [Self](repeating: .nan, count: rows * columns)
    switch law {
    case .uniform:
      sk_uniform_f32(target.kernels, key, index, first, Int64(rows), Int64(columns), &out)
    case .normal:
      sk_normal_f32(target.kernels, key, index, first, Int64(rows), Int64(columns), &out)
    case .rademacher:
      sk_rademacher_f32(target.kernels, key, index, first, Int64(rows), Int64(columns), &out)
    }
    return out
  }

  static func adam(
    _ target: Target, _ gradient: [Self], _ state: inout AdamState<Self>, _ rates: AdamRates<Self>
  ) {
    func step(_ average: UnsafeMutablePointer<Self>?) {
      sk_adam_f32(
        target.kernels, Int64(gradient.count), gradient, rates.scale, &state.parameter, &state.m,
        &state.v, average, rates.step, rates.b1, rates.b2, rates.inverseRootC2, rates.epsilon,
        rates.decay)
    }
    if var average = state.average {
      average.withUnsafeMutableBufferPointer { step($0.baseAddress) }
      state.average = average
    } else {
      step(nil)
    }
  }
}
