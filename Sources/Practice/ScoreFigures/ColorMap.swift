import Foundation

/// A map from 0…1 to colours, interpolated in Oklab so that equal steps look equal.
///
/// Reference: Ottosson 2020, "A perceptual color space for image processing".
public struct ColorMap: Sendable {
  private let table: [Color]

  /// Creates a map through the colours at equal distances; at least two of them.
  public init(through colors: [Color]) {
    precondition(colors.count >= 2, "a colour map takes two colours or more, got \(colors.count)")
    let anchors = colors.map(Oklab.init)
    table = (0..<256).map { index in
      let place = Double(index) / 255 * Double(anchors.count - 1)
      let first = min(Int(place), anchors.count - 2)
      return anchors[first].mixed(with: anchors[first + 1], place - Double(first)).color
    }
  }

  /// The colour at a value; values outside 0…1 take the nearest end's, not-a-number the first.
  public subscript(value: Double) -> Color {
    table[value > 0 ? Int((min(value, 1) * 255).rounded()) : 0]
  }

  /// From white to dark blue: densities beneath points.
  public static let ink = ColorMap(through: [
    Color(0xFFFFFF), Color(0xCFE3EF), Color(0x86B9D6), Color(0x3C86B4), Color(0x0F5585),
    Color(0x0B2A4A),
  ])
  /// From dark violet over red to pale yellow: densities on their own.
  public static let ember = ColorMap(through: [
    Color(0x0D0B26), Color(0x4A1260), Color(0x962A5E), Color(0xD85341), Color(0xF59A3C),
    Color(0xFBF0B2),
  ])
  /// From black to white.
  public static let gray = ColorMap(through: [.black, .white])
  /// From blue over white to red: signed values, with 0.5 in the middle.
  public static let balance = ColorMap(through: [
    Color(0x123F73), Color(0x5B9BC7), Color(0xF7F7F5), Color(0xDD8560), Color(0x7F1D1F),
  ])
}

/// A colour in Oklab: lightness and two opponent axes.
private struct Oklab {
  var lightness, a, b: Double

  init(_ color: Color) {
    let red = Self.linear(color.red)
    let green = Self.linear(color.green)
    let blue = Self.linear(color.blue)
    let l = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    let m = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    let s = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s
    a = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s
    b = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s
  }

  func mixed(with other: Oklab, _ part: Double) -> Oklab {
    var result = self
    result.lightness += part * (other.lightness - lightness)
    result.a += part * (other.a - a)
    result.b += part * (other.b - b)
    return result
  }

  var color: Color {
    let l = pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3)
    let m = pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3)
    let s = pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3)
    return Color(
      red: Self.encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
      green: Self.encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
      blue: Self.encoded(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s))
  }

  private static func linear(_ channel: UInt8) -> Double {
    let value = Double(channel) / 255
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
  }

  private static func encoded(_ value: Double) -> UInt8 {
    let bounded = min(max(value, 0), 1)
    let channel = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * pow(bounded, 1 / 2.4) - 0.055
    return UInt8((channel * 255).rounded())
  }
}
