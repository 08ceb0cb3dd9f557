import Foundation
import ScoreSDE

/// How an observation in the data's units is one in the model's, where raw numbers are centre + deviation · x.
///
/// ```
/// A(centre + deviation · x) + n = y   as   A(deviation · x)/q + n/q = (y − A centre)/q
/// ```
///
/// q, one an observed entry, brings them to the size that entries have in the model, whatever the columns' units: |A deviation|, or
/// of a matrix √Σ (A deviation)², since its entries may have both signs.
struct DataUnits {
  /// The deviation of what rounding to levels takes from a number; 0 where there are none.
  let rounding: Double
  private let map: LinearObservation
  private let deviations: [Double]
  private let scales: [Double]
  private let centres: [Double]

  /// - Parameter observed: what is observed of a sample in the data's units.
  /// - Throws: where the map does not fit samples of the model.
  init<Scalar: TensorScalar>(_ model: LoadedModel<Scalar>, _ observed: ObservedMap) throws {
    let map = observed.map
    let one = Shape([1] + map.sampleShape.extents)
    let (zeros, ones) = (Tensor<Double>(one), Tensor<Double>(one, repeating: 1))
    var (centre, deviation) = (zeros, ones)
    if let scale = model.scale {
      // A level lies in the middle of its bin.
      let middle = -scale.offset / scale.factor - scale.binWidth / 2
      (centre, deviation) = (middle * ones, (1 / scale.factor) * ones)
    } else if let standardization = model.standardization {
      centre = standardization.restored(zeros)
      deviation = Tensor(
        one, zip(standardization.restored(ones).scalars, centre.scalars).map { $0 - $1 })
    }
    if let discrete = model.discrete {
      // So does a whole number; where in its bin it is says nothing of the others, so it is seen without noise.
      centre = Tensor(one, zip(centre.scalars, discrete.bins.widths).map { $0 - $1 / 2 })
    }
    rounding = (model.scale?.binWidth ?? 0) / 12.0.squareRoot()
    self.map = map
    deviations = deviation.scalars
    scales = try observed.scales(deviations)
    centres = try map.apply(centre).scalars
  }

  /// Observed numbers, as the model's.
  func modelValues(_ numbers: [Double]) -> [Double] {
    numbers.indices.map { (numbers[$0] - centres[$0]) / scales[$0] }
  }

  /// The deviations of their noise, as the model's.
  func modelDeviations(_ noises: [Double]) -> [Double] { zip(noises, scales).map { $0 / $1 } }

  /// The known entries of the observation of a sample of the model.
  func observation(_ known: [Bool]) throws -> LinearObservation {
    try map.weighted(samples: deviations, observed: scales.map { 1 / $0 })
      .followed(by: .entries(known, of: map.shape))
  }

  /// The mean and the deviation, 1 where that is 0, of what is observed of samples of the model.
  func moments<Scalar: TensorScalar>(
    of samples: Tensor<Scalar>
  ) throws -> [(mean: Double, deviation: Double)] {
    let all = try observation([Bool](repeating: true, count: map.shape.count))
    let seen = try all.apply(
      Tensor<Double>(samples).reshaped(Shape([samples.rows] + map.sampleShape.extents)))
    return (0..<map.shape.count).map { place in
      let numbers = (0..<seen.rows).map { seen.row($0)[place] }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
      return (mean, square > 0 ? square.squareRoot() : 1)
    }
  }

  /// The nats that the log density of the known numbers has more in the data's units than in the model's.
  func logVolume(_ known: [Bool]) -> Double {
    -scales.indices.filter { known[$0] }.reduce(0) { $0 + log(scales[$1]) }
  }
}
