import CScoreKernels
import ScoreTensors

/// One run: the instructions and the memory they work on. Every worker of a run reads the same one.
struct Execution {
  var instructions: UnsafeBufferPointer<Instruction>
  /// The beginning of each memory segment.
  var segments: UnsafePointer<UnsafeMutableRawPointer?>
  /// One scratch memory a worker, each this many bytes.
  var scratch: UnsafeMutableRawPointer
  var scratchStride: Int
  var isDouble: Bool
  var kernels: OpaquePointer
  var barrier: Unmanaged<SpinBarrier>
  /// The pool that runs it, if one does.
  var pool: Unmanaged<ThreadPool>?

  /// Does worker `worker`'s share of every instruction; and worker 0, as it comes to the first wait, takes over the shares of those
  /// who have not begun.
  func run(_ worker: Int = 0, _ workers: Int = 1) {
    var begin = 0
    if workers > 1 {
      for index in instructions.indices where instructions[index].waits {
        let others = run(begin..<index, as: worker, workers)
        barrier._withUnsafeGuaranteedRef { $0.wait(workers, as: 1 + others) }
        begin = index
      }
    }
    _ = run(begin..<instructions.count, as: worker, workers)
  }

  /// Does the shares that are worker `worker`'s of instructions among which nobody waits, and gives the number of those that
  /// were others'.
  private func run(_ part: Range<Int>, as worker: Int, _ workers: Int) -> Int {
    run(part, worker, workers)
    guard worker == 0, workers > 1, let pool else { return 0 }
    return pool._withUnsafeGuaranteedRef { pool in
      for other in pool.takenOver { run(part, other, workers) }
      if part.lowerBound == 0 { pool.takeOver { run(part, $0, workers) } }
      return pool.takenOver.count
    }
  }

  private func run(_ part: Range<Int>, _ worker: Int, _ workers: Int) {
    let scratch = scratch + worker * scratchStride
    for index in part {
      let instruction = instructions[index]
      var share = 0..<instruction.allUnits
      if workers > 1 {
        if instruction.units > 0 {
          share = ThreadPool.share(
            of: instruction.units, granule: instruction.granule, worker, workers)
          if share.isEmpty { continue }
        } else if worker > 0 {
          continue
        }
      }
      perform(instruction.work, share, scratch)
    }
  }

  private func perform(
    _ work: Instruction.Work, _ share: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    switch (work, isDouble) {
    case (.gemm(let gemm), false) where gemm.isRounded:
      multiply(gemm, share, scratch, packed: sk_gemm_bf16, plain: sk_gemm_f32)
    case (.gemm(let gemm), false):
      multiply(gemm, share, scratch, packed: sk_gemm_packed_f32, plain: sk_gemm_f32)
    case (.gemm(let gemm), true):
      multiply(gemm, share, scratch, packed: sk_gemm_packed_f64, plain: sk_gemm_f64)
    case (.convolution(let work), _): convolve(work, share, scratch)
    case (.filterPack(let work), _): pack(work)
    case (.filterGradient(let work), _): filterGradient(work, share, scratch)
    case (.groupNorm(let work), _): normalize(work, share, scratch)
    case (.elementwise(let work), _): map(work, share, scratch)
    case (.reduce(let work), _): reduce(work, share)
    case (.copy(let work), false):
      sk_copy_strided_f32(
        kernels, work.rank, work.layout, work.layout + Int(work.rank),
        work.layout + 2 * Int(work.rank), Int64(share.lowerBound), Int64(share.upperBound),
        read(work.source), write(work.target))
    case (.copy(let work), true):
      sk_copy_strided_f64(
        kernels, work.rank, work.layout, work.layout + Int(work.rank),
        work.layout + 2 * Int(work.rank), Int64(share.lowerBound), Int64(share.upperBound),
        read(work.source), write(work.target))
    case (.fill(let target, let unit, let value), false):
      let out: UnsafeMutablePointer<Float>? = write(target, share.lowerBound * unit)
      out?.update(repeating: Float(value), count: share.count * unit)
    case (.fill(let target, let unit, let value), true):
      let out: UnsafeMutablePointer<Double>? = write(target, share.lowerBound * unit)
      out?.update(repeating: value, count: share.count * unit)
    case (.rows(let work), false): moveRows(work, Float.self)
    case (.rows(let work), true): moveRows(work, Double.self)
    }
  }

