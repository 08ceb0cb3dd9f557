import ScoreTensors

extension Interpreter {
  /// Calls `body` with every (image pixel, result pixel, filter place) that meet, as flat numbers.
  private static func meetings(
    _ window: ConvolutionWindow, image: Shape, result: Shape, filter: Shape,
    _ body: (_ pixel: Int, _ place: Int, _ tap: Int) -> Void
  ) {
    for r in 0..<result[1] {
      for a in 0..<filter[0] {
        guard let u = window.source(r, a, before: window.top, extent: image[1]) else { continue }
        for c in 0..<result[2] {
          for b in 0..<filter[1] {
            guard let v = window.source(c, b, before: window.left, extent: image[2]) else {
              continue
            }
            body(u * image[2] + v, r * result[2] + c, a * filter[1] + b)
          }
        }
      }
    }
  }

  static func convolved(
    _ x: Tensor<Double>, _ w: Tensor<Double>, _ window: ConvolutionWindow, flipped: Bool,
    _ shape: Shape
  ) -> Tensor<Double> {
    let (channels, outputs, taps) = (x.shape[3], shape[3], w.shape[0] * w.shape[1])
    let (source, filter) = (x.scalars, w.scalars)
    let (pixels, places) = (x.shape[1] * x.shape[2], shape[1] * shape[2])
    var result = [Double](repeating: 0, count: shape.count)
    meetings(window, image: x.shape, result: shape, filter: w.shape) { pixel, place, tap in
      for i in 0..<shape[0] {
        for o in 0..<outputs {
          for p in 0..<channels {
            let weight =
              flipped
              ? filter[((taps - 1 - tap) * outputs + o) * channels + p]
              : filter[(tap * channels + p) * outputs + o]
            result[(i * places + place) * outputs + o] +=
              source[(i * pixels + pixel) * channels + p] * weight
          }
        }
      }
    }
    return Tensor(shape, result)
  }

  static func filterGradient(
    _ x: Tensor<Double>, _ dy: Tensor<Double>, _ window: ConvolutionWindow, _ shape: Shape
  ) -> Tensor<Double> {
    let (channels, outputs) = (x.shape[3], dy.shape[3])
    let (source, slope) = (x.scalars, dy.scalars)
    let (pixels, places) = (x.shape[1] * x.shape[2], dy.shape[1] * dy.shape[2])
    var result = [Double](repeating: 0, count: shape.count)
    meetings(window, image: x.shape, result: dy.shape, filter: shape) { pixel, place, tap in
      for i in 0..<x.shape[0] {
        for p in 0..<channels {
          for o in 0..<outputs {
            result[(tap * channels + p) * outputs + o] +=
              source[(i * pixels + pixel) * channels + p]
              * slope[(i * places + place) * outputs + o]
          }
        }
      }
    }
    return Tensor(shape, result)
  }

  /// A composite operation by its definition.
  static func defined(_ operation: Operation, _ x: [Tensor<Double>], _ shape: Shape)
    -> Tensor<Double>
  {
    let inputs = x.enumerated().map { Formula.input("\($0)", $1.shape) }
    guard let definition = Formula(operation, inputs, shape).definition(inputs) else {
      fatalError("\(operation) has no definition")
    }
    let values = x.enumerated().map { ("\($0)", $1) }
    return evaluate([definition], Dictionary(uniqueKeysWithValues: values))[0]
  }
}
