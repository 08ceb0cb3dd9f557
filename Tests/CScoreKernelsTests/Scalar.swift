import CScoreKernels

/// The kernels of one scalar type under common names, so that each test is written once.
protocol Scalar: BinaryFloatingPoint, Sendable {
  static func gemmScratch(_ m: Int, _ n: Int, _ k: Int) -> Int
  static func gemm(_ target: Target, _ call: GemmCall<Self>, scratch: UnsafeMutableRawPointer)
  static func gemmPacked(
    _ target: Target, _ call: GemmCall<Self>, packed: UnsafePointer<Self>,
    scratch: UnsafeMutableRawPointer)
  static func packedCount(_ target: Target, n: Int, k: Int) -> Int
  static func pack(
    _ target: Target, _ call: GemmCall<Self>, rows: Range<Int>,
    packed: UnsafeMutablePointer<Self>)

  static func map(_ target: Target, _ opcode: sk_opcode, _ x: [Self]) -> [Self]
  static func programScratch(_ program: inout sk_program) -> Int
  static func run(
    _ target: Target, _ program: inout sk_program, _ inputs: [UnsafePointer<Self>?],
    _ outputs: [UnsafeMutablePointer<Self>?], _ range: Range<Int>,
    scratch: UnsafeMutableRawPointer)

  static func sum(_ target: Target, _ shape: ReductionShape, _ x: [Self], into out: inout [Self])
  static func max(_ target: Target, _ shape: ReductionShape, _ x: [Self], into out: inout [Self])
  static func dotRows(_ target: Target, rows: Int, columns: Int, _ x: [Self], _ y: [Self]) -> [Self]
  static func copyStrided(
    _ target: Target, _ size: [Int64], _ from: [Int64], _ to: [Int64], _ range: Range<Int>,
    _ source: [Self], _ destination: inout [Self])
  static func allFinite(_ target: Target, _ x: [Self]) -> Bool
  static func combine(
    _ target: Target, _ a: Self, _ b: Self, _ c: Self, _ operands: Operands<Self>)
  static func combineRows(
    _ target: Target, _ a: [Self], _ b: [Self], _ c: [Self], _ operands: Operands<Self>)

  static func draw(
    _ target: Target, _ law: Law, key: UInt64, index: [Int64]?, first: Int64, rows: Int,
    columns: Int
  ) -> [Self]
  static func adam(
    _ target: Target, _ gradient: [Self], _ state: inout AdamState<Self>, _ rates: AdamRates<Self>)
}

/// The arguments of one matrix product.
struct GemmCall<T: Scalar> {
  var m: Int
  var n: Int
  var k: Int
  var a: UnsafePointer<T>
  var lda: Int
  var transA: Bool
  var b: UnsafePointer<T>
  var ldb: Int
  var transB: Bool
  var c: UnsafeMutablePointer<T>
  var ldc: Int
  var beta: Bool
  var bias: UnsafePointer<T>?
  var activation: sk_activation
  var pre: UnsafeMutablePointer<T>?
}

/// [outer, reduce, inner] and the part of it that is asked for.
struct ReductionShape {
  var outer: Int
  var reduce: Int
  var inner: Int
  var outerRange: Range<Int>
  var innerRange: Range<Int>

  init(
    outer: Int, reduce: Int, inner: Int, outerRange: Range<Int>? = nil,
    innerRange: Range<Int>? = nil
  ) {
    self.outer = outer
    self.reduce = reduce
    self.inner = inner
    self.outerRange = outerRange ?? 0..<outer
    self.innerRange = innerRange ?? 0..<inner
  }
}

enum Law: CaseIterable, Sendable { case uniform, normal, rademacher }

struct AdamState<T: Scalar> {
  var parameter: [T]
  var m: [T]
  var v: [T]
  var average: [T]?
}

struct AdamRates<T: Scalar> {
  var scale: T
  var step: T
  var b1: T
  var b2: T
  var inverseRootC2: T
  var epsilon: T
  var decay: T
}

/// Calls `body` with `bytes` bytes of 64-byte aligned memory, and checks that the 64 bytes beyond stay as they were.
func withScratch<R>(_ bytes: Int, _ body: (UnsafeMutableRawPointer) throws -> R) rethrows -> R {
  let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
  defer { memory.deallocate() }
  memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes + 64)
  defer {
    precondition(
      (bytes..<bytes + 64).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 },
      "wrote beyond \(bytes) bytes of scratch memory")
  }
  return try body(memory)
}

/// A repeatable sequence of numbers (SplitMix64).
struct Noise {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In -1 ..< 1, with the same value in Float and Double up to rounding.
  mutating func number<T: Scalar>(_: T.Type = T.self) -> T {
    T(Double(bits() >> 11) * 0x1p-52 - 1)
  }

  mutating func numbers<T: Scalar>(_ count: Int, _: T.Type = T.self) -> [T] {
    (0..<count).map { _ in number() }
  }

  mutating func below(_ bound: Int) -> Int { Int(bits() % UInt64(bound)) }
}
