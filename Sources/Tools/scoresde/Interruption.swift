import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A signal that asks the program to end, kept for the work to find at a moment that suits it.
enum Interruption: Int32 {
  case interrupt = 2
  case termination = 15

  /// The name that people know.
  var name: String { self == .interrupt ? "SIGINT" : "SIGTERM" }
  /// The exit status by the convention of shells.
  var status: Int32 { 128 + rawValue }

  /// The first signal that came since `watch`, or nil.
  static var received: Interruption? { Interruption(rawValue: first.load(ordering: .relaxed)) }

  /// Keeps the first SIGINT (Ctrl-C) or SIGTERM from here on; a second one ends the program at once, as the first would have.
  ///
  /// What the program was started to ignore, as a shell has it in the background, is ignored still.
  static func watch() {
    // Made here, where a lock may be taken.
    _ = first.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
      let before = signal(number) { number in
        // No more than an atomic number, `signal` and `raise`, which are safe wherever a signal strikes.
        let isFirst = first.compareExchange(
          expected: 0, desired: number, ordering: .relaxed
        ).exchanged
        signal(SIGINT, SIG_DFL)
        signal(SIGTERM, SIG_DFL)
        if !isFirst { raise(number) }
      }
      restoreIgnored(number, before)
    }
  }

  /// Has signals end the program at once from here on, as before `watch`.
  static func endWatch() {
    for number in [SIGINT, SIGTERM] { restoreIgnored(number, signal(number, SIG_DFL)) }
  }

  /// Ignores a signal still, where it was ignored before.
  private static func restoreIgnored(_ number: Int32, _ before: (@convention(c) (Int32) -> Void)?) {
    let isIgnored = unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    if isIgnored { signal(number, SIG_IGN) }
  }
}

private let first = Atomic<Int32>(0)
