import ScoreSampling
import ScoreTensors

extension LinearObservation {
  /// What another observation sees of what this one sees: B A.
  /// - Throws: `SamplingError` where B takes other shapes than A gives.
  public func followed(by other: LinearObservation) throws(SamplingError) -> LinearObservation {
    guard other.sampleShape == shape else {
      throw SamplingError(
        "an observation of shape \(other.sampleShape) is to follow one that gives shape \(shape); expected one shape"
      )
    }
    let (a, b) = (map, other.map)
    let (aTransposed, bTransposed) = (transpose, other.transpose)
    return try LinearObservation(
      of: sampleShape, shape: other.shape, apply: { b(a($0)) },
      adjoint: { aTransposed(bTransposed($0)) })
  }

  /// The observation of samples in other units, seen in other units: diag(v) A diag(w).
  /// - Parameters:
  ///   - samples: w, one factor an entry of a sample.
  ///   - observed: v, one factor an entry of an observation.
  /// - Throws: `SamplingError` where there are not as many factors as entries, or results are not finite.
  public func weighted(
    samples: [Double], observed: [Double]
  ) throws(SamplingError) -> LinearObservation {
    guard samples.count == sampleShape.count, observed.count == shape.count else {
      throw SamplingError(
        "there are \(samples.count) weights of samples and \(observed.count) of what is observed; expected \(sampleShape.count) and \(shape.count), one an entry"
      )
    }
    let (map, transpose) = (map, transpose)
    return try LinearObservation(
      of: sampleShape, shape: shape,
      apply: { map($0.weighted(samples)).weighted(observed) },
      adjoint: { transpose($0.weighted(observed)).weighted(samples) })
  }
}

extension Tensor<Double> {
  /// Each row's entries times their weights.
  fileprivate func weighted(_ weights: [Double]) -> Tensor {
    Tensor(shape) { out in
      withUnsafeBuffer { x in
        for place in out.indices { out[place] = x[place] * weights[place % weights.count] }
      }
    }
  }
}
