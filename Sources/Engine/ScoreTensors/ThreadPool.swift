import Dispatch
import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Threads that run one job together, again and again, for about a microsecond a time.
///
/// A job has a part for each worker. The caller is worker 0 and `threads − 1` threads stand by. Between jobs they spin for
/// `spin`, so that a job that follows soon starts at once, though a slower worker still ends the last one; then they sleep,
/// so that an idle pool costs nothing. A thread that has not begun when the caller is done with its own part, since it slept
/// or the machine has its core do something else, is not waited for: the caller does its part too. A job's results never
/// depend on the number of workers; that is the job's promise, kept by splitting along axes that no sum runs over.
///
/// A pool is made by whoever wants one and handed to what should use it; it may be shared. A run that finds the pool at
/// work, from another thread or from within a job, is done by its caller alone. The threads end with the last
/// reference to the pool.
public final class ThreadPool: Sendable {
  /// A job without captures: the context, the worker's number and the number of workers.
  package typealias Job = @convention(c) (UnsafeMutableRawPointer?, Int, Int) -> Void

  /// The number of workers, the caller included.
  public let threads: Int
  private let state: PoolState

  /// Creates a pool of `threads` workers, by default one for each active core; of fewer where the system starts no more.
  ///
  /// - Parameters:
  ///   - threads: the number of workers that are wanted, the caller included, at least 1.
  ///   - spin: how long a thread without work looks out for some before it sleeps.
  public init(
    threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    spin: Duration = .microseconds(300)
  ) {
    precondition(threads >= 1, "a pool has at least one worker, not \(threads)")
    state = PoolState(helpers: threads - 1, spin: spin)
    self.threads = state.start()
  }

  deinit { state.shutDown() }

  /// What the threads hold until the last of them has ended.
  package var shared: AnyObject { state }

  /// Runs `body(worker, workers)` once for each worker and returns when all are done. Parts must not wait for one another, as one
  /// thread may do several in turn.
  public func run(_ body: @Sendable (_ worker: Int, _ workers: Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      let box = JobBox(body)
      withExtendedLifetime(box) {
        run(context: Unmanaged.passUnretained(box).toOpaque()) { context, worker, workers in
          guard let context else { return }
          Unmanaged<JobBox>.fromOpaque(context)._withUnsafeGuaranteedRef {
            $0.body(worker, workers)
          }
        }
      }
    }
  }

  /// Runs `body` on ranges that make up `0..<count`, at most one a worker, each but the last a multiple of `granule`.
  public func forEachRange(
    of count: Int, granule: Int = 1, _ body: @Sendable (Range<Int>) -> Void
  ) {
    run { worker, workers in
      let range = Self.share(of: count, granule: granule, worker, workers)
      if !range.isEmpty { body(range) }
    }
  }

  /// Worker `worker`'s share of `0..<count`.
  @inlinable
  package static func share(of count: Int, granule: Int, _ worker: Int, _ workers: Int)
    -> Range<Int>
  {
    let units = (count + granule - 1) / granule
    let begin = min(count, units * worker / workers * granule)
    return begin..<min(count, units * (worker + 1) / workers * granule)
  }

  /// Worker `worker`'s share of item number `item` of many: items with fewer granules than workers go to them in turn.
  package static func share(
    of count: Int, granule: Int, item: Int, _ worker: Int, _ workers: Int
  ) -> Range<Int> {
    let isSmall = count <= (workers - 1) * granule
    return share(
      of: count, granule: granule, isSmall ? (worker + item) % workers : worker, workers)
  }

  /// Runs a job that allocates nothing, captures included.
  package func run(context: UnsafeMutableRawPointer?, _ job: Job) {
    if threads == 1 || !state.begin(context, job) {
      job(context, 0, 1)
      return
    }
    job(context, 0, threads)
    state.takeOver { job(context, $0, threads) }
    state.finish()
  }

  /// Parts of the job under way that no thread has begun: done by `body`, now, and from here on the caller's, who is worker 0.
  package func takeOver(_ body: (_ worker: Int) -> Void) { state.takeOver(body) }

  /// The parts that worker 0 has taken over in the job under way, for worker 0 to read.
  package var takenOver: UnsafeBufferPointer<Int> { state.takenOver }
}

/// A closure with an address.
private final class JobBox: Sendable {
  let body: @Sendable (Int, Int) -> Void
  init(_ body: @escaping @Sendable (Int, Int) -> Void) { self.body = body }
}

/// What the threads of a pool share; lives until the last of them has ended.
private final class PoolState: @unchecked Sendable {
  // The job is written before `generation` is raised and read after that is seen.
  private var job: ThreadPool.Job?
  private var context: UnsafeMutableRawPointer?
  private let helpers: [Helper]
  // Those that were started, and the caller; set before the first job.
  private var workers = 1
  private let spin: Duration
  private let busy = Atomic(false)
  private let stopped = Atomic(false)
  private let generation = Atomic(0)
  private let padding = (0, 0, 0, 0, 0, 0, 0, 0)  // keeps the two counters on two cache lines
  private let unfinished = Atomic(0)
  // Both are the caller's, whose job it is.
  private let taken: UnsafeMutableBufferPointer<Int>
  private var takenCount = 0

