/// How numbers and text are written into SVG and HTML.
enum SVG {
  static let fontFamily = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"

  /// A coordinate with at most two decimals, which is finer than a screen shows.
  static func number(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int((min(max(value, -1e7), 1e7) * 100).rounded())
    let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    var text = hundredths < 0 ? "-\(whole)" : "\(whole)"
    if rest != 0 { text += rest % 10 == 0 ? ".\(rest / 10)" : rest < 10 ? ".0\(rest)" : ".\(rest)" }
    return text
  }

  /// Text with the characters that mean something to a parser replaced, control characters dropped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value & 0xFFFE == 0xFFFE:
        continue
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  enum Anchor: String {
    case start, middle, end
  }

  /// A text; one that is wider than it may be is smaller by up to a fifth, and beyond that cut in its middle and whole in the
  /// title that a pointer shows.
  static func text(
    _ text: String, x: Double, y: Double, size: Double, fill: String = "#333333",
    anchor: Anchor = .start, bold: Bool = false, rotated: Bool = false, within room: Double? = nil
  ) -> String {
    let width = widestWidth(text, size: size, bold: bold)
    let size = room.map { size * min(1, max(0.8, $0 / max(width, 1))) } ?? size
    let shown = text.shortened { kept in
      room.map { widestWidth(kept, size: size, bold: bold) <= $0 + 1e-9 } ?? true
    }
    var attributes = "x=\"\(number(x))\" y=\"\(number(y))\" font-size=\"\(number(size))\""
    attributes += " fill=\"\(fill)\""
    if anchor != .start { attributes += " text-anchor=\"\(anchor.rawValue)\"" }
    if bold { attributes += " font-weight=\"600\"" }
    if rotated { attributes += " transform=\"rotate(-90 \(number(x)) \(number(y)))\"" }
    let title = shown == text ? "" : "<title>\(escaped(text))</title>"
    return "<text \(attributes)>\(escaped(shown))\(title)</text>\n"
  }

  /// The width of a text in a sans-serif font, estimated: good enough to leave room for it.
  static func textWidth(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + characterWidth($1) } * size
  }

  /// The width of a text in the widest of such fonts: what nothing else may be drawn over.
  ///
  /// Fonts that are wider than most take an eighth more, and bold ones as much again.
  static func widestWidth(_ text: String, size: Double, bold: Bool = false) -> Double {
    (bold ? 1.27 : 1.125) * textWidth(text, size: size)
  }

  private static func characterWidth(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "0"..."9": 0.57
    case ".", ",", ":", ";", "'", "|", "i", "j", "l", " ", "\u{2009}", "I", "(", ")", "·": 0.31
    case "⁰"..."⁹", "⁻", "¹", "²", "³": 0.38
    case "f", "r", "t", "-", "[", "]", "/": 0.38
    case "m", "w", "M", "W", "%", "@": 0.88
    case "A"..."Z", "−", "+", "=", "<", ">", "±", "×": 0.68
    case _ where scalar.value >= 0x2E80: 1.0
    default: 0.57
    }
  }
}

extension String {
  /// The text, or what fits of its beginning and its end with an ellipsis between.
  func shortened(_ fits: (String) -> Bool) -> String {
    if fits(self) { return self }
    var (few, many) = (2, count)
    func kept(_ number: Int) -> String { prefix((number + 1) / 2) + "…" + suffix(number / 2) }
    while many - few > 1 {
      let middle = (few + many) / 2
      if fits(kept(middle)) { few = middle } else { many = middle }
    }
    return kept(min(few, count))
  }
}
