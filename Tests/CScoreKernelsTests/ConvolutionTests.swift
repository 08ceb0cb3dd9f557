import CScoreKernels
import Testing

/// Convolutions and their filter gradients against the sums that define them, written out in Double.
@Suite struct ConvolutionTests {
  /// A shape under a name that a failure can print.
  struct Case: Sendable, CustomTestStringConvertible {
    let shape: sk_convolution
    let images: Int

    init(_ shape: sk_convolution, images: Int = 3) {
      self.shape = shape
      self.images = images
    }

    /// A filter of odd size that keeps the image's size.
    static func same(
      _ height: Int64, _ width: Int64, _ channels: Int64, _ out: Int64, _ size: Int64
    )
      -> Case
    {
      Case(
        sk_convolution(
          height: height, width: width, channels: channels, out_height: height, out_width: width,
          out_channels: out, kernel_height: size, kernel_width: size, stride: 1, spread: 1,
          top: size / 2, left: size / 2))
    }

    var testDescription: String {
      "\(shape.height)x\(shape.width)x\(shape.channels) to \(shape.out_height)x\(shape.out_width)x\(shape.out_channels), \(shape.kernel_height)x\(shape.kernel_width), stride \(shape.stride), spread \(shape.spread), padding \(shape.top), \(shape.left)"
    }

    var inputs: Int { images * Int(shape.height * shape.width * shape.channels) }
    var outputs: Int { images * Int(shape.out_height * shape.out_width * shape.out_channels) }
    var weights: Int {
      Int(shape.kernel_height * shape.kernel_width * shape.channels * shape.out_channels)
    }

    /// Calls `body` with the places in x, y and w of every product that the convolution sums.
    func forEachProduct(_ body: (_ x: Int, _ y: Int, _ w: Int) -> Void) {
      let s = shape
      for i in 0..<Int64(images) {
        for r in 0..<s.out_height {
          for c in 0..<s.out_width {
            for a in 0..<s.kernel_height {
              for b in 0..<s.kernel_width {
                let (down, across) = (r * s.stride + a - s.top, c * s.stride + b - s.left)
                guard down >= 0, across >= 0, down % s.spread == 0, across % s.spread == 0,
                  down / s.spread < s.height, across / s.spread < s.width
                else { continue }
                let pixel = (i * s.height + down / s.spread) * s.width + across / s.spread
                let place = ((i * s.out_height + r) * s.out_width + c) * s.out_channels
                for p in 0..<s.channels {
                  for o in 0..<s.out_channels {
                    body(
                      Int(pixel * s.channels + p), Int(place + o),
                      Int(((a * s.kernel_width + b) * s.channels + p) * s.out_channels + o))
                  }
                }
              }
            }
          }
        }
      }
    }

    /// The filter turned round in space with its channels exchanged, as `flipped` takes it.
    func flipped<T>(_ w: [T]) -> [T] {
      let (taps, from, to) = (
        Int(shape.kernel_height * shape.kernel_width), Int(shape.channels), Int(shape.out_channels)
      )
      return (0..<w.count).map { place in
        let (tap, o, p) = (place / (from * to), place / from % to, place % from)
        return w[((taps - 1 - tap) * from + p) * to + o]
      }
    }
  }

  /// Plain sums, minimal filtering (3×3 from 16 channels on), few outputs, strides, zeros between pixels, no padding, edges
  /// that tiles do not divide, more padding than the filter is wide.
  static let cases: [Case] = [
    .same(8, 8, 32, 32, 3), .same(28, 28, 16, 16, 3), .same(7, 7, 64, 40, 3),
    .same(5, 9, 20, 17, 3), .same(2, 3, 16, 16, 3), .same(1, 5, 16, 16, 3),
    .same(14, 14, 1, 32, 3), .same(6, 5, 7, 5, 1), .same(9, 7, 3, 24, 5),
    .same(9, 9, 32, 1, 3), .same(9, 6, 32, 2, 3), .same(5, 7, 48, 3, 1),
    Case(shape(9, 8, 5, 5, 4, 18, 3, stride: 2, padding: 1)),
    Case(shape(5, 4, 18, 9, 8, 5, 3, spread: 2, padding: 1)),
    Case(shape(10, 11, 16, 8, 9, 40, 3, padding: 0)),
    Case(shape(4, 4, 16, 8, 8, 16, 3, padding: 3)),
    Case(shape(70, 70, 40, 70, 70, 8, 3, padding: 1), images: 1),
  ]

  static func shape(
    _ height: Int64, _ width: Int64, _ channels: Int64, _ outHeight: Int64, _ outWidth: Int64,
    _ out: Int64, _ size: Int64, stride: Int64 = 1, spread: Int64 = 1, padding: Int64
  ) -> sk_convolution {
    sk_convolution(
      height: height, width: width, channels: channels, out_height: outHeight,
      out_width: outWidth, out_channels: out, kernel_height: size, kernel_width: size,
      stride: stride, spread: spread, top: padding, left: padding)
  }

