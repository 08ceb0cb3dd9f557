/// The integral of a function over an interval by adaptive Gauss–Kronrod quadrature with 7 and 15 points.
///
/// Intervals are halved, the worst first, until their estimated errors sum to `tolerance` times the integral of |f| or
/// 2,000 intervals are reached; the estimate comes back with the value.
package func integral(
  from a: Double, to b: Double, tolerance: Double = 1e-13, _ function: (Double) -> Double
) -> (value: Double, error: Double) {
  var pieces = [Piece(a, b, function)]
  while pieces.count < 2000 {
    let error = pieces.reduce(0) { $0 + $1.error }
    if error <= tolerance * pieces.reduce(0, { $0 + $1.size }) { break }
    let worst = pieces.indices.max { pieces[$0].error < pieces[$1].error } ?? 0
    let piece = pieces[worst]
    let middle = 0.5 * (piece.start + piece.end)
    guard middle > piece.start, middle < piece.end else { break }
    pieces[worst] = Piece(piece.start, middle, function)
    pieces.append(Piece(middle, piece.end, function))
  }
  return (pieces.reduce(0) { $0 + $1.value }, pieces.reduce(0) { $0 + $1.error })
}

private struct Piece {
  // Kronrod's abscissas from the outermost in, of which every second is Gauss's (Piessens et al. 1983).
  static let nodes = [
    0.991455371120812639206854697526329, 0.949107912342758524526189684047851,
    0.864864423359769072789712788640926, 0.741531185599394439863864773280788,
    0.586087235467691130294144045693126, 0.405845151377397166906606412076961,
    0.207784955007898467600689403773245, 0,
  ]
  static let kronrod = [
    0.022935322010529224963732008058970, 0.063092092629978553290700663189204,
    0.104790010322250183839876322541518, 0.140653259715525918745189590510238,
    0.169004726639267902826583426598550, 0.190350578064785409913256402421014,
    0.204432940075298892414161999234649, 0.209482141084727828012999174891714,
  ]
  static let gauss = [
    0.129484966168869693270611432679082, 0.279705391489276667901467771423780,
    0.381830050505118944950369775488975, 0.417959183673469387755102040816327,
  ]

  let (start, end): (Double, Double)
  private(set) var (value, size, error) = (0.0, 0.0, 0.0)

  init(_ start: Double, _ end: Double, _ function: (Double) -> Double) {
    (self.start, self.end) = (start, end)
    let (middle, half) = (0.5 * (start + end), 0.5 * (end - start))
    var coarse = 0.0
    for (place, node) in Self.nodes.enumerated() {
      for side in node == 0 ? [0.0] : [-1, 1] {
        let f = function(middle + side * half * node)
        value += Self.kronrod[place] * f
        size += Self.kronrod[place] * abs(f)
        if place % 2 == 1 { coarse += Self.gauss[place / 2] * f }
      }
    }
    value *= half
    size *= half
    error = abs(value - half * coarse)
  }
}
