import ScoreSDE

/// The losses of held-out data in words and for programs.
struct ValidationReport {
  private let data: String
  private let log: ValidationLog
  private let last: ValidationLog.Entry
  private let least: ValidationLog.Entry

  /// - Parameter data: where the held-out data are. Nil where nothing has been evaluated.
  init?(data: String, log: ValidationLog) {
    guard let last = log.entries.last, let least = log.least else { return nil }
    (self.data, self.log, self.last, self.least) = (data, log, last, least)
  }

  /// What is printed at the end of training.
  var sentence: String {
    "validation loss \(text(last.loss)), \(gap)" + (log.hasLearntByHeart ? "; \(verdict)" : "")
  }

  /// What is printed of a run.
  var fact: String {
    "\(text(last.loss)) after \(NumberText.counted(last.step, "step")), \(gap)"
      + (log.hasLearntByHeart ? "; \(verdict)" : "")
  }

  private var gap: String {
    "\(NumberText.plusMinus(abs(last.gap.value), last.gap.standardError)) \(last.gap.value < 0 ? "below" : "above") that of training samples at the same times and noises"
  }

  private var verdict: String {
    "it was least at step \(least.step), and has risen by \(text(last.rise)) since: the model has begun to learn its data by heart"
  }

  private func text(_ loss: MeanLoss) -> String {
    NumberText.plusMinus(loss.value, loss.standardError)
  }

  var json: JSON {
    func object(_ loss: MeanLoss) -> JSON {
      .object([("value", .number(loss.value)), ("standardError", .number(loss.standardError))])
    }
    return .object([
      ("data", .string(data)), ("step", .integer(last.step)), ("loss", object(last.loss)),
      ("trainingLoss", object(last.trainingLoss)), ("gap", object(last.gap)),
      ("leastStep", .integer(least.step)), ("rise", object(last.rise)),
      ("learntByHeart", .boolean(log.hasLearntByHeart)),
    ])
  }
}
