import CScoreKernels

/// The kernels for images, of one scalar type under common names.
protocol ImageScalar: Scalar {
  static func convolve(
    _ target: Target, _ shape: sk_convolution, _ x: [Self], _ w: [Self], flipped: Bool,
    into y: inout [Self], adding: Bool, bias: [Self]?, biasStride: Int, parts: [Range<Int>])
  static func filterGradient(
    _ target: Target, _ shape: sk_convolution, images: Int, _ x: [Self], _ dy: [Self],
    into dw: inout [Self], adding: Bool, parts: (_ units: Int) -> [Range<Int>])
  static func groupNorm(_ target: Target, _ norm: GroupNormCall<Self>, parts: [Range<Int>])
    -> [Self]
  static func groupNormGradient(
    _ target: Target, _ norm: GroupNormCall<Self>, _ dy: [Self], groups: [Range<Int>]
  ) -> (dx: [Self], scale: [Self], shift: [Self])
}

extension ImageScalar {
  /// The filter gradient from all units at once.
  static func filterGradient(
    _ target: Target, _ shape: sk_convolution, images: Int, _ x: [Self], _ dy: [Self],
    into dw: inout [Self], adding: Bool
  ) {
    filterGradient(target, shape, images: images, x, dy, into: &dw, adding: adding) { [0..<$0] }
  }

  /// The gradients of all groups at once.
  static func groupNormGradient(_ target: Target, _ norm: GroupNormCall<Self>, _ dy: [Self])
    -> (dx: [Self], scale: [Self], shift: [Self])
  {
    groupNormGradient(target, norm, dy, groups: [0..<norm.groups])
  }
}

/// The arguments of a group normalisation.
struct GroupNormCall<T: Scalar> {
  var images: Int
  var pixels: Int
  var channels: Int
  var groups: Int
  var epsilon: T = 1e-5
  var silu: Bool
  var x: [T]
  var scale: [T]
  var shift: [T]
}

extension Float: ImageScalar {
  static func convolve(
    _ target: Target, _ shape: sk_convolution, _ x: [Self], _ w: [Self], flipped: Bool,
    into y: inout [Self], adding: Bool, bias: [Self]?, biasStride: Int, parts: [Range<Int>]
  ) {
    var shape = shape
    let count = sk_conv_packed_count_f32(target.kernels, &shape)
    withScratch(count * MemoryLayout<Self>.stride) { memory in
      let packed = memory.bindMemory(to: Self.self, capacity: count)
      sk_conv_pack_f32(target.kernels, &shape, w, flipped ? 1 : 0, packed)
      withScratch(sk_conv_scratch_f32(target.kernels, &shape)) { scratch in
        for part in parts {
          sk_conv_packed_f32(
            target.kernels, &shape, Int64(part.lowerBound), Int64(part.upperBound), x, packed, &y,
            adding ? 1 : 0, bias, Int64(biasStride), scratch)
        }
      }
    }
  }

  static func filterGradient(
    _ target: Target, _ shape: sk_convolution, images: Int, _ x: [Self], _ dy: [Self],
    into dw: inout [Self], adding: Bool, parts: (Int) -> [Range<Int>]
  ) {
    var shape = shape
    withScratch(sk_conv_scratch_f32(target.kernels, &shape)) { scratch in
      for part in parts(Int(sk_conv_filter_units_f32(target.kernels, &shape))) {
        sk_conv_filter_gradient_f32(
          target.kernels, &shape, Int64(part.lowerBound), Int64(part.upperBound), Int64(images),
          x, dy, &dw, adding ? 1 : 0, scratch)
      }
    }
  }

  static func groupNorm(_ target: Target, _ norm: GroupNormCall<Self>, parts: [Range<Int>])
    -> [Self]
  {
    var y = [Self](repeating: .nan, count: norm.x.count)
    withScratch(sk_group_norm_scratch_f32(Int64(norm.channels))) { scratch in
      for part in parts {
        sk_group_norm_f32(
          target.kernels, Int64(part.lowerBound), Int64(part.upperBound), Int64(norm.pixels),
          Int64(norm.channels), Int64(norm.groups), norm.epsilon, norm.x, norm.scale, norm.shift,
          norm.silu ? 1 : 0, &y, scratch)
      }
    }
    return y
  }

