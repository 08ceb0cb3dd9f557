import CScoreKernels
import ScoreTensors

extension Execution {
  func convolve(
    _ work: Instruction.Convolution, _ images: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    let (begin, end) = (Int64(images.lowerBound), Int64(images.upperBound))
    if isDouble {
      sk_conv_packed_f64(
        kernels, work.shape, begin, end, read(work.source), read(work.filter), write(work.out),
        work.accumulates ? 1 : 0, read(work.bias), Int64(work.biasStride), scratch)
    } else {
      sk_conv_packed_f32(
        kernels, work.shape, begin, end, read(work.source), read(work.filter), write(work.out),
        work.accumulates ? 1 : 0, read(work.bias), Int64(work.biasStride), scratch)
    }
  }

  func pack(_ work: Instruction.FilterPack) {
    if isDouble {
      sk_conv_pack_f64(
        kernels, work.shape, read(work.source), work.flipped ? 1 : 0, write(work.out))
    } else {
      sk_conv_pack_f32(
        kernels, work.shape, read(work.source), work.flipped ? 1 : 0, write(work.out))
    }
  }

  func filterGradient(
    _ work: Instruction.FilterGradient, _ units: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    let (begin, end) = (Int64(units.lowerBound), Int64(units.upperBound))
    if isDouble {
      sk_conv_filter_gradient_f64(
        kernels, work.shape, begin, end, Int64(work.images), read(work.source),
        read(work.gradient), write(work.out), 0, scratch)
    } else {
      sk_conv_filter_gradient_f32(
        kernels, work.shape, begin, end, Int64(work.images), read(work.source),
        read(work.gradient), write(work.out), 0, scratch)
    }
  }

  func normalize(
    _ work: Instruction.GroupNorm, _ share: Range<Int>, _ scratch: UnsafeMutableRawPointer
  ) {
    let images = work.sumsImages ? 0..<work.images : share
    let some = work.sumsImages ? share : 0..<work.groups
    let (first, last) = (Int64(some.lowerBound), Int64(some.upperBound))
    let (begin, end) = (Int64(images.lowerBound), Int64(images.upperBound))
    let (pixels, channels, groups) = (
      Int64(work.pixels), Int64(work.channels), Int64(work.groups)
    )
    let silu: Int32 = work.silu ? 1 : 0
    switch (work.isGradient, isDouble) {
    case (false, false):
      sk_group_norm_f32(
        kernels, begin, end, pixels, channels, groups, Float(work.epsilon), read(work.source),
        read(work.scale), read(work.shift), silu, write(work.out), scratch)
    case (false, true):
      sk_group_norm_f64(
        kernels, begin, end, pixels, channels, groups, work.epsilon, read(work.source),
        read(work.scale), read(work.shift), silu, write(work.out), scratch)
    case (true, false):
      sk_group_norm_gradient_f32(
        kernels, begin, end, first, last, pixels, channels, groups, Float(work.epsilon),
        read(work.source), read(work.scale), read(work.shift), silu, read(work.gradient),
        write(work.out), write(work.scaleGradient), write(work.shiftGradient), scratch)
    case (true, true):
      sk_group_norm_gradient_f64(
        kernels, begin, end, first, last, pixels, channels, groups, work.epsilon,
        read(work.source), read(work.scale), read(work.shift), silu, read(work.gradient),
        write(work.out), write(work.scaleGradient), write(work.shiftGradient), scratch)
    }
  }
}
