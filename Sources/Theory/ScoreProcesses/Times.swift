/// The times of a batch: one for all rows, or one a row.
public enum Times: Sendable, Equatable {
  case shared(Double)
  case perSample([Double])

  /// The time of row `row`.
  public subscript(row: Int) -> Double {
    switch self {
    case .shared(let t): t
    case .perSample(let times): times[row]
    }
  }

  /// The times of chosen rows.
  public func rows(_ rows: [Int]) -> Times {
    switch self {
    case .shared: self
    case .perSample(let times): .perSample(rows.map { times[$0] })
    }
  }

  /// Refuses times that no process has which ends at T.
  package func check(upTo end: Double) throws(ProcessError) {
    let wrong: Double?
    switch self {
    case .shared(let t): wrong = t >= 0 && t <= end ? nil : t
    case .perSample(let times): wrong = times.first { !($0 >= 0 && $0 <= end) }
    }
    if let wrong {
      throw ProcessError(
        "the time is \(wrong); expected one from 0 to T = \(end), the process's end")
    }
  }

  /// Refuses times that are more or fewer than the rows.
  func check(rows: Int) throws(ProcessError) {
    if case .perSample(let times) = self, times.count != rows {
      throw ProcessError(
        "there are \(times.count) times for \(rows) rows; expected one of each, or one for all")
    }
  }

  /// A function of the times.
  public func map(_ function: (Double) throws -> Double) rethrows -> Times {
    switch self {
    case .shared(let t): .shared(try function(t))
    case .perSample(let times): .perSample(try times.map(function))
    }
  }
}
