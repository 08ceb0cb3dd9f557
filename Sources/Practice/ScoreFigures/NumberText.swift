import Foundation

/// Numbers as text for people: rounded to what matters, without trailing noise.
public enum NumberText {
  /// A number rounded to significant digits: plain from 0.0001 to a million, else as `1.2e-05`.
  public static func significant(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    guard value != 0 else { return "0" }
    let digits = min(max(digits, 1), 17)
    let rounded = String(format: "%.*e", digits - 1, value)
    let exponent = Int(rounded.drop { $0 != "e" }.dropFirst()) ?? 0
    return exponent >= -4 && exponent < max(6, digits)
      ? fixed(value, decimals: max(0, digits - 1 - exponent)) : rounded
  }

  /// A number with a fixed number of decimals.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return significant(value) }
    let text = String(format: "%.*f", max(0, decimals), value)
    // A zero has no sign.
    return text.hasPrefix("-") && !text.contains(where: { ("1"..."9").contains($0) })
      ? String(text.dropFirst()) : text
  }

  /// A number rounded to significant digits, without zeros at the end of its decimals: `0.05`, `30`, `1.5e-05`.
  public static func trimmed(_ value: Double, digits: Int = 4) -> String {
    let text = significant(value, digits: digits)
    let mantissa = text.prefix { $0 != "e" }
    guard mantissa.contains("."), let last = mantissa.lastIndex(where: { $0 != "0" }) else {
      return text
    }
    let kept = mantissa[last] == "." ? mantissa[..<last] : mantissa[...last]
    return String(kept + text.dropFirst(mantissa.count))
  }

  /// A value with its standard error, both to the error's second significant digit: `2.184 ± 0.012`.
  ///
  /// A value whose error is 0 has as many digits as it takes, or three where it takes more than six.
  public static func plusMinus(_ value: Double, _ error: Double) -> String {
    parts(value, error, isScientific: isScientific(value, error)).joined(separator: " ± ")
  }

  /// Values with their standard errors as the cells of a column, lined up at the ±: in one notation, with powers of ten where
  /// one of them takes these. Where there is nothing, there is a dash.
  public static func plusMinusColumn(_ found: [(value: Double, error: Double)?]) -> [String] {
    let isScientific = found.contains { $0.map { Self.isScientific($0.value, $0.error) } ?? false }
    let cells = found.map { cell in
      cell.map { parts($0.value, $0.error, isScientific: isScientific) } ?? ["–"]
    }
    let widths = (0..<2).map { part in
      cells.filter { $0.count > part }.map { $0[part].count }.max() ?? 0
    }
    func space(_ count: Int) -> String { String(repeating: " ", count: count) }
    return cells.map { cell in
      let value = space(widths[0] - cell[0].count) + cell[0]
      guard cell.count == 2 else { return value + space(widths[1] == 0 ? 0 : 3 + widths[1]) }
      return value + " ± " + cell[1] + space(widths[1] - cell[1].count)
    }
  }

  /// Whether a value has an error that counts; sums of equal numbers may be off by their rounding.
  private static func isExact(_ value: Double, _ error: Double) -> Bool {
    error <= max(1e-300, 1e-12 * abs(value))
  }

  /// Whether a value with its error takes a power of ten.
  private static func isScientific(_ value: Double, _ error: Double) -> Bool {
    value.isFinite && error.isFinite && !isExact(value, error)
      && (abs(Int(log10(error).rounded(.down))) > 6 || abs(value) >= 1e9)
  }

  /// A value and its error, or a value alone where it has none.
  private static func parts(_ value: Double, _ error: Double, isScientific: Bool) -> [String] {
    guard value.isFinite, error.isFinite else {
      return [significant(value, digits: 3), significant(error)]
    }
    guard !isExact(value, error) else {
      guard !isScientific || value == 0 else { return [String(format: "%.2e", value)] }
      let text = trimmed(value, digits: 6)
      return [
        abs((Double(text) ?? .nan) - value) <= 1e-7 * abs(value)
          ? text : significant(value, digits: 3)
      ]
    }
    let exponent = Int(log10(error).rounded(.down))
    guard isScientific else {
      let decimals = max(0, 1 - exponent)
      return [fixed(value, decimals: decimals), fixed(error, decimals: decimals)]
    }
    var power = max(exponent, value == 0 ? exponent : Int(log10(abs(value)).rounded(.down)))
    // What is rounded up to the next power of ten has that.
    if abs(value) + 0.05 * pow(10, Double(exponent)) >= pow(10, Double(power + 1)) { power += 1 }
    let suffix = String(format: "e%+03d", power)
    return [value, error].map {
      fixed($0 / pow(10, Double(power)), decimals: 1 + power - exponent) + suffix
    }
  }

  /// A whole number with thin spaces between groups of three digits, from five digits on.
  public static func grouped(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, digits.count > 4, (digits.count - index) % 3 == 0 { text += "\u{2009}" }
      text.append(digit)
    }
    return value < 0 ? "−" + text : text
  }

  /// A power of ten with its exponent raised: `10⁻³`.
  package static func powerOfTen(_ exponent: Int) -> String {
    let raised = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return "10" + (exponent < 0 ? "⁻" : "")
      + String(String(exponent.magnitude).compactMap { $0.wholeNumberValue.map { raised[$0] } })
  }
}