  init(helpers: Int, spin: Duration) {
    self.helpers = (0..<helpers).map { _ in Helper() }
    self.spin = spin
    taken = .allocate(capacity: helpers)
  }

  deinit { taken.deallocate() }

  /// Starts the helpers' threads, as many as the system lets there be; the result is the number of workers.
  func start() -> Int {
    for number in 1..<max(1, helpers.count + 1) {
      guard Self.startThread({ [self] in work(as: number) }) else { break }
      workers += 1
    }
    return workers
  }

  /// Runs a closure on a new thread, or tells that there is none to be had.
  private static func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    guard pthread_attr_init(&attributes) == 0 else { return false }
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 1 << 20)
    let box = Unmanaged.passRetained(ThreadBody(body))
    #if canImport(Darwin)
      var thread: pthread_t?
      let status = pthread_create(
        &thread, &attributes,
        {
          ThreadBody.run($0)
          return nil
        }, box.toOpaque())
    #else
      var thread = pthread_t()
      let status = pthread_create(
        &thread, &attributes,
        {
          if let body = $0 { ThreadBody.run(body) }
          return nil
        }, box.toOpaque())
    #endif
    if status != 0 { box.release() }
    return status == 0
  }

  /// Starts a job on the helpers, unless one is under way.
  func begin(_ context: UnsafeMutableRawPointer?, _ job: ThreadPool.Job) -> Bool {
    guard busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return false }
    self.job = job
    self.context = context
    takenCount = 0
    unfinished.store(workers - 1, ordering: .relaxed)
    wakeAll()
    return true
  }

  /// Does the parts that no helper has begun. Called by the one whose job it is.
  func takeOver(_ body: (_ worker: Int) -> Void) {
    let current = generation.load(ordering: .relaxed)
    for number in 1..<workers where helpers[number - 1].begins(current) {
      body(number)
      taken[takenCount] = number
      takenCount += 1
      unfinished.subtract(1, ordering: .relaxed)
    }
  }

  var takenOver: UnsafeBufferPointer<Int> { .init(rebasing: taken[..<takenCount]) }

  /// Waits until every helper that has begun is done.
  func finish() {
    var waiter = SpinWait()
    while unfinished.load(ordering: .acquiring) != 0 { waiter.pause() }
    busy.store(false, ordering: .releasing)
  }

  func shutDown() {
    stopped.store(true, ordering: .relaxed)
    wakeAll()
  }

  private func wakeAll() {
    generation.add(1, ordering: .sequentiallyConsistent)
    for helper in helpers
    where helper.asleep.exchange(false, ordering: .sequentiallyConsistent) {
      helper.alarm.signal()
    }
  }

  /// The life of helper `number`.
  private func work(as number: Int) {
    let helper = helpers[number - 1]
    var seen = 0
    // Since when there was nothing to do, or nothing that came in time.
    var start = ContinuousClock.now
    while true {
      seen = waitForJob(after: seen, since: &start, helper)
      if stopped.load(ordering: .relaxed) { return }
      guard helper.begins(seen) else { continue }
      job?(context, number, workers)
      unfinished.subtract(1, ordering: .releasing)
      start = ContinuousClock.now
    }
  }

  /// Waits for another job than number `seen`, and gives its number.
  private func waitForJob(
    after seen: Int, since start: inout ContinuousClock.Instant, _ helper: Helper
  ) -> Int {
    var turns = 0
    while true {
      let current = generation.load(ordering: .acquiring)
      if current != seen { return current }
      turns += 1
      if turns % 256 == 0 && ContinuousClock.now - start > spin {
        helper.asleep.store(true, ordering: .sequentiallyConsistent)
        // A job that came in meanwhile either sees the flag and sounds the alarm, or is seen here.
        if generation.load(ordering: .sequentiallyConsistent) == seen
          || !helper.asleep.exchange(false, ordering: .sequentiallyConsistent)
        {
          // The alarm may be a late one for a job already done, so the generation has the last word.
          helper.alarm.wait()
        }
        start = ContinuousClock.now
      }
    }
  }
}

/// What a thread does, on its way there.
private final class ThreadBody: Sendable {
  private let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }

  static func run(_ pointer: UnsafeMutableRawPointer) {
    Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue().body()
  }
}

/// One standing thread: whether it sleeps, what wakes it, and the last job of which its part has begun.
private final class Helper: Sendable {
  let asleep = Atomic(false)
  let alarm = DispatchSemaphore(value: 0)
  private let begun = Atomic(0)

  /// Begins the part of this job, or tells that another thread has, or that the job is over.
  ///
  /// Each part of each job is begun once, so that of the job under way, and of no other, the last one is the one before.
  func begins(_ job: Int) -> Bool {
    begun.compareExchange(expected: job - 1, desired: job, ordering: .acquiringAndReleasing)
      .exchanged
  }
}
