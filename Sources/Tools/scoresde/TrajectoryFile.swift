import Foundation
import ScoreSDE

/// The states on the way from noise to data as a file: all of them as numbers, or a picture of some.
struct TrajectoryFile<Scalar: TensorScalar> {
  /// The states in data units, from noise to data, with their times.
  let states: [(x: Tensor<Scalar>, time: Double)]

  /// Checks before any work that states of samples of a shape can go into such a file.
  static func check(_ path: String, _ shape: Shape) throws {
    if path.hasSuffix(".png"), shape.image == nil {
      throw CommandError.usage(
        "--trajectory is \(path), but samples of shape \(shape) are no images \(Shape.imageForms); use .npy\(shape.count > 2 ? "" : " or .svg")"
      )
    }
    if path.hasSuffix(".svg"), shape.count > 2 {
      throw CommandError.usage(
        "--trajectory is \(path), but samples of shape \(shape) are neither single numbers nor points in the plane; use .npy"
      )
    }
  }

  /// Writes them, by the ending of the name; `range` is what images are drawn from, black to white.
  func write(to path: String, range: ClosedRange<Double>) throws {
    if path.hasSuffix(".png") {
      try AtomicFile.write(strip(range).png, to: path)
    } else if path.hasSuffix(".svg") {
      try AtomicFile.write(
        (states[0].x.shape.count == states[0].x.rows ? lines : clouds).svg, to: path)
    } else {
      let all = Tensor.concatenated(states.map(\.x))
      try NPY.write(
        all.reshaped(Shape([states.count] + states[0].x.shape.extents)), to: path)
    }
  }

  /// At most so many of the states, evenly, the first and the last among them.
  private func chosen(_ most: Int) -> [(x: Tensor<Scalar>, time: Double)] {
    guard states.count > most else { return states }
    return (0..<most).map { states[$0 * (states.count - 1) / (most - 1)] }
  }

  /// Single numbers of up to 60 samples against the time, a line each.
  private var lines: any Figure {
    let shown = chosen(200)
    let times = shown.map(\.time)
    let count = min(60, states[0].x.rows)
    var marks = (0..<count).map { row in
      Mark.line(x: times, y: shown.map { Double($0.x.scalars[row]) }, color: .series[0])
    }
    for place in marks.indices { marks[place].opacity = 0.35 }
    let isLong = (times.first ?? 1) > 5 && (times.last ?? 0) > 0
    return Plot(
      "\(NumberText.counted(count, "sample")) from noise, on the right, to data",
      x: Axis("t", scale: isLong ? .log : .linear), y: "x", width: 560, height: 360, marks)
  }

  /// Up to 2000 points in the plane at six times.
  private var clouds: any Figure {
    let count = min(2000, states[0].x.rows)
    return Panels(
      chosen(6).map { cloud($0.x.rows(0..<count), at: $0.time) }, columns: 3,
      summary: "\(NumberText.counted(count, "sample")) at six times from noise to data")
  }

  /// Points in a square that holds them all.
  private func cloud(_ points: Tensor<Scalar>, at time: Double) -> Plot {
    let numbers = points.scalars.map { Double($0) }
    let ranges = (0..<2).map { axis in
      let own = stride(from: axis, to: numbers.count, by: 2).map { numbers[$0] }
      return (least: own.min() ?? 0, most: own.max() ?? 0)
    }
    let half = 0.52 * max(1e-9, ranges.map { $0.most - $0.least }.max() ?? 1)
    let axes = ranges.map { range in
      let middle = 0.5 * (range.least + range.most)
      return Axis(range: middle - half...middle + half)
    }
    return Plot(
      "t = \(NumberText.significant(time, digits: 3))", x: axes[0], y: axes[1], width: 240,
      height: 260, isEqualAspect: true,
      [.scatter(pairs: numbers, size: SampleFile.dotSize(of: points.rows), color: .series[0])])
  }

  /// Up to eight images from noise to data, a sample a row.
  private func strip(_ range: ClosedRange<Double>) -> SampleGrid {
    let shown = chosen(10)
    let count = min(8, states[0].x.rows)
    let rows = (0..<count).flatMap { row in shown.map { $0.x.rows(row..<row + 1) } }
    return SampleFile.grid(.concatenated(rows), range: range, columns: shown.count)
  }
}
