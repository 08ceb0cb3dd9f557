import ScoreTensors

/// How a value is read from memory: entry (i₀, i₁, …) of `shape` lies at `offset + Σ iₐ·strides[a]` of a buffer.
///
/// Transposes, broadcasts, slices and most reshapes are views of what they act on, and cost nothing.
struct View: Hashable {
  /// The buffer.
  var buffer: Int
  /// The entry that the first index stands at.
  var offset = 0
  /// The extents.
  var extents: [Int]
  /// The steps in entries; 0 repeats.
  var strides: [Int]

  /// All of a buffer, row-major.
  init(_ buffer: Int, _ shape: Shape) {
    self.buffer = buffer
    extents = shape.extents
    strides = shape.strides
  }

  var count: Int { extents.reduce(1, *) }

  /// The view without axes of extent 1 and with neighbours merged where one step serves both.
  var collapsed: View {
    var view = self
    (view.extents, view.strides) = ([], [])
    for (extent, stride) in zip(extents, strides) where extent != 1 {
      if let last = view.strides.last, last == extent * stride {
        view.extents[view.extents.count - 1] *= extent
        view.strides[view.strides.count - 1] = stride
      } else {
        view.extents.append(extent)
        view.strides.append(stride)
      }
    }
    return view
  }

  /// Whether entries lie one after the other, row-major.
  var isContiguous: Bool {
    if count <= 1 { return true }
    let view = collapsed
    return view.extents.count == 1 && view.strides[0] == 1
  }

  func transposed(_ permutation: [Int]) -> View {
    var view = self
    view.extents = permutation.map { extents[$0] }
    view.strides = permutation.map { strides[$0] }
    return view
  }

  func broadcast(_ shape: Shape) -> View {
    var view = self
    view.extents = shape.extents
    for axis in strides.indices where extents[axis] != shape.extents[axis] {
      view.strides[axis] = 0
    }
    return view
  }

  func sliced(_ starts: [Int], _ shape: Shape) -> View {
    var view = self
    view.offset += zip(starts, strides).reduce(0) { $0 + $1.0 * $1.1 }
    view.extents = shape.extents
    return view
  }

  /// The same entries in the same order under another shape, or nil where no strides say that.
  func reshaped(_ shape: Shape) -> View? {
    var view = self
    view.extents = shape.extents
    view.strides = [Int](repeating: 0, count: shape.rank)
    if count == 0 { return view }
    // Each run of new axes must lie within one merged old axis.
    var old = zip(collapsed.extents, collapsed.strides).map { (extent: $0, stride: $1) }[...]
    for axis in shape.extents.indices.reversed() where shape.extents[axis] != 1 {
      guard let last = old.popLast() else { return nil }
      let extent = shape.extents[axis]
      guard last.extent % extent == 0 else { return nil }
      view.strides[axis] = last.stride
      if last.extent > extent {
        old.append((last.extent / extent, last.stride * extent))
      }
    }
    return old.isEmpty ? view : nil
  }

  /// The number of rows of the first axis with more than one entry, each within the same row of a buffer of
  /// `bufferCount` entries cut into as many rows; nil where indices along that axis stray into other rows.
  func alignedRows(bufferCount: Int) -> Int? {
    guard let lead = extents.firstIndex(where: { $0 != 1 }) else { return nil }
    let rows = extents[lead]
    guard rows > 0, bufferCount % rows == 0, strides[lead] == bufferCount / rows else { return nil }
    var last = offset
    for axis in extents.indices where axis != lead { last += (extents[axis] - 1) * strides[axis] }
    return last < strides[lead] ? rows : nil
  }
}
