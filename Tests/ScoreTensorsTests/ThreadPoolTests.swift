import Foundation
import ScoreTensors
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
  final class Counter: Sendable {
    let count = Atomic(0)
  }

  /// With more threads than cores, and threads that sleep, some parts are taken over.
  @Test(arguments: [1, 2, 3, 5, 30], [Duration.zero, .microseconds(300)])
  func everyWorkerRunsOncePerJob(threads: Int, spin: Duration) {
    let pool = ThreadPool(threads: threads, spin: spin)
    let runs = (0..<threads).map { _ in Counter() }
    for _ in 0..<100 {
      pool.run { worker, workers in
        #expect(workers == threads)
        runs[worker].count.add(1, ordering: .relaxed)
      }
    }
    #expect(runs.allSatisfy { $0.count.load(ordering: .relaxed) == 100 })
  }

  @Test func nestedRunsAreDoneByTheirCallerAlone() {
    let pool = ThreadPool(threads: 2)
    let inner = Counter()
    pool.run { _, _ in
      pool.run { worker, workers in
        #expect(worker == 0 && workers == 1)
        inner.count.add(1, ordering: .relaxed)
      }
    }
    #expect(inner.count.load(ordering: .relaxed) == 2)
  }

  @Test func sleepingThreadsWake() async throws {
    let pool = ThreadPool(threads: 3, spin: .zero)
    let count = Atomic(0)
    for _ in 0..<200 {
      pool.run { _, _ in count.add(1, ordering: .relaxed) }
      if count.load(ordering: .relaxed) % 20 == 0 { try await Task.sleep(for: .microseconds(200)) }
    }
    #expect(count.load(ordering: .relaxed) == 600)
  }

  @Test func severalThreadsMayShareAPool() async {
    let pool = ThreadPool(threads: 2)
    let total = Counter()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for _ in 0..<500 {
            pool.forEachRange(of: 10) { total.count.add($0.count, ordering: .relaxed) }
          }
        }
      }
    }
    #expect(total.count.load(ordering: .relaxed) == 4 * 500 * 10)
  }

  @Test(arguments: [0, 1, 7, 64, 1000], [1, 8])
  func sharesCoverTheRangeInGranules(count: Int, granule: Int) {
    for workers in 1...5 {
      let shares = (0..<workers).map {
        ThreadPool.share(of: count, granule: granule, $0, workers)
      }
      #expect(shares.flatMap { Array($0) } == Array(0..<count))
      for share in shares where share.upperBound != count {
        #expect(share.lowerBound % granule == 0 && share.upperBound % granule == 0)
      }
      // As items in turn they are the same shares, each worker's turn coming where there is not enough for all.
      let granules = (count + granule - 1) / granule
      var busy = Set<Int>()
      for item in 0..<workers {
        let turn = (0..<workers).map {
          ThreadPool.share(of: count, granule: granule, item: item, $0, workers)
        }
        #expect(Set(turn) == Set(shares))
        if granules >= workers { #expect(turn == shares) }
        busy.formUnion((0..<workers).filter { !turn[$0].isEmpty })
      }
      #expect(busy.count == (count == 0 ? 0 : workers))
    }
  }

  @Test func barriersHoldEveryoneBack() {
    let pool = ThreadPool(threads: 3)
    let barrier = SpinBarrier()
    let before = Atomic(0)
    pool.run { worker, workers in
      // Those who have not come by now are waited for no more.
      var count = 1
      if worker == 0 { pool.takeOver { _ in count += 1 } }
      for round in 1...200 {
        before.add(count, ordering: .relaxed)
        barrier.wait(workers, as: count)
        #expect(before.load(ordering: .relaxed) == round * workers)
        barrier.wait(workers, as: count)
      }
    }
  }

  /// Each part of each job is begun once, by its own thread or by the caller, who knows which.
  @Test func whatIsTakenOverIsKnown() {
    let pool = ThreadPool(threads: 20, spin: .zero)
    let own = (0..<20).map { _ in Counter() }
    let others = (0..<20).map { _ in Counter() }
    let all = Counter()
    for _ in 0..<100 {
      let taken = Counter()
      pool.run { worker, _ in
        guard worker == 0 else {
          own[worker].count.add(1, ordering: .relaxed)
          return
        }
        pool.takeOver { part in
          others[part].count.add(1, ordering: .relaxed)
          taken.count.add(1, ordering: .relaxed)
        }
        #expect(pool.takenOver.count == taken.count.load(ordering: .relaxed))
        #expect(pool.takenOver.allSatisfy { others[$0].count.load(ordering: .relaxed) > 0 })
      }
      all.count.add(taken.count.load(ordering: .relaxed), ordering: .relaxed)
    }
    for part in 1..<20 {
      let theirs = own[part].count.load(ordering: .relaxed)
      let mine = others[part].count.load(ordering: .relaxed)
      #expect(theirs + mine == 100)
    }
    #expect(all.count.load(ordering: .relaxed) > 0)
  }

  @Test func poolsEndTheirThreads() {
    weak var shared: AnyObject?
    do {
      let pool = ThreadPool(threads: 4)
      pool.run { _, _ in }
      shared = pool.shared
    }
    // Each thread holds it until its end.
    for _ in 0..<1000 where shared != nil { Thread.sleep(forTimeInterval: 0.01) }
    #expect(shared == nil)
  }
}
