/// The standard library's `precondition`, heard in release builds too.
///
/// That one leaves its message out where code is optimised, and all that is left of a programmer's mistake is a trap. This one
/// takes its place in every file of the package that imports this module, and says the message with the file and the line.
@inlinable @inline(__always)
package func precondition(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = "",
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { fatalError(message(), file: file, line: line) }
}
