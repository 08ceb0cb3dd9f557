import ScoreTensors
import Synchronization

/// The memory that one run of a program needs: make one, then run as often as you like without allocating.
///
/// Several runs at a time need one workspace each. A workspace fits the program that made it, whatever parameters it
/// is bound to.
public final class Workspace<Scalar: TensorScalar>: @unchecked Sendable {
  // Used by one run at a time, which is the caller's duty.
  let compiled: CompiledProgram
  let pool: ThreadPool?
  let segments: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  private let memory: UnsafeMutableRawPointer
  private let execution: UnsafeMutablePointer<Execution>
  private let barrier = SpinBarrier()
  /// The leaf to be done next, or a number beyond them while what they read is not there.
  private let nextLeaf = Atomic(Int.max / 2)
  /// Leaves that are not done.
  private let leavesLeft = Atomic(0)

  init(_ compiled: CompiledProgram, pool: ThreadPool?) {
    self.compiled = compiled
    self.pool = compiled.isShared ? pool : nil
    let workers = self.pool?.threads ?? 1
    // A gap between the workers' scratch memories keeps their cache lines apart.
    let scratchStride = compiled.scratchBytes + 128
    memory = .allocate(byteCount: compiled.arenaBytes + workers * scratchStride + 64, alignment: 64)
    segments = .allocate(capacity: compiled.segmentCount)
    segments.initialize(repeating: nil, count: compiled.segmentCount)
    segments[CompiledProgram.Segment.arena] = memory
    segments[CompiledProgram.Segment.constants] = compiled.constants
    execution = .allocate(capacity: 1)
    execution.initialize(
      to: Execution(
        instructions: UnsafeBufferPointer(compiled.instructions), segments: segments,
        scratch: memory + compiled.arenaBytes, scratchStride: scratchStride,
        isDouble: compiled.isDouble, kernels: compiled.kernels.table,
        barrier: .passUnretained(barrier), pool: self.pool.map { .passUnretained($0) }))
  }

  /// Runs the program on the segments as they are set.
  func run() {
    if let pool {
      pool.run(context: execution) { context, worker, workers in
        context?.assumingMemoryBound(to: Execution.self).pointee.run(worker, workers)
      }
    } else {
      execution.pointee.run()
      if !compiled.leaves.isEmpty { runLeaves() }
    }
  }

  private func runLeaves() {
    leavesLeft.store(compiled.leaves.count, ordering: .relaxed)
    nextLeaf.store(0, ordering: .releasing)
    takeLeaves(scratch: execution.pointee.scratch)
    var waiter = SpinWait()
    while leavesLeft.load(ordering: .acquiring) > 0 { waiter.pause() }
    nextLeaf.store(Int.max / 2, ordering: .relaxed)
  }

  /// Does leaves of a run that another thread has under way in this workspace, if there are any now.
  ///
  /// - Parameter own: a workspace of the same program that is not in use, for its scratch memory.
  /// - Returns: how many it did.
  @discardableResult
  package func help(with own: Workspace) -> Int {
    precondition(own !== self && own.compiled === compiled, "two workspaces of one program")
    return takeLeaves(scratch: own.execution.pointee.scratch)
  }

  @discardableResult
  private func takeLeaves(scratch: UnsafeMutableRawPointer) -> Int {
    var done = 0
    while nextLeaf.load(ordering: .relaxed) < compiled.leaves.count {
      let number = nextLeaf.add(1, ordering: .acquiring).oldValue
      if number >= compiled.leaves.count { break }
      var one = execution.pointee
      one.scratch = scratch
      one.instructions = UnsafeBufferPointer(
        rebasing: UnsafeBufferPointer(compiled.leaves)[number..<number + 1])
      one.run()
      done += 1
      leavesLeft.subtract(1, ordering: .releasing)
    }
    return done
  }

  /// Runs the instructions that depend on parameters alone.
  func runFixed() {
    var fixed = execution.pointee
    fixed.instructions = UnsafeBufferPointer(compiled.fixedInstructions)
    fixed.run()
  }

  /// Packs one of the filters that may be packed in any order; several threads may do so at once.
  func packFilter(_ number: Int) {
    var one = execution.pointee
    one.instructions = UnsafeBufferPointer(
      rebasing: UnsafeBufferPointer(compiled.filterPacks)[number..<number + 1])
    one.run()
  }

  deinit {
    memory.deallocate()
    segments.deallocate()
    execution.deallocate()
  }
}
