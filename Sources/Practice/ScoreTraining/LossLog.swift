import Foundation

/// The loss over a run: one entry for each stretch of steps, with means over the stretch.
public struct LossLog: Sendable, Equatable {
  /// Means over the steps up to `step` since the entry before.
  public struct Entry: Sendable, Equatable {
    public var step: Int
    public var loss: Double
    public var gradientNorm: Double
    public var learningRate: Double
  }

  /// The entries, by step.
  public private(set) var entries: [Entry] = []
  private static let header = "step,loss,gradient_norm,learning_rate"

  public init() {}

  /// Adds the mean of consecutive reports.
  public mutating func add<Scalar>(_ reports: [Trainer<Scalar>.Report]) {
    guard let last = reports.last else { return }
    let count = Double(reports.count)
    entries.append(
      Entry(
        step: last.step, loss: reports.reduce(0) { $0 + $1.loss } / count,
        gradientNorm: reports.reduce(0) { $0 + $1.gradientNorm } / count,
        learningRate: last.learningRate))
  }

  /// The log as CSV with a header line; numbers read back exactly.
  public var text: String {
    entries.reduce(into: Self.header + "\n") {
      $0 += "\($1.step),\($1.loss),\($1.gradientNorm),\($1.learningRate)\n"
    }
  }

  /// Reads a log's entries up to a step, whatever its line ends.
  /// - Throws: `TrainingError` that names the line that is not an entry.
  public init(text: String, name: String, upTo last: Int) throws(TrainingError) {
    // To Swift CRLF is one character, and not "\n".
    let lines = text.split(whereSeparator: \.isNewline)
    guard lines.first.map(String.init) == Self.header else {
      throw TrainingError("\(name): found \"\(lines.first ?? "")\"; expected \(Self.header)")
    }
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",").compactMap { Double($0) }
      guard fields.count == 4, let step = Int(exactly: fields[0]) else {
        throw TrainingError(
          "\(name), line \(number + 1): found \"\(line)\"; expected \(Self.header)")
      }
      guard step <= last else { break }
      entries.append(
        Entry(step: step, loss: fields[1], gradientNorm: fields[2], learningRate: fields[3]))
    }
  }
}
