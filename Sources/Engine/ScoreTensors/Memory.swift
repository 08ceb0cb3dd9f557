import Foundation

/// The machine's memory, to which numbers that are asked for are held before room is made for them.
package enum Memory {
  /// How much more so many numbers of a type take than there is, as a part of a sentence; nil where they fit.
  package static func shortage<Scalar>(of numbers: Double, _ type: Scalar.Type) -> String? {
    let needed = numbers * Double(MemoryLayout<Scalar>.stride)
    let there = Double(ProcessInfo.processInfo.physicalMemory)
    guard !(needed <= there) else { return nil }
    let gigabytes = (needed / 1e9).rounded(.up)
    return
      "\(gigabytes < 1e6 ? "\(Int(gigabytes))" : "more than a million") GB of memory where this machine has \(Int(there / 1e9)) GB"
  }
}
