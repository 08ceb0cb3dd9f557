import CScoreKernels

/// The scalar types that tensors hold: `Float` by default, `Double` on request.
///
/// Requirements with an underscore are doors to the kernels, each documented in `CScoreKernels.h`; `_round` is a loop here.
public protocol TensorScalar: BinaryFloatingPoint, LosslessStringConvertible, Sendable
where RawSignificand: FixedWidthInteger {
  /// The name of the type in files and on the command line: `float32` or `float64`.
  static var typeName: String { get }

  /// Numbers in Double, each rounded to nearest: a generic conversion would cost a call for every entry.
  static func _round(_ n: Int, _ x: UnsafePointer<Double>, _ out: UnsafeMutablePointer<Self>)
  static func _combine(
    _ kernels: Kernels, _ n: Int, _ a: Self, _ x: UnsafePointer<Self>?, _ b: Self,
    _ y: UnsafePointer<Self>?, _ c: Self, _ z: UnsafePointer<Self>?,
    _ out: UnsafeMutablePointer<Self>?)
  static func _combineRows(
    _ kernels: Kernels, _ rows: Int, _ columns: Int, _ a: UnsafePointer<Self>?,
    _ x: UnsafePointer<Self>?, _ b: UnsafePointer<Self>?, _ y: UnsafePointer<Self>?,
    _ c: UnsafePointer<Self>?, _ z: UnsafePointer<Self>?, _ out: UnsafeMutablePointer<Self>?)
  static func _map(
    _ kernels: Kernels, _ opcode: sk_opcode, _ n: Int, _ x: UnsafePointer<Self>?,
    _ y: UnsafeMutablePointer<Self>?)
  static func _dotRows(
    _ kernels: Kernels, _ rows: Int, _ columns: Int, _ x: UnsafePointer<Self>?,
    _ y: UnsafePointer<Self>?, _ out: UnsafeMutablePointer<Self>?)
  static func _allFinite(_ kernels: Kernels, _ n: Int, _ x: UnsafePointer<Self>?) -> Bool
  static func _gemm(
    _ kernels: Kernels, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Self>?, _ lda: Int,
    _ transA: Bool, _ b: UnsafePointer<Self>?, _ ldb: Int, _ transB: Bool,
    _ c: UnsafeMutablePointer<Self>?, _ ldc: Int, _ scratch: UnsafeMutableRawPointer?)
  static func _gemmScratch(_ m: Int, _ n: Int, _ k: Int) -> Int
  static func _uniform(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?)
  static func _normal(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?)
  static func _rademacher(
    _ kernels: Kernels, _ key: UInt64, _ index: UnsafePointer<Int64>?, _ first: Int, _ rows: Int,
    _ columns: Int, _ out: UnsafeMutablePointer<Self>?)
  static func _adam(
    _ kernels: Kernels, _ n: Int, _ gradient: UnsafePointer<Self>?, _ scale: Self,
    _ parameter: UnsafeMutablePointer<Self>?, _ m: UnsafeMutablePointer<Self>?,
    _ v: UnsafeMutablePointer<Self>?, _ average: UnsafeMutablePointer<Self>?, _ step: Self,
    _ beta1: Self, _ beta2: Self, _ inverseRoot: Self, _ epsilon: Self, _ decay: Self)
}

extension Array where Element: TensorScalar {
  /// Numbers in Double, rounded.
  package init(rounding values: [Double]) {
    self.init(unsafeUninitializedCapacity: values.count) { out, filled in
      if let out = out.baseAddress { Element._round(values.count, values, out) }
      filled = values.count
    }
  }
}

extension BinaryFloatingPoint where Self: LosslessStringConvertible {
  /// The number in an error's sentence; what is no number has no sign there.
  package var inSentence: String { isNaN ? "nan" : "\(self)" }
}
