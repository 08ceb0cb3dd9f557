/// The named densities in the plane, with a standard deviation of about 1 along each axis.
public enum PlanarSet: String, Sendable, CaseIterable {
  /// Two half circles that reach into each other.
  case moons
  /// Two circles around the origin.
  case circles
  /// Two arms that wind out from the origin.
  case spirals
  /// One spiral, uniform in its angle.
  case swissRoll = "swiss-roll"
  /// Every second square of a board of 4 × 4.
  case checkerboard
  /// Five twisted blades.
  case pinwheel
  /// Eight normal distributions on a circle.
  case ring
  /// Twenty-five normal distributions on a square grid.
  case grid

  /// The density; `deviation` replaces the usual standard deviation of the noise.
  ///
  /// A checkerboard has no noise and ignores it.
  /// - Precondition: the deviation is from 1e-4 to 10.
  public func density(deviation: Double? = nil) -> any PlanarDensity {
    switch self {
    case .moons: PlanarCurve.moons(deviation: deviation ?? 0.1)
    case .circles: PlanarCurve.circles(deviation: deviation ?? 0.1)
    case .spirals: PlanarCurve.spirals(deviation: deviation ?? 0.07)
    case .swissRoll: PlanarCurve.swissRoll(deviation: deviation ?? 0.07)
    case .checkerboard: Checkerboard()
    case .pinwheel: Pinwheel(widthDeviation: deviation ?? 0.1)
    case .ring: PlanarMixture.ring(deviation: deviation ?? 0.1)
    case .grid: PlanarMixture.grid(deviation: deviation ?? 0.08)
    }
  }
}
