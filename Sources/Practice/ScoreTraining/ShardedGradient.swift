import Foundation
import ScoreAutodiff
import ScoreTensors
import Synchronization

/// The value of a batch's loss and its gradient, computed in shards of rows that a pool's workers take one after another.
///
/// A shard runs forwards and backwards on one thread in memory of its own size, so that what it computes stays in the
/// cache and workers meet only in the end. Where shards are few, a worker that finds none left takes leaves of the others';
/// where there are more workers than shards, they do one shard after another together if that is estimated to take less time.
/// Shards are cut by the batch and the network alone, and their gradients are summed in order, so the result is the same
/// bits for any number of threads.
package final class ShardedGradient<Scalar: TensorScalar>: @unchecked Sendable {
  // Used by one caller at a time, which is the trainer.
  private struct Shard {
    let rows: Range<Int>
    let program: BoundProgram<Scalar>
    /// Where its rows of each argument begin, as the call at work has it.
    let arguments: UnsafeMutableBufferPointer<UnsafePointer<Scalar>?>
    /// Where its loss and its gradients go.
    let outputs: [UnsafeMutablePointer<Scalar>?]
  }

  /// At most so many shards, since each keeps a gradient of its own.
  private static var mostShards: Int { 8 }
  /// Entries whose squares make one sum, and of which workers take multiples.
  private static var block: Int { Adam<Scalar>.granule }

  /// Where each trained parameter's gradient begins; the loss is entry 0.
  private let offsets: [Int]
  /// Entries of one shard's results.
  private let stride: Int
  private let results: UnsafeMutablePointer<Scalar>
  private let shards: [Shard]
  private let programs: [BoundProgram<Scalar>]
  /// Whether all workers do one shard after another together, rather than one each.
  let sharesShards: Bool
  /// Of each worker that takes shards, for each program.
  private let workspaces: [[Workspace<Scalar>]]
  /// Entries of one row of each argument.
  private let rowCounts: [Int]
  /// The sums of squares of the blocks of all parameters, one after another.
  private let squares: UnsafeMutablePointer<Scalar>
  /// Each trained parameter's entries, and its first block.
  private let parts: [(count: Int, firstBlock: Int)]
  /// The blocks of all parameters.
  private let blocks: Int
  private let pool: ThreadPool

  /// Compiles a loss for the shards of a batch.
  ///
  /// - Parameters:
  ///   - loss: the arguments, each with as many rows as it is given, and the mean loss of these rows.
  /// - Throws: `TrainingError` where the machine has less memory than the shards at work and their gradients take.
  package init(
    batch: Int, parameters: [Formula], trained: [Int], pool: ThreadPool,
    loss: (_ rows: Int) -> (arguments: [Formula], value: Formula)
  ) throws(TrainingError) {
    self.pool = pool
    var end = 16
    offsets = trained.map { index in
      defer { end += (parameters[index].shape.count + 15) / 16 * 16 }
      return end
    }
    stride = end
    func compile(_ rows: Int, leavesLast: Bool = false) -> (
      program: Program<Scalar>, arguments: [Formula]
    ) {
      let (arguments, mean) = loss(rows)
      let value = mean * (Double(rows) / Double(batch))
      let gradients = gradient(of: value, withRespectTo: trained.map { parameters[$0] })
      return (
        Program(
          parameters: parameters, arguments: arguments, outputs: [value] + gradients,
          leavesLast: leavesLast),
        arguments
      )
    }
    let size = Self.rows(
      of: batch, flop: compile(min(batch, 8)).program.flopCount / min(batch, 8), entries: end)
    let zeros = parameters.map { Tensor<Scalar>($0.shape) }
    let firsts = Array(Swift.stride(from: 0, to: batch, by: size))
    var (whole, arguments) = compile(size)
    sharesShards =
      firsts.count < pool.threads
      && Double(firsts.count) * whole.estimatedTime(threads: pool.threads)
        < whole.estimatedTime(threads: 1)
    // Of many shards, who ends early takes another; of few, products of those that others still compute.
    let leavesLast = !sharesShards && pool.threads > 1 && firsts.count <= 2 * pool.threads
    if leavesLast { (whole, arguments) = compile(size, leavesLast: true) }
    rowCounts = arguments.map(\.shape.rowCount)
    let workers = sharesShards ? 1 : min(pool.threads, firsts.count)
    let bytes =
      Double(workers) * Double(whole.arenaBytes)
      + Double(firsts.count * end) * Double(MemoryLayout<Scalar>.stride)
    let memory = Double(ProcessInfo.processInfo.physicalMemory)
    guard bytes <= memory else {
      throw TrainingError(
        "a step on a batch of \(batch) takes \(Int(bytes / 1e9)) GB of memory, and this machine has \(Int(memory / 1e9)) GB; expected a smaller batch or network"
      )
    }
    var programs = [whole.bind(zeros)]
    if batch % size > 0 {
      programs.append(compile(batch % size, leavesLast: leavesLast).program.bind(zeros))
    }
    self.programs = programs
    let results = UnsafeMutablePointer<Scalar>.allocate(capacity: firsts.count * end)
    results.initialize(repeating: 0, count: firsts.count * end)
    self.results = results
    shards = firsts.enumerated().map { [offsets] number, first in
      let rows = first..<min(batch, first + size)
      let pointers = UnsafeMutableBufferPointer<UnsafePointer<Scalar>?>.allocate(
        capacity: arguments.count)
      pointers.initialize(repeating: nil)
      return Shard(
        rows: rows, program: rows.count == size ? programs[0] : programs[1], arguments: pointers,
        outputs: ([0] + offsets).map { results + number * end + $0 })
    }
    let together = sharesShards ? pool : nil
    workspaces = (0..<workers).map { _ in programs.map { $0.makeWorkspace(pool: together) } }
    var blocks = 0
    parts = trained.map { index in
      let count = parameters[index].shape.count
      defer { blocks += (count + Self.block - 1) / Self.block }
      return (count, blocks)
    }
    self.blocks = blocks
    squares = .allocate(capacity: max(1, blocks))
  }

  deinit {
    for shard in shards { shard.arguments.deallocate() }
    results.deallocate()
    squares.deallocate()
  }

  /// The rows of a shard: enough that writing and summing its gradient costs little beside computing it, but two shards where
  /// the batch allows, and at most eight.
  private static func rows(of batch: Int, flop: Int, entries: Int) -> Int {
    let worthwhile = max(1, min(256, 1536 * entries / max(1, flop)))
    let most = (batch + mostShards - 1) / mostShards
    return max(most, min(worthwhile, max(32, (batch + 1) / 2)), 1)
  }

  /// The gradient of the trained parameters, as the last call left it.
  package var gradients: [UnsafePointer<Scalar>] { offsets.map { UnsafePointer(results + $0) } }

  /// The mean loss of a batch and the norm of its gradient.
  package func callAsFunction(_ parameters: [Tensor<Scalar>], _ arguments: [Tensor<Scalar>]) -> (
    value: Double, norm: Double
  ) {
    let (value, norm, _) = self(parameters, arguments, meanwhile: {})
    return (value, norm)
  }

  /// The same, and the result of `meanwhile`: other work, done by the first worker that finds no shard left, or else at the end.
  func callAsFunction<Other: Sendable>(
    _ parameters: [Tensor<Scalar>], _ arguments: [Tensor<Scalar>],
    meanwhile: @Sendable () -> Other
  ) -> (value: Double, norm: Double, other: Other) {
    let other = Mutex<Other?>(nil)
    withExtendedLifetime((parameters, arguments)) {
      let fixed = parameters.map { $0.withUnsafeBuffer { $0.baseAddress } }
      for program in programs { program.rebind(unsafeParameters: fixed, pool: pool) }
      let rows = Rows(pointers: arguments.map { $0.withUnsafeBuffer { $0.baseAddress } })
      if sharesShards {
        for number in shards.indices { run(number, rows, 0) }
      } else {
        takeShards(rows) { other.withLock { $0 = meanwhile() } }
      }
    }
    pool.run { [self] worker, workers in
      for part in parts.indices {
        let share = ThreadPool.share(
          of: parts[part].count, granule: Self.block, item: part, worker, workers)
        if !share.isEmpty { sum(part, share) }
      }
    }
    let loss = shards.indices.reduce(0) { $0 + Double(results[$1 * stride]) }
    let square = (0..<blocks).reduce(0) { $0 + Double(squares[$1]) }
    return (loss, square.squareRoot(), other.withLock { $0 } ?? meanwhile())
  }

  /// The beginnings of the arguments' rows, which workers only read.
  private struct Rows: @unchecked Sendable {
    let pointers: [UnsafePointer<Scalar>?]
  }

  /// Each worker takes a shard as long as there is one; the first that finds none does `meanwhile`.
  private func takeShards(_ rows: Rows, meanwhile: @Sendable () -> Void) {
    let next = Atomic(0)
    let unfinished = Atomic(shards.count)
    pool.run { [self] worker, workers in
      guard worker < workspaces.count else { return }
      var shard = next.add(1, ordering: .relaxed).oldValue
      while shard < shards.count {
        run(shard, rows, worker)
        unfinished.subtract(1, ordering: .relaxed)
        shard = next.add(1, ordering: .relaxed).oldValue
      }
      if shard == shards.count { meanwhile() }
      var waiter = SpinWait()
      while workers > 1 && unfinished.load(ordering: .relaxed) > 0 {
        help(as: worker)
        waiter.pause()
      }
    }
  }

  /// Takes what may be taken now of the shards that other workers compute.
  private func help(as worker: Int) {
    for other in workspaces.indices where other != worker {
      for program in programs.indices {
        workspaces[other][program].help(with: workspaces[worker][program])
      }
    }
  }

  private func run(_ number: Int, _ rows: Rows, _ worker: Int) {
    let shard = shards[number]
    for index in rows.pointers.indices {
      shard.arguments[index] = rows.pointers[index].map {
        $0 + shard.rows.lowerBound * rowCounts[index]
      }
    }
    shard.outputs.withUnsafeBufferPointer { outputs in
      shard.program.run(
        unsafeArguments: UnsafeBufferPointer(shard.arguments), unsafeResults: outputs,
        workspaces[worker][shard.program === programs[0] ? 0 : 1])
    }
  }

  /// Sums a share of a parameter's gradient over the shards into the first shard's, and takes its blocks' sums of squares.
  ///
  /// A worker takes the share that it will step, and pack for the most part, so that those entries stay in its cache.
  private func sum(_ part: Int, _ share: Range<Int>) {
    for start in Swift.stride(from: share.lowerBound, to: share.upperBound, by: 4 * Self.block) {
      let count = min(4 * Self.block, share.upperBound - start)
      let total = results + offsets[part] + start
      func shard(_ index: Int) -> UnsafePointer<Scalar>? {
        index < shards.count ? UnsafePointer(total + index * stride) : nil
      }
      for index in Swift.stride(from: 1, to: shards.count, by: 2) {
        Scalar._combine(.best, count, 1, total, 1, shard(index), 1, shard(index + 1), total)
      }
      let (rows, rest) = (count / Self.block, count % Self.block)
      let out = squares + parts[part].firstBlock + start / Self.block
      Scalar._dotRows(.best, rows, Self.block, total, total, out)
      if rest > 0 {
        let last = total + rows * Self.block
        Scalar._dotRows(.best, 1, rest, last, last, out + rows)
      }
    }
  }
}
