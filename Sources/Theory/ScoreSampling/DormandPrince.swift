/// The pair of Dormand & Prince (1980) of orders 5 and 4, with the continuation of order 4 by Shampine (1986).
enum DormandPrince {
  /// The places of the stages in the step; the last stage is the first of the next step.
  static let nodes: [Double] = [0, 0.2, 0.3, 0.8, 8.0 / 9, 1, 1]

  /// The rows of the tableau; the last one holds the weights of order 5.
  static let stages: [[Double]] = [
    [],
    [1.0 / 5],
    [3.0 / 40, 9.0 / 40],
    [44.0 / 45, -56.0 / 15, 32.0 / 9],
    [19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729],
    [9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656],
    [35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84],
  ]

  /// The weights of order 5 less those of order 4.
  static let errors: [Double] = [
    71.0 / 57600, 0, -71.0 / 16695, 71.0 / 1920, -17253.0 / 339200, 22.0 / 525, -1.0 / 40,
  ]

  /// The weights of the term of fourth degree in the continuation.
  static let continuation: [Double] = [
    -12_715_105_075 / 11_282_082_432, 0, 87_487_479_700 / 32_700_410_799,
    -10_690_763_975 / 1_880_347_072, 701_980_252_875 / 199_316_789_632,
    -1_453_857_185 / 822_651_844, 69_997_945 / 29_380_423,
  ]
}
