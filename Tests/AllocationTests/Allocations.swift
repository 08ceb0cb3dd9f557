import AllocationCounter
import ScoreTensors
import Synchronization

/// How often threads ask for memory.
enum Allocations {
  /// Whether they are counted here: with the GNU C library, and no sanitizer in its place.
  static let areCounted = allocation_count() >= 0

  /// The allocations of the caller and of the pool's other threads while `body` runs.
  ///
  /// Counts are kept by thread, so tests that run beside this one do not matter.
  static func count(_ pool: ThreadPool, _ body: () throws -> Void) rethrows -> Int {
    let before = helpers(of: pool)
    let start = allocation_count()
    try body()
    let own = allocation_count() - start
    return own + helpers(of: pool) - before
  }

  /// What the pool's threads other than the caller have counted so far; asking allocates on the caller's thread alone.
  private static func helpers(of pool: ThreadPool) -> Int {
    let total = Atomic(0)
    // Nobody's part is taken over, since all of them wait for one another.
    let barrier = SpinBarrier()
    pool.run { worker, workers in
      barrier.wait(workers)
      if worker > 0 { total.add(allocation_count(), ordering: .relaxed) }
    }
    return total.load(ordering: .relaxed)
  }
}
