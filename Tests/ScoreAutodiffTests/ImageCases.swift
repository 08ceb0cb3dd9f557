import ScoreAutodiff
import ScoreTensors

extension OperationCase {
  /// Operations on images: odd sizes, strides, spreads, padding on one side, and filters as large as the image.
  static let images: [OperationCase] = [
    OperationCase(name: "convolution 3×3", shapes: [[2, 4, 3, 2], [3, 3, 2, 3]]) {
      $0[0].convolution($0[1], padding: 1)
    },
    OperationCase(name: "convolution 3×3 stride 2", shapes: [[2, 5, 4, 2], [3, 3, 2, 2]]) {
      $0[0].convolution($0[1], stride: 2, padding: 1)
    },
    OperationCase(name: "convolution 1×1", shapes: [[2, 3, 2, 3], [1, 1, 3, 2], [2]]) {
      $0[0].convolution($0[1]) + $0[2]
    },
    OperationCase(name: "convolution 1×1 stride 2", shapes: [[1, 4, 5, 3], [1, 1, 3, 2]]) {
      $0[0].convolution($0[1], stride: 2)
    },
    OperationCase(
      name: "convolution 1×1 padded on one side", shapes: [[2, 2, 3, 2], [1, 1, 2, 3]]
    ) {
      $0[0].convolution($0[1], before: [0, 0], after: [1, 2])
    },
    OperationCase(
      name: "convolution 1×1 cropped on one side", shapes: [[2, 3, 4, 2], [1, 1, 2, 3]]
    ) {
      $0[0].convolution($0[1], before: [0, 0], after: [-1, -2])
    },
    OperationCase(name: "convolution 5×5", shapes: [[1, 5, 3, 1], [5, 5, 1, 2]]) {
      $0[0].convolution($0[1], padding: 2)
    },
    OperationCase(name: "convolution 2×3 unevenly padded", shapes: [[1, 3, 4, 2], [2, 3, 2, 1]]) {
      $0[0].convolution($0[1], before: [1, 0], after: [0, 2])
    },
    OperationCase(name: "convolution spread 2", shapes: [[1, 3, 2, 2], [3, 3, 2, 2]]) {
      $0[0].convolution($0[1], stride: 1, spread: 2, before: [1, 1], after: [2, 1])
    },
    OperationCase(name: "convolution spread 2 stride 3", shapes: [[1, 3, 4, 1], [2, 2, 1, 2]]) {
      $0[0].convolution($0[1], stride: 3, spread: 2, before: [1, 1], after: [1, 1])
    },
    OperationCase(name: "convolution with bias and sum", shapes: imageLayer) {
      let y = $0[0].convolution($0[1], padding: 1) + $0[2]
      return silu($0[3] + y) + $0[0].convolution($0[1], padding: 1)
        + $0[4].reshaped([2, 1, 1, 2] as Shape)
    },
    OperationCase(name: "group norm", shapes: [[2, 3, 2, 4], [4], [4]]) {
      $0[0].groupNorm(groups: 2, scale: $0[1], shift: $0[2])
    },
    OperationCase(name: "group norm silu", shapes: [[2, 2, 3, 6], [6], [6]]) {
      $0[0].groupNorm(groups: 3, scale: $0[1], shift: $0[2], epsilon: 0.01, silu: true)
    },
    OperationCase(name: "group norm whose inputs are one", shapes: [[3]]) {
      let image = $0[0].reshaped([1, 1, 1, 3] as Shape).broadcast(to: [1, 2, 1, 3])
      return (image * Formula(Tensor<Double>([1, 2, 1, 1], [1, -0.5]))).groupNorm(
        groups: 1, scale: $0[0], shift: $0[0], silu: true)
    },
    OperationCase(name: "average pool", shapes: [[2, 4, 2, 3]]) {
      silu($0[0].averagePooled() * 2)
    },
    OperationCase(name: "average pool of many channels", shapes: [[1, 4, 6, 17]]) {
      square($0[0]).averagePooled() * 3
    },
    OperationCase(name: "average pool of rows", shapes: [[2, 3, 4, 5]]) {
      silu($0[0].averagePooled(1, 2) * 2)
    },
    OperationCase(name: "average pool of columns", shapes: [[2, 6, 2, 1]]) {
      silu($0[0].averagePooled(3, 1))
    },
    OperationCase(name: "up-sampling of rows", shapes: [[2, 1, 3, 2], [2, 1, 6, 3]]) {
      .concatenated([sin($0[0]).upsampled(1, 2), $0[1]], axis: 3)
    },
    OperationCase(name: "up-sampling", shapes: [[2, 2, 3, 2]]) { square($0[0].upsampled()) },
    OperationCase(name: "up-sampling joined", shapes: [[2, 2, 1, 2], [2, 4, 2, 3]]) {
      .concatenated([sin($0[0]).upsampled(), $0[1]], axis: 3)
    },
  ]

  private static let imageLayer: [Shape] = [
    [2, 3, 3, 2], [3, 3, 2, 2], [2], [2, 3, 3, 2], [2, 2],
  ]
}
