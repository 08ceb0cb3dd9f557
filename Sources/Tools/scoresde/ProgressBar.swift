import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Progress on standard error: a bar on a terminal, a plain line now and then elsewhere.
final class ProgressBar: Sendable {
  private let title: String
  private let quiet: Bool
  private let terminal = isatty(2) != 0
  private let start = ContinuousClock.now
  private typealias Moment = (time: ContinuousClock.Instant, fraction: Double)
  /// The first update, as of work that goes on, and the last that was drawn.
  private let seen = Mutex<(first: Moment, last: Moment)?>(nil)

  init(_ title: String, quiet: Bool) {
    self.title = title
    self.quiet = quiet
  }

  /// Shows that `fraction` of the work is done, with a note such as the loss; draws ten times a second at most.
  func update(_ fraction: Double, _ note: String = "") {
    if quiet { return }
    let now = ContinuousClock.now
    let first: Moment? = seen.withLock { seen in
      if let last = seen?.last, fraction < 1,
        terminal ? now - last.time < .milliseconds(100) : fraction - last.fraction < 0.1
      {
        return nil
      }
      if let last = seen?.last, last.fraction >= 1 { return nil }
      let first = seen?.first ?? (now, fraction)
      seen = (first, (now, fraction))
      return first
    }
    guard let first else { return }
    let done = fraction - first.fraction
    let left =
      done > 0.02 && fraction < 1
      ? (now - first.time).seconds * (1 - fraction) / done : nil
    let times =
      "\(Self.clock((now - start).seconds))" + (left.map { ", \(Self.clock($0)) left" } ?? "")
    let percent = String(Int(fraction * 100))
    let padded = String(repeating: " ", count: 3 - percent.count) + percent
    if terminal {
      let filled = Int(fraction * 28)
      let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 28 - filled)
      Console.say(
        "\r\u{1B}[K\(title) \(bar) \(padded) %  \(times)  \(note)" + (fraction >= 1 ? "\n" : ""))
    } else {
      Console.say("\(title): \(padded) %, \(times)\(note.isEmpty ? "" : ", \(note)")\n")
    }
  }

  /// Ends the line of a bar that does not come to its end.
  func leave() {
    guard terminal, !quiet, let last = seen.withLock({ $0?.last }), last.fraction < 1 else {
      return
    }
    Console.say("\n")
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    return "\(whole / 60):\(whole % 60 < 10 ? "0" : "")\(whole % 60)"
  }
}
