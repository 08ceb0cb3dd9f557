/// The losses of pairs of a held-out and a training sample, one a pair.
public struct ValidationResult: Sendable, Equatable {
  /// The loss of each held-out sample.
  public internal(set) var heldOut: [Double]
  /// The loss of the training sample of each pair.
  public internal(set) var training: [Double]

  /// The validation loss, with its standard error over held-out samples.
  public var loss: MeanLoss { MeanLoss(heldOut) }
  /// The loss of the training samples.
  public var trainingLoss: MeanLoss { MeanLoss(training) }
  /// How much larger the loss is on held-out samples, with the standard error over pairs.
  public var gap: MeanLoss { MeanLoss(of: heldOut, less: training) }
}