  // MARK: Addresses

  @inline(__always)
  func address(_ location: Location) -> UnsafeMutableRawPointer? {
    location.segment < 0 ? nil : segments[Int(location.segment)].map { $0 + location.offset }
  }

  @inline(__always)
  func read<T>(_ location: Location, _ entries: Int = 0) -> UnsafePointer<T>? {
    address(location).map { UnsafePointer($0.assumingMemoryBound(to: T.self)) + entries }
  }

  @inline(__always)
  func write<T>(_ location: Location, _ entries: Int = 0) -> UnsafeMutablePointer<T>? {
    address(location).map { $0.assumingMemoryBound(to: T.self) + entries }
  }

  // MARK: Kernels

  private func map(
    _ work: Instruction.Elementwise, _ share: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    let program = work.program
    let (begin, end) = (Int64(share.lowerBound * work.unit), Int64(share.upperBound * work.unit))
    // The scratch memory begins with room for the pointers.
    let pointers = scratch.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    let inputs = Int(program.pointee.input_count)
    for i in 0..<inputs { pointers[i] = address(work.inputs[i]) }
    for i in 0..<Int(program.pointee.output_count) {
      pointers[inputs + i] = address(work.outputs[i])
    }
    let rest = scratch + Self.pointerBytes
    if isDouble {
      sk_program_run_f64(
        kernels, program,
        UnsafeRawPointer(pointers).assumingMemoryBound(to: UnsafePointer<Double>?.self),
        UnsafeRawPointer(pointers + inputs)
          .assumingMemoryBound(to: UnsafeMutablePointer<Double>?.self),
        begin, end, rest)
    } else {
      sk_program_run_f32(
        kernels, program,
        UnsafeRawPointer(pointers).assumingMemoryBound(to: UnsafePointer<Float>?.self),
        UnsafeRawPointer(pointers + inputs)
          .assumingMemoryBound(to: UnsafeMutablePointer<Float>?.self),
        begin, end, rest)
    }
  }

  /// The bytes that an elementwise instruction keeps its pointers in.
  static let pointerBytes = 256

  private func reduce(_ work: Instruction.Reduce, _ share: Range<Int>) {
    let byOuter = work.outerUnit > 0
    let outer =
      byOuter
      ? share.lowerBound * work.outerUnit..<share.upperBound * work.outerUnit : 0..<work.outer
    let inner = byOuter ? 0..<work.inner : share
    switch (work.isSum, isDouble) {
    case (true, false):
      sk_sum_f32(
        kernels, Int64(work.reduce), Int64(work.inner), Int64(outer.lowerBound),
        Int64(outer.upperBound), Int64(inner.lowerBound), Int64(inner.upperBound),
        read(work.source), write(work.out))
    case (true, true):
      sk_sum_f64(
        kernels, Int64(work.reduce), Int64(work.inner), Int64(outer.lowerBound),
        Int64(outer.upperBound), Int64(inner.lowerBound), Int64(inner.upperBound),
        read(work.source), write(work.out))
    case (false, false):
      sk_max_f32(
        kernels, Int64(work.reduce), Int64(work.inner), Int64(outer.lowerBound),
        Int64(outer.upperBound), Int64(inner.lowerBound), Int64(inner.upperBound),
        read(work.source), write(work.out))
    case (false, true):
      sk_max_f64(
        kernels, Int64(work.reduce), Int64(work.inner), Int64(outer.lowerBound),
        Int64(outer.upperBound), Int64(inner.lowerBound), Int64(inner.upperBound),
        read(work.source), write(work.out))
    }
  }

