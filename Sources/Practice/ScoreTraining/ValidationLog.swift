import Foundation

/// The losses of held-out and of training samples over a run, one entry an evaluation.
public struct ValidationLog: Sendable, Equatable {
  /// What the model after `step` steps came to.
  public struct Entry: Sendable, Equatable {
    public var step: Int
    /// The loss of the held-out samples.
    public var loss: MeanLoss
    /// The loss of as many training samples at the same times and under the same noises.
    public var trainingLoss: MeanLoss
    /// The first less the second, pair by pair.
    public var gap: MeanLoss
    /// How much larger the loss is than at its least so far, held-out sample by held-out sample; 0 where it is the least.
    public var rise: MeanLoss
  }

  /// The entries, by step.
  public private(set) var entries: [Entry] = []
  /// The loss of each held-out sample at the entry of the least loss, and at that of the least before the last entry: one of them
  /// is that of a run whose last entry is dropped. By step.
  package private(set) var kept: [Int: [Double]] = [:]

  static let header =
    "step,training_loss,training_standard_error,validation_loss,validation_standard_error,gap,gap_standard_error,rise,rise_standard_error"

  public init() {}

  /// Adds the result of an evaluation after a step.
  /// - Throws: `TrainingError` unless the step is later than that of the last entry and the held-out samples are as many as before;
  ///   after reading the text of a log alone, without the losses of each sample.
  public mutating func add(_ result: ValidationResult, at step: Int) throws(TrainingError) {
    if let last = entries.last, step <= last.step {
      throw TrainingError(
        "a validation of step \(step) follows that of step \(last.step); expected a later one")
    }
    var entry = Entry(
      step: step, loss: result.loss, trainingLoss: result.trainingLoss, gap: result.gap,
      rise: MeanLoss(value: 0, standardError: 0))
    guard let least else {
      entries = [entry]
      kept = [step: result.heldOut]
      return
    }
    guard let losses = kept[least.step], losses.count == result.heldOut.count else {
      throw TrainingError(
        "a validation of \(result.heldOut.count) samples follows one of \(kept[least.step]?.count ?? 0); expected as many"
      )
    }
    kept = [least.step: losses]
    if Self.isLess(entry, least) {
      kept[step] = result.heldOut
    } else {
      entry.rise = MeanLoss(of: result.heldOut, less: losses)
    }
    entries.append(entry)
  }

  /// Drops the last entry, as that of an end that a run has gone beyond.
  public mutating func removeLast() {
    guard !entries.isEmpty else { return }
    entries.removeLast()
    kept = kept.filter { $0.key == least?.step }
  }

  /// The entry of the least loss, the first of several; nil where there are no entries.
  public var least: Entry? {
    entries.dropFirst().reduce(entries.first) { least, entry in
      least.map { Self.isLess(entry, $0) ? entry : $0 }
    }
  }

  // What is no number is not less than any.
  private static func isLess(_ a: Entry, _ b: Entry) -> Bool {
    a.loss.value < b.loss.value || b.loss.value.isNaN && !a.loss.value.isNaN
  }

  /// Whether the model has begun to learn its training samples by heart: the loss of held-out samples has risen since its least,
  /// while that of training samples has not.
  ///
  /// ```
  /// rise > z · (standard error of the rise),   ½ exp(−z²/2) = 1/100/(number of entries)
  /// ```
  ///
  /// The error is that of the difference, sample by sample at the same times and noises. Any of the entries may be the least by
  /// chance, so z grows with their number: where the loss does not rise, fewer than one run in a hundred is told that it does, for
  /// held-out samples of some dozens or more.
  public var hasLearntByHeart: Bool {
    guard let last = entries.last, let least, least.step < last.step else { return false }
    let z = (2 * log(50 * Double(entries.count))).squareRoot()
    return last.rise.value > z * last.rise.standardError
      && last.trainingLoss.value <= least.trainingLoss.value
  }
}

// MARK: - In files

extension ValidationLog {
  /// The log as CSV with a header line; numbers read back exactly.
  public var text: String {
    entries.reduce(into: Self.header + "\n") { text, entry in
      let means = [entry.trainingLoss, entry.loss, entry.gap, entry.rise]
      let numbers = means.map { "\($0.value),\($0.standardError)" }.joined(separator: ",")
      text += "\(entry.step),\(numbers)\n"
    }
  }

  /// Reads a log's entries up to a step, whatever its line ends.
  /// - Throws: `TrainingError` that names the line that is not an entry.
  public init(text: String, name: String, upTo last: Int = .max) throws(TrainingError) {
    // To Swift CRLF is one character, and not "\n".
    let lines = text.split(whereSeparator: \.isNewline)
    guard lines.first.map(String.init) == Self.header else {
      throw TrainingError("\(name): found \"\(lines.first ?? "")\"; expected \(Self.header)")
    }
    for (number, line) in lines.enumerated().dropFirst() {
      let fields = line.split(separator: ",").compactMap { Double($0) }
      guard fields.count == 9, let step = Int(exactly: fields[0]),
        step > entries.last?.step ?? .min
      else {
        throw TrainingError(
          "\(name), line \(number + 1): found \"\(line)\"; expected \(Self.header)")
      }
      guard step <= last else { break }
      let means = [1, 3, 5, 7].map { MeanLoss(value: fields[$0], standardError: fields[$0 + 1]) }
      entries.append(
        Entry(step: step, loss: means[1], trainingLoss: means[0], gap: means[2], rise: means[3]))
    }
  }

  /// The same with the losses of each held-out sample at some entries, by step.
  func keeping(_ losses: [Int: [Double]]) -> ValidationLog {
    var log = self
    log.kept = losses
    return log
  }
}
