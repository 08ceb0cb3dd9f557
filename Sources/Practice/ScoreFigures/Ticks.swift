import Foundation

/// The places on an axis that get a line and a number: multiples of 1, 2 or 5 times a power of ten.
struct Ticks {
  /// A place with its text; minor places have none.
  struct Tick: Equatable {
    let value: Double
    let label: String?
  }

  let ticks: [Tick]

  /// Ticks on a linear scale, about `count` of them, and two at the least unless they are to be whole numbers.
  static func linear(_ range: ClosedRange<Double>, count: Int, isWhole: Bool = false) -> Ticks {
    let rough = (range.upperBound - range.lowerBound) / Double(max(1, count))
    guard rough.isNormal, rough > 0 else { return Ticks(ticks: []) }
    var exponent = Int(log10(rough).rounded(.down))
    let leading = rough / pow(10, Double(exponent))
    // The thresholds are the geometric means between neighbours, so that the count is at most 1.6 times off.
    var multiple = leading < 1.41 ? 1 : leading < 3.16 ? 2 : leading < 7.07 ? 5 : 10
    if multiple == 10 { (multiple, exponent) = (1, exponent + 1) }
    if isWhole, exponent < 0 { return linear(range, stepping: 1, 0) }
    var found = linear(range, stepping: multiple, exponent)
    // One number alone tells no scale.
    while found.ticks.count == 1, !(isWhole && multiple == 1 && exponent == 0) {
      (multiple, exponent) =
        multiple == 5 ? (2, exponent) : multiple == 2 ? (1, exponent) : (5, exponent - 1)
      found = linear(range, stepping: multiple, exponent)
    }
    return found
  }

  /// Ticks at the multiples of `multiple` · 10^`exponent`.
  private static func linear(
    _ range: ClosedRange<Double>, stepping multiple: Int, _ exponent: Int
  ) -> Ticks {
    let step = decimal(multiple, exponent)
    let slack = 1e-6
    guard step.isNormal,
      let first = Int(exactly: (range.lowerBound / step - slack).rounded(.up)),
      let last = Int(exactly: (range.upperBound / step + slack).rounded(.down)),
      first <= last, last - first < 100
    else { return Ticks(ticks: []) }
    let largest = max(abs(first), abs(last))
    return Ticks(
      ticks: (first...last).map {
        Tick(
          value: decimal($0 * multiple, exponent),
          label: label($0 * multiple, exponent, largest: Double(largest) * step))
      })
  }

  /// Ticks on a logarithmic scale: powers of ten, and 2 and 5 times them where there are few.
  static func log(_ range: ClosedRange<Double>, count: Int, isWhole: Bool = false) -> Ticks {
    let low = log10(range.lowerBound)
    let high = log10(range.upperBound)
    // Within less than a decade, a linear scale's numbers read better.
    if high - low < 0.7 { return linear(range, count: count, isWhole: isWhole) }
    let exponents = Int(low.rounded(.down))...Int(high.rounded(.up))
    let skip = max(1, Int(((high - low) / Double(max(1, count))).rounded(.up)))
    let labelled = high - low < 1.5 ? [1, 2, 5] : high - low < 2.5 ? [1, 3] : [1]
    let plain = range.lowerBound >= 0.9e-3 && range.upperBound <= 1.1e4
    var ticks: [Tick] = []
    for exponent in exponents {
      for multiple in 1...9 {
        let value = decimal(multiple, exponent)
        guard value >= range.lowerBound * (1 - 1e-9), value <= range.upperBound * (1 + 1e-9) else {
          continue
        }
        let isLabelled = labelled.contains(multiple) && exponent.isMultiple(of: skip)
        if !isLabelled && skip > 1 { continue }
        let power = NumberText.powerOfTen(exponent)
        ticks.append(
          Tick(
            value: value,
            label: !isLabelled
              ? nil
              : plain
                ? label(multiple, exponent, largest: 1)
                : multiple == 1 ? power : "\(multiple)·\(power)"))
      }
    }
    return Ticks(ticks: ticks)
  }

  /// The number `integer` · 10^`exponent`, rounded once.
  private static func decimal(_ integer: Int, _ exponent: Int) -> Double {
    exponent < 0
      ? Double(integer) / pow(10, Double(-exponent)) : Double(integer) * pow(10, Double(exponent))
  }

  /// The number `integer` · 10^`exponent` as text, digit by digit, so that no rounding shows.
  private static func label(_ integer: Int, _ exponent: Int, largest: Double) -> String {
    if integer == 0 { return "0" }
    let sign = integer < 0 ? "−" : ""
    var digits = String(integer.magnitude)
    if largest >= 1e6 || largest < 1e-3 {
      let power = NumberText.powerOfTen(exponent + digits.count - 1)
      while digits.count > 1, digits.hasSuffix("0") { digits.removeLast() }
      if digits.count > 1 { digits.insert(".", at: digits.index(after: digits.startIndex)) }
      return sign + (digits == "1" ? "" : digits + "·") + power
    }
    if exponent >= 0 {
      let value = Int(digits + String(repeating: "0", count: exponent)) ?? 0
      return sign + NumberText.grouped(value)
    }
    digits = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + digits
    return sign + digits.dropLast(-exponent) + "." + digits.suffix(-exponent)
  }
}