  static func groupNormGradient(
    _ target: Target, _ norm: GroupNormCall<Self>, _ dy: [Self], groups: [Range<Int>]
  ) -> (dx: [Self], scale: [Self], shift: [Self]) {
    var dx = [Self](repeating: .nan, count: norm.x.count)
    var scale = [Self](repeating: .nan, count: norm.channels)
    var shift = scale
    withScratch(sk_group_norm_scratch_f32(Int64(norm.channels))) { scratch in
      for part in groups {
        sk_group_norm_gradient_f32(
          target.kernels, 0, Int64(norm.images), Int64(part.lowerBound), Int64(part.upperBound),
          Int64(norm.pixels), Int64(norm.channels), Int64(norm.groups), norm.epsilon, norm.x,
          norm.scale, norm.shift, norm.silu ? 1 : 0, dy, &dx, &scale, &shift, scratch)
      }
    }
    return (dx, scale, shift)
  }
}

extension Double: ImageScalar {
  static func convolve(
    _ target: Target, _ shape: sk_convolution, _ x: [Self], _ w: [Self], flipped: Bool,
    into y: inout [Self], adding: Bool, bias: [Self]?, biasStride: Int, parts: [Range<Int>]
  ) {
    var shape = shape
    let count = sk_conv_packed_count_f64(target.kernels, &shape)
    withScratch(count * MemoryLayout<Self>.stride) { memory in
      let packed = memory.bindMemory(to: Self.self, capacity: count)
      sk_conv_pack_f64(target.kernels, &shape, w, flipped ? 1 : 0, packed)
      withScratch(sk_conv_scratch_f64(target.kernels, &shape)) { scratch in
        for part in parts {
          sk_conv_packed_f64(
            target.kernels, &shape, Int64(part.lowerBound), Int64(part.upperBound), x, packed, &y,
            adding ? 1 : 0, bias, Int64(biasStride), scratch)
        }
      }
    }
  }

  static func filterGradient(
    _ target: Target, _ shape: sk_convolution, images: Int, _ x: [Self], _ dy: [Self],
    into dw: inout [Self], adding: Bool, parts: (Int) -> [Range<Int>]
  ) {
    var shape = shape
    withScratch(sk_conv_scratch_f64(target.kernels, &shape)) { scratch in
      for part in parts(Int(sk_conv_filter_units_f64(target.kernels, &shape))) {
        sk_conv_filter_gradient_f64(
          target.kernels, &shape, Int64(part.lowerBound), Int64(part.upperBound), Int64(images),
          x, dy, &dw, adding ? 1 : 0, scratch)
      }
    }
  }

  static func groupNorm(_ target: Target, _ norm: GroupNormCall<Self>, parts: [Range<Int>])
    -> [Self]
  {
    var y = [Self](repeating: .nan, count: norm.x.count)
    withScratch(sk_group_norm_scratch_f64(Int64(norm.channels))) { scratch in
      for part in parts {
        sk_group_norm_f64(
          target.kernels, Int64(part.lowerBound), Int64(part.upperBound), Int64(norm.pixels),
          Int64(norm.channels), Int64(norm.groups), norm.epsilon, norm.x, norm.scale, norm.shift,
          norm.silu ? 1 : 0, &y, scratch)
      }
    }
    return y
  }

  static func groupNormGradient(
    _ target: Target, _ norm: GroupNormCall<Self>, _ dy: [Self], groups: [Range<Int>]
  ) -> (dx: [Self], scale: [Self], shift: [Self]) {
    var dx = [Self](repeating: .nan, count: norm.x.count)
    var scale = [Self](repeating: .nan, count: norm.channels)
    var shift = scale
    withScratch(sk_group_norm_scratch_f64(Int64(norm.channels))) { scratch in
      for part in groups {
        sk_group_norm_gradient_f64(
          target.kernels, 0, Int64(norm.images), Int64(part.lowerBound), Int64(part.upperBound),
          Int64(norm.pixels), Int64(norm.channels), Int64(norm.groups), norm.epsilon, norm.x,
          norm.scale, norm.shift, norm.silu ? 1 : 0, dy, &dx, &scale, &shift, scratch)
      }
    }
    return (dx, scale, shift)
  }
}
