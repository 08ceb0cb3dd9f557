import ScoreTensors

/// A number computed from finitely many samples, with its standard error.
public struct Estimate: Hashable, Sendable, Codable {
  /// The estimated number.
  public let value: Double
  /// The standard deviation that the number would have over repeated samples.
  public let standardError: Double

  /// Creates an estimate from its parts.
  public init(_ value: Double, standardError: Double) {
    (self.value, self.standardError) = (value, standardError)
  }

  /// The mean of independent values, two or more, with its standard error.
  public init(meanOf values: some Collection<Double>) {
    precondition(values.count >= 2, "the error of a mean takes two values or more")
    let count = Double(values.count)
    let mean = values.mean
    let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(mean, standardError: (square / (count - 1) / count).squareRoot())
  }

  /// How many standard errors the value is from a number.
  public func deviation(from expected: Double) -> Double { (value - expected) / standardError }

  /// The estimate of the difference of two independent estimates.
  public static func - (a: Estimate, b: Estimate) -> Estimate {
    let square = a.standardError * a.standardError + b.standardError * b.standardError
    return Estimate(a.value - b.value, standardError: square.squareRoot())
  }

  /// The estimate in other units.
  public static func * (factor: Double, a: Estimate) -> Estimate {
    Estimate(factor * a.value, standardError: abs(factor) * a.standardError)
  }
}

extension Collection<Double> {
  /// The mean, exactly that where all values are one.
  var mean: Double {
    guard let first else { return .nan }
    return first + reduce(0) { $0 + ($1 - first) } / Double(count)
  }
}

extension Estimate: CustomStringConvertible {
  /// The value with its error.
  public var description: String { "\(value) ± \(standardError)" }
}
