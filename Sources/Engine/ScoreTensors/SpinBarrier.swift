import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A short wait: looks again at once for a while, then gives the core away between looks.
///
/// On a machine with more runnable threads than cores, whoever is waited for may need this very core.
package struct SpinWait {
  private var turns = 0

  package init() {}

  /// Passes a moment.
  @inline(__always)
  package mutating func pause() {
    turns &+= 1
    if turns > 4096 { sched_yield() }
  }
}

/// A meeting point for a fixed number of workers: nobody leaves before all have come.
///
/// What a worker wrote before it came is seen by all after they leave.
package final class SpinBarrier: Sendable {
  private let arrived = Atomic(0)
  private let round = Atomic(0)

  package init() {}

  /// Waits for the other workers, as so many of them.
  package func wait(_ workers: Int, as count: Int = 1) {
    if workers == count { return }
    let current = round.load(ordering: .relaxed)
    if arrived.add(count, ordering: .acquiringAndReleasing).newValue == workers {
      arrived.store(0, ordering: .relaxed)
      round.store(current &+ 1, ordering: .releasing)
    } else {
      var waiter = SpinWait()
      while round.load(ordering: .acquiring) == current { waiter.pause() }
    }
  }
}
