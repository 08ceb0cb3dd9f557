import CScoreKernels
import Foundation
import Testing

/// Group normalisation against its definition in Double, and its gradient against central differences.
@Suite struct GroupNormTests {
  static let sizes = [
    [16, 8, 2], [9, 20, 5], [49, 48, 8], [1, 4, 2], [100, 7, 7], [784, 32, 8], [3, 6, 1],
  ]

  func call<T: ImageScalar>(_ size: [Int], silu: Bool, _: T.Type) -> GroupNormCall<T> {
    var noise = Noise(3)
    let images = 2
    return GroupNormCall<T>(
      images: images, pixels: size[0], channels: size[1], groups: size[2], silu: silu,
      x: noise.numbers(images * size[0] * size[1]).map { $0 + 0.3 },
      scale: noise.numbers(size[1]), shift: noise.numbers(size[1]))
  }

  /// The definition, whatever the scalar type of the call.
  func definition<T: ImageScalar>(_ norm: GroupNormCall<T>) -> [Double] {
    let x = norm.x.map { Double($0) }
    let size = norm.channels / norm.groups
    var y = x
    for image in 0..<norm.images {
      for group in 0..<norm.groups {
        let places = (0..<norm.pixels).flatMap { pixel in
          (group * size..<(group + 1) * size).map {
            (image * norm.pixels + pixel) * norm.channels + $0
          }
        }
        let mean = places.reduce(0) { $0 + x[$1] } / Double(places.count)
        let variance =
          places.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / Double(places.count)
        for place in places {
          let channel = place % norm.channels
          let value =
            (x[place] - mean) / (variance + Double(norm.epsilon)).squareRoot()
            * Double(norm.scale[channel]) + Double(norm.shift[channel])
          y[place] = norm.silu ? value / (1 + exp(-value)) : value
        }
      }
    }
    return y
  }

  @Test(arguments: Target.available, sizes)
  func agreesWithItsDefinition(_ target: Target, _ size: [Int]) {
    for silu in [false, true] {
      let double = call(size, silu: silu, Double.self)
      let expected = definition(double)
      let whole = Double.groupNorm(target, double, parts: [0..<2])
      #expect(zip(whole, expected).allSatisfy { abs($0 - $1) < 1e-13 })
      #expect(Double.groupNorm(target, double, parts: [1..<2, 0..<1]) == whole)
      let float = call(size, silu: silu, Float.self)
      #expect(
        zip(Float.groupNorm(target, float, parts: [0..<2]), definition(float)).allSatisfy {
          abs(Double($0) - $1) < 3e-6
        })
    }
  }

  @Test(arguments: Target.available, sizes)
  func gradientAgreesWithCentralDifferences(_ target: Target, _ size: [Int]) {
    for silu in [false, true] {
      let norm = call(size, silu: silu, Double.self)
      var noise = Noise(5)
      let dy: [Double] = noise.numbers(norm.x.count)
      let found = Double.groupNormGradient(target, norm, dy)
      // Group by group, the last first: the same bits.
      let apart = Double.groupNormGradient(
        target, norm, dy, groups: (0..<norm.groups).reversed().map { $0..<$0 + 1 })
      #expect(apart == found)
      func difference(_ path: WritableKeyPath<GroupNormCall<Double>, [Double]>, _ place: Int)
        -> Double
      {
        var (up, down) = (norm, norm)
        up[keyPath: path][place] += 1e-5
        down[keyPath: path][place] -= 1e-5
        let (a, b) = (definition(up), definition(down))
        return dy.indices.reduce(0) { $0 + dy[$1] * (a[$1] - b[$1]) } / 2e-5
      }
      for place in stride(from: 0, to: norm.x.count, by: max(1, norm.x.count / 7)) {
        let expected = difference(\.x, place)
        #expect(abs(found.dx[place] - expected) < 2e-8 * (1 + abs(expected)))
      }
      for place in stride(from: 0, to: norm.channels, by: 3) {
        let (scale, shift) = (difference(\.scale, place), difference(\.shift, place))
        #expect(abs(found.scale[place] - scale) < 2e-8 * (1 + abs(scale)))
        #expect(abs(found.shift[place] - shift) < 2e-8 * (1 + abs(shift)))
      }
    }
  }

  @Test func targetsWithFusedMultiplyAddAgreeToTheBit() {
    for size in Self.sizes {
      let norm = call(size, silu: true, Float.self)
      let results = Target.available.filter(\.hasFMA).map { target in
        let gradient = Float.groupNormGradient(target, norm, norm.x)
        return Float.groupNorm(target, norm, parts: [0..<2]) + gradient.dx + gradient.scale
          + gradient.shift
      }
      #expect(results.allSatisfy { $0 == results.first })
    }
  }
}