  private func moveRows<T: BinaryFloatingPoint>(_ work: Instruction.Rows, _ type: T.Type) {
    guard let index: UnsafePointer<T> = read(work.index),
      let source: UnsafePointer<T> = read(work.source),
      let out: UnsafeMutablePointer<T> = write(work.out)
    else { return }
    let columns = work.columns
    if !work.isGather { out.update(repeating: 0, count: work.tableRows * columns) }
    for row in 0..<work.rows {
      let chosen = Int(exactly: index[row].rounded(.towardZero)) ?? -1
      let isInside = chosen >= 0 && chosen < work.tableRows
      if work.isGather {
        if isInside {
          (out + row * columns).update(from: source + chosen * columns, count: columns)
        } else {
          (out + row * columns).update(repeating: 0, count: columns)
        }
      } else if isInside {
        for column in 0..<columns {
          out[chosen * columns + column] += source[row * columns + column]
        }
      }
    }
  }
}

extension Execution {
  /// A kernel for products with a packed right-hand matrix of `Word`s.
  fileprivate typealias PackedProduct<T, Word> = (
    _ kernels: OpaquePointer?, _ m: Int64, _ n: Int64, _ k: Int64, _ a: UnsafePointer<T>?,
    _ lda: Int64, _ transA: Int32, _ packed: UnsafePointer<Word>?, _ c: UnsafeMutablePointer<T>?,
    _ ldc: Int64, _ beta: Int32, _ bias: UnsafePointer<T>?, _ activation: sk_activation,
    _ before: UnsafeMutablePointer<T>?, _ scratch: UnsafeMutableRawPointer?
  ) -> Void
  /// A kernel for products of two matrices as they lie.
  fileprivate typealias Product<T> = (
    _ kernels: OpaquePointer?, _ m: Int64, _ n: Int64, _ k: Int64, _ a: UnsafePointer<T>?,
    _ lda: Int64, _ transA: Int32, _ b: UnsafePointer<T>?, _ ldb: Int64, _ transB: Int32,
    _ c: UnsafeMutablePointer<T>?, _ ldc: Int64, _ beta: Int32, _ bias: UnsafePointer<T>?,
    _ activation: sk_activation, _ before: UnsafeMutablePointer<T>?,
    _ scratch: UnsafeMutableRawPointer?
  ) -> Void

  fileprivate func multiply<T, Word>(
    _ work: Instruction.Gemm, _ share: Range<Int>, _ scratch: UnsafeMutableRawPointer,
    packed: PackedProduct<T, Word>, plain: Product<T>
  ) {
    let (rows, columns) = work.part(share)
    let (m, n, k) = (Int64(rows.count), Int64(columns.count), Int64(work.k))
    for matrix in work.batch == 1 ? 0..<1 : share {
      let first = rows.lowerBound
      let out = matrix * work.m * work.n + first * work.n + columns.lowerBound
      let a = matrix * work.aStride + (work.transA ? first : first * work.lda)
      if work.isPacked {
        packed(
          kernels, m, n, k, read(work.a, a), Int64(work.lda), work.transA ? 1 : 0, read(work.b),
          write(work.out, out), Int64(work.n), work.accumulates ? 1 : 0,
          read(work.bias, columns.lowerBound), work.activation, write(work.before, out), scratch)
      } else {
        let b = matrix * work.bStride + columns.lowerBound * (work.transB ? work.ldb : 1)
        plain(
          kernels, m, n, k, read(work.a, a), Int64(work.lda), work.transA ? 1 : 0,
          read(work.b, b), Int64(work.ldb), work.transB ? 1 : 0, write(work.out, out),
          Int64(work.n), work.accumulates ? 1 : 0, read(work.bias, columns.lowerBound),
          work.activation, write(work.before, out), scratch)
      }
    }
  }
}
