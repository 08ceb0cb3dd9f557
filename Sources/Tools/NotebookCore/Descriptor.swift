import Foundation

/// Reads and writes an open file by its number, and goes on where a signal interrupts.
package struct Descriptor: Sendable {
  private let number: Int32

  /// The file with the number `number`, which stays open.
  package init(_ number: Int32) {
    self.number = number
  }

  /// The standard output of this program.
  package static var output: Descriptor { Descriptor(STDOUT_FILENO) }

  /// The standard error of this program.
  package static var error: Descriptor { Descriptor(STDERR_FILENO) }

  /// Writes all of `text`, unless the file takes no more.
  package func write(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Foundation.write(number, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// The bytes that come next, as soon as there are any; none at the end.
  func read() -> ArraySlice<UInt8> {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = bytes.withUnsafeMutableBytes {
        Foundation.read(number, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      return bytes.prefix(max(0, count))
    }
  }
}
