import ScoreAutodiff
import ScoreNetworks
import ScoreTensors
import Synchronization

/// What a compiled chunk computes, and for how many rows.
struct ChunkKind: Hashable {
  let rows: Int
  let sharedTime: Bool
  /// How many pullbacks share the forward pass.
  let pullbacks: Int

  /// The most pullbacks of one program; more are taken in several runs.
  static let mostPullbacks = 8

  /// The sizes that programs are compiled for. 128 rows of a few hundred units stay in a core's second-level cache.
  private static let sizes = [1, 4, 16, 32, 64, 128]

  /// The most rows of a chunk whose largest values have so many entries a row: a few megabytes of them in Float.
  ///
  /// Shorter chunks stay in nearer caches, but read every filter for fewer images.
  static func most(largestValue: Int) -> Int {
    sizes.last { $0 * largestValue <= 1 << 20 } ?? 1
  }

  /// How many rows a worker takes where `left` of `count` remain: of its even share of them, in chunks of full size and in the end
  /// shorter ones, so that workers end together although one core may be slower for a while.
  static func next(_ left: Int, of count: Int, workers: Int, most: Int) -> Int {
    let least = min((count + workers - 1) / workers, most < 128 ? max(1, most / 4) : 64)
    let share = max((left + workers - 1) / workers, least)
    return min(left, rows(for: min(left, share), most: most))
  }

  /// The chunk for the next of `count` rows: the largest that they fill, or the smallest that holds the last few.
  ///
  /// Where rows are large and chunks therefore short, no row is computed in vain.
  static func rows(for count: Int, most: Int) -> Int {
    if most < 128 { return sizes.last { $0 <= min(count, most) } ?? 1 }
    if let exact = sizes.last(where: { $0 <= count }), exact >= 16 || count < 4 { return exact }
    return sizes.first { $0 >= count } ?? 128
  }
}

/// A model's formula compiled for one kind of chunk, with the memory for any number of runs at a time.
final class ChunkProgram<Scalar: TensorScalar>: Sendable {
  /// The memory of one run.
  private struct Slot: Sendable {
    var arguments: [Tensor<Scalar>]
    var results: [Tensor<Scalar>]
    let workspace: Workspace<Scalar>
  }

  private let program: BoundProgram<Scalar>
  private let kind: ChunkKind
  private let dimensions: Int
  private let columns: Int
  private let free = Mutex<[Slot]>([])

  init(
    _ kind: ChunkKind, _ configuration: ModelConfiguration, _ parameters: Parameters<Scalar>,
    _ products: ProductPrecision
  ) {
    self.kind = kind
    dimensions = configuration.dimensions
    columns = configuration.columns
    let x = ModelConfiguration.input("x", [kind.rows, dimensions])
    let columns = ModelConfiguration.input("columns", [kind.sharedTime ? 1 : kind.rows, columns])
    let noise = configuration.noise(x, columns: columns)
    var arguments = [x, columns]
    var outputs = [noise]
    for index in 0..<kind.pullbacks {
      let cotangent = ModelConfiguration.input("cotangent.\(index)", x.shape)
      arguments.append(cotangent)
      outputs += vjp([noise], cotangents: [cotangent], withRespectTo: [x])
    }
    program = Program<Scalar>(
      parameters: configuration.parameters.map(\.formula), arguments: arguments, outputs: outputs,
      products: products
    ).bind(parameters.tensors)
  }

  /// Runs on `rows` of a batch, at most the chunk's; the rest of the chunk is padded with the last of them.
  func run(
    _ rows: Range<Int>, x: Tensor<Scalar>, cotangents: ArraySlice<Tensor<Scalar>>,
    outputs: [UnsafeMutablePointer<Scalar>?],
    fillColumns: (_ row: Int, UnsafeMutablePointer<Scalar>) -> Void
  ) {
    var slot = free.withLock { $0.popLast() } ?? makeSlot()
    copy(x, rows, into: &slot.arguments[0])
    for (place, cotangent) in cotangents.enumerated() {
      copy(cotangent, rows, into: &slot.arguments[2 + place])
    }
    let width = columns
    slot.arguments[1].withUnsafeMutableBuffer { buffer in
      guard let base = buffer.baseAddress else { return }
      for place in 0..<(kind.sharedTime ? 1 : kind.rows) {
        if place < rows.count {
          fillColumns(rows.lowerBound + place, base + place * width)
        } else {
          for j in 0..<width { base[place * width + j] = base[(place - 1) * width + j] }
        }
      }
    }
    program.run(slot.arguments, into: &slot.results, slot.workspace)
    for (result, output) in zip(slot.results, outputs) {
      result.withUnsafeBuffer { source in
        guard let output, let base = source.baseAddress else { return }
        (output + rows.lowerBound * dimensions).update(from: base, count: rows.count * dimensions)
      }
    }
    free.withLock { $0.append(slot) }
  }

  private func makeSlot() -> Slot {
    let x: Shape = [kind.rows, dimensions]
    let columns: Shape = [kind.sharedTime ? 1 : kind.rows, columns]
    return Slot(
      arguments: [Tensor(x), Tensor(columns)] + (0..<kind.pullbacks).map { _ in Tensor(x) },
      results: (0...kind.pullbacks).map { _ in Tensor(x) },
      workspace: program.makeWorkspace())
  }

  private func copy(_ source: Tensor<Scalar>, _ rows: Range<Int>, into target: inout Tensor<Scalar>)
  {
    let width = dimensions
    target.withUnsafeMutableBuffer { target in
      source.withUnsafeBuffer { source in
        guard let to = target.baseAddress, let from = source.baseAddress else { return }
        to.update(from: from + rows.lowerBound * width, count: rows.count * width)
        for place in rows.count..<max(rows.count, kind.rows) {
          (to + place * width).update(from: from + (rows.upperBound - 1) * width, count: width)
        }
      }
    }
  }
}
