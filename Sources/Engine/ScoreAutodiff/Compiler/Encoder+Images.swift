import CScoreKernels
import ScoreTensors

extension Encoder {
  mutating func encode(_ task: ConvolutionTask) -> Instruction.Convolution {
    Instruction.Convolution(
      shape: place(task.shape), source: location(task.source.buffer, task.source.offset),
      filter: location(task.filter), out: location(task.out), accumulates: task.accumulates,
      bias: task.bias.map { location($0.buffer, $0.offset) } ?? .none,
      biasStride: task.bias?.stride ?? 0)
  }

  mutating func encode(_ task: FilterPackTask) -> Instruction.FilterPack {
    Instruction.FilterPack(
      shape: place(task.shape), flipped: task.flipped,
      source: location(task.source.buffer, task.source.offset), out: location(task.out))
  }

  mutating func encode(_ task: FilterGradientTask) -> Instruction.FilterGradient {
    Instruction.FilterGradient(
      shape: place(task.shape), images: task.images,
      source: location(task.source.buffer, task.source.offset),
      gradient: location(task.gradient.buffer, task.gradient.offset), out: location(task.out))
  }

  mutating func encode(_ task: GroupNormTask) -> Instruction.GroupNorm {
    let channels = Int64(task.channels)
    require(
      isDouble
        ? sk_group_norm_scratch_f64(channels) : sk_group_norm_scratch_f32(channels))
    func place(_ operand: (buffer: Int, offset: Int)?) -> Location {
      operand.map { location($0.buffer, $0.offset) } ?? .none
    }
    return Instruction.GroupNorm(
      images: task.images, sumsImages: task.sumsImages, pixels: task.pixels,
      channels: task.channels, groups: task.norm.groups, epsilon: task.norm.epsilon,
      silu: task.norm.silu, source: place(task.source), scale: place(task.scale),
      shift: place(task.shift), out: task.out.map { location($0) } ?? .none,
      gradient: place(task.gradient), isGradient: task.gradient != nil,
      scaleGradient: task.scaleGradient.map { location($0) } ?? .none,
      shiftGradient: task.shiftGradient.map { location($0) } ?? .none)
  }

  private mutating func place(_ shape: sk_convolution) -> UnsafePointer<sk_convolution> {
    let pointer = side.pointer([shape])
    require(
      isDouble
        ? sk_conv_scratch_f64(kernels.table, pointer) : sk_conv_scratch_f32(kernels.table, pointer))
    return UnsafePointer(pointer)
  }
}
