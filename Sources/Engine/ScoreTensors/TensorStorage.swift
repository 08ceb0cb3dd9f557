/// The memory behind a tensor: a run of entries, aligned for the widest vector unit.
///
/// Written only while uniquely referenced, so sharing it between threads is safe.
final class TensorStorage<Scalar: TensorScalar>: @unchecked Sendable {
  let buffer: UnsafeMutableBufferPointer<Scalar>

  /// Uninitialised entries; the caller fills every one of them before anything reads them.
  init(uninitialized count: Int) {
    precondition(
      count < Int.max / (2 * MemoryLayout<Scalar>.stride), "\(count) entries fit into no memory")
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, count) * MemoryLayout<Scalar>.stride, alignment: 64)
    buffer = UnsafeMutableBufferPointer(
      start: raw.bindMemory(to: Scalar.self, capacity: count), count: count)
  }

  func copy() -> TensorStorage {
    let copy = TensorStorage(uninitialized: buffer.count)
    if let source = buffer.baseAddress, let target = copy.buffer.baseAddress {
      target.initialize(from: source, count: buffer.count)
    }
    return copy
  }

  deinit { UnsafeMutableRawPointer(buffer.baseAddress)?.deallocate() }
}
