import ScoreData
import ScoreTensors
import ScoreTraining

extension Dataset {
  /// The samples as models are trained on them: standardised where there is a map for that, levels, whole numbers and texts as
  /// the lower ends of their bins, with their labels and covariates.
  ///
  /// - Parameter covariates: how these are standardised; nil takes them as they are.
  /// - Throws: `TrainingError` where there are no samples, or some are not finite.
  public func trainingData(
    covariates map: Standardization? = nil
  ) throws(TrainingError) -> TrainingData<Scalar> {
    let given = covariates.map { map?.standardized($0.values) ?? $0.values }
    guard let scale else {
      return try TrainingData(
        standardization?.standardized(samples) ?? samples,
        bins: discrete?.bins.divided(by: standardization?.deviations ?? [1]), labels: labels,
        covariates: given)
    }
    let width = abs(scale.factor) * scale.binWidth
    let offset = scale.factor > 0 ? scale.offset : scale.offset - width
    return try TrainingData(
      samples.map { Scalar(offset + scale.factor * Double($0)) }, bins: Bins(widths: [width]),
      labels: labels, covariates: given)
  }
}
