import ScoreSDE

/// What the losses of a run say.
extension TrainingJob {
  /// What is said of a loss that ended far above where it began: above twice the mean of the first ten steps, or, as training
  /// may have diverged within these, above thrice that of the first one, where its batch has numbers enough to tell. Nil of
  /// others.
  var lossRemark: String? {
    guard let last = log.entries.last?.loss else { return nil }
    let numbers = description.sampleShape.reduce(trainer.options.batchSize, *)
    let starts = [(log.entries.first?.loss, 2.0), (numbers < 64 ? nil : firstLoss, 3)]
    for case (let start?, let factor) in starts where start > 0 && last > factor * start {
      return
        "the loss rose from \(NumberText.significant(start)) to \(NumberText.significant(last)): a lower learning rate may help"
    }
    return nil
  }
}