  /// The largest error, in units of the root mean square of what is expected.
  static func error<T: Scalar>(_ found: [T], _ expected: [Double]) -> Double {
    let size = expected.reduce(0) { $0 + $1 * $1 } / Double(max(1, expected.count))
    let worst = zip(found, expected).reduce(0.0) {
      let error = abs(Double($1.0) - $1.1)
      return error <= $0 ? $0 : error.isNaN ? .infinity : error
    }
    return worst == 0 ? 0 : worst / size.squareRoot()
  }

  func agree<T: ImageScalar>(_ type: T.Type, _ target: Target, _ one: Case, within bound: Double) {
    var noise = Noise(7)
    let x: [T] = noise.numbers(one.inputs)
    let w: [T] = noise.numbers(one.weights)
    let start: [T] = noise.numbers(one.outputs)
    let biases: [T] = noise.numbers(one.images * Int(one.shape.out_channels))
    let columns = Int(one.shape.out_channels)
    let each = one.outputs / one.images
    var expected = (0..<one.outputs).map {
      Double(start[$0]) + Double(biases[$0 / each * columns + $0 % columns])
    }
    one.forEachProduct { expected[$1] += Double(x[$0]) * Double(w[$2]) }

    var y = start
    T.convolve(
      target, one.shape, x, w, flipped: false, into: &y, adding: true, bias: biases,
      biasStride: columns, parts: [0..<one.images])
    #expect(Self.error(y, expected) < bound)

    // From a flipped filter, image by image: the same bits.
    var split = start
    T.convolve(
      target, one.shape, x, one.flipped(w), flipped: true, into: &split, adding: true,
      bias: biases, biasStride: columns, parts: (0..<one.images).map { $0..<$0 + 1 })
    #expect(split == y)

    // Nothing but the products.
    var plain = [T](repeating: .nan, count: one.outputs)
    T.convolve(
      target, one.shape, x, w, flipped: false, into: &plain, adding: false, bias: nil,
      biasStride: 0, parts: [0..<one.images])
    for place in 0..<one.outputs {
      expected[place] -=
        Double(start[place]) + Double(biases[place / each * columns + place % columns])
    }
    #expect(Self.error(plain, expected) < bound)

    var gradient = [Double](repeating: 0, count: one.weights)
    one.forEachProduct { gradient[$2] += Double(x[$0]) * Double(start[$1]) }
    var dw = [T](repeating: .nan, count: one.weights)
    T.filterGradient(
      target, one.shape, images: one.images, x, start, into: &dw, adding: false)
    #expect(Self.error(dw, gradient) < bound)

    // Unit by unit, the last first: the same bits.
    var apart = [T](repeating: .nan, count: one.weights)
    T.filterGradient(
      target, one.shape, images: one.images, x, start, into: &apart, adding: false
    ) { units in (0..<units).reversed().map { $0..<$0 + 1 } }
    #expect(apart == dw)
    T.filterGradient(target, one.shape, images: one.images, x, start, into: &dw, adding: true)
    #expect(Self.error(dw, gradient.map { 2 * $0 }) < bound)
  }

  // Minimal filtering costs a digit; a plain sum of 600 products of numbers below 1 stays within 3e-6.
  @Test(arguments: Target.available, cases)
  func agreeWithTheirDefinitionInFloat(_ target: Target, _ one: Case) {
    agree(Float.self, target, one, within: 2e-5)
  }

  @Test(arguments: Target.available, cases)
  func agreeWithTheirDefinitionInDouble(_ target: Target, _ one: Case) {
    agree(Double.self, target, one, within: 1e-13)
  }

  @Test func targetsWithFusedMultiplyAddAgreeToTheBit() {
    let targets = Target.available.filter(\.hasFMA)
    for one in Self.cases {
      var noise = Noise(11)
      let x: [Float] = noise.numbers(one.inputs)
      let w: [Float] = noise.numbers(one.weights)
      let dy: [Float] = noise.numbers(one.outputs)
      let results = targets.map { target in
        var y = [Float](repeating: .nan, count: one.outputs)
        Float.convolve(
          target, one.shape, x, w, flipped: false, into: &y, adding: false, bias: nil,
          biasStride: 0, parts: [0..<one.images])
        var dw = [Float](repeating: .nan, count: one.weights)
        Float.filterGradient(
          target, one.shape, images: one.images, x, dy, into: &dw, adding: false)
        return y + dw
      }
      #expect(results.allSatisfy { $0 == results.first }, "\(one.testDescription)")
    }
  }

  @Test(arguments: Target.available) func noImagesLeaveNoTrace(_ target: Target) {
    let one = Case(Self.shape(4, 4, 16, 4, 4, 16, 3, padding: 1), images: 0)
    var y = [Float](repeating: 5, count: 1)
    Float.convolve(
      target, one.shape, [0], [Float](repeating: 1, count: one.weights), flipped: false, into: &y,
      adding: false, bias: nil, biasStride: 0, parts: [0..<0])
    #expect(y == [5])
    var dw = [Float](repeating: .nan, count: one.weights)
    Float.filterGradient(target, one.shape, images: 0, [0], [0], into: &dw, adding: false)
    #expect(dw.allSatisfy { $0 == 0 })
  }
}
