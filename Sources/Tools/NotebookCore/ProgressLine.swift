import Foundation
import Synchronization

/// Tells on the standard error what goes on: on a terminal in one line that is written over, and
/// elsewhere in plain lines.
package final class ProgressLine: Sendable {
  private let isTerminal: Bool
  private let isQuiet: Bool
  private let write: @Sendable (String) -> Void
  private let isShown = Mutex(false)

  /// Reports to the standard error; a quiet one reports failures and notes alone.
  package init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isTerminal = isatty(STDERR_FILENO) == 1
    write = { Descriptor.error.write($0) }
  }

  /// Reports to `write`, which is no terminal.
  package init(isQuiet: Bool, write: @escaping @Sendable (String) -> Void) {
    self.isQuiet = isQuiet
    isTerminal = false
    self.write = write
  }

  /// Says what happens now.
  func status(_ text: String) {
    if isQuiet { return }
    if !isTerminal {
      write(text + "\n")
      return
    }
    isShown.withLock { isShown in
      write("\r\u{1B}[K" + text.prefix(100))
      isShown = true
    }
  }

  /// Says something that stays.
  package func note(_ text: String) {
    clear()
    write(text + "\n")
  }

  /// Takes the line of progress away, so that results can be printed.
  package func clear() {
    isShown.withLock { isShown in
      if isShown { write("\r\u{1B}[K") }
      isShown = false
    }
  }
}
