import CScoreKernels
import ScoreTensors

extension Program: CustomStringConvertible {
  /// The bytes of the memory plan: what one run needs beside arguments and outputs.
  public var arenaBytes: Int { compiled.arenaBytes }

  /// The bytes that binding keeps: values that depend on parameters alone, and packed matrices.
  public var boundBytes: Int { compiled.boundBytes }

  /// The floating-point operations of one run: two for each multiply-add of a product, one for each entry of another
  /// operation.
  public var flopCount: Int { compiled.tasks.reduce(0) { $0 + $1.flopCount } }

  /// The number of times that workers wait for each other in one run.
  public var waitCount: Int { compiled.tasks.count { $0.waits } }

  /// The compiler's estimate of one run's time in nanoseconds: every task takes as long as the largest share of it, and a
  /// wait a microsecond.
  package func estimatedTime(threads: Int) -> Double {
    compiled.tasks.reduce(0) { sum, task in
      sum + task.cost * task.largestShare(threads) + (task.waits && threads > 1 ? 1000 : 0)
    }
  }

  /// The instructions of one run in order, one line each.
  public var instructions: [String] {
    compiled.tasks.map { $0.text(compiled.buffers) }
  }

  /// The program as text: sizes, then what binding does, then what a run does.
  public var description: String {
    let lines =
      [
        "\(Scalar.typeName) on \(compiled.kernels.target), \(compiled.tasks.count) instructions, "
          + "\(waitCount) waits, \(flopCount) flop, arena \(arenaBytes) bytes, bound \(boundBytes) bytes"
      ]
      + compiled.fixedTasks.map { "  once: " + $0.text(compiled.buffers) }
      + instructions.map { "  " + $0 }
    return lines.joined(separator: "\n")
  }
}

extension Task {
  /// The part of its units that the worker with the most of them gets.
  fileprivate func largestShare(_ workers: Int) -> Double {
    guard case .units(let count, let granule) = split else { return 1 }
    let shares = (0..<workers).map {
      ThreadPool.share(of: count, granule: granule, $0, workers).count
    }
    return Double(shares.max() ?? count) / Double(count)
  }

  fileprivate var flopCount: Int {
    switch work {
    case .gemm(let task): 2 * task.batch * task.m * task.n * task.k
    case .convolution(let task):
      2 * units * task.shape.macs
    case .filterGradient(let task): 2 * task.images * task.shape.macs
    case .groupNorm(let task): task.images * task.pixels * task.channels
    case .elementwise(let task):
      task.shape.count * task.operations.count { $0.opcode != UInt16(SK_CONSTANT.rawValue) }
    case .reduce(let task): task.outer * task.reduce * task.inner
    case .copy, .fill, .rows, .filterPack: 0
    }
  }

  fileprivate func text(_ buffers: [Buffer]) -> String {
    func name(_ index: Int) -> String {
      switch buffers[index].home {
      case .arena: "arena[\(buffers[index].offset)]"
      case .bound: "bound[\(buffers[index].offset)]"
      case .constant(let offset): "constant[\(offset)]"
      case .parameter(let number): "parameter \(number)"
      case .argument(let number): "argument \(number)"
      case .output(let number): "output \(number)"
      }
    }
    let shared: String
    switch split {
    case .solo: shared = "one worker"
    case .units(let count, let granule): shared = "\(count) units by \(granule)"
    }
    return (waits ? "wait, " : "") + work.text(name) + "  (\(shared))"
  }
}

extension sk_convolution {
  /// Multiply-adds of one image, those with zeros beside it included.
  fileprivate var macs: Int {
    Int(out_height * out_width * out_channels * kernel_height * kernel_width * channels)
  }

  fileprivate var text: String {
    "[\(height), \(width), \(channels)] to [\(out_height), \(out_width), \(out_channels)], filter \(kernel_height) × \(kernel_width)"
      + (stride > 1 ? ", stride \(stride)" : "") + (spread > 1 ? ", spread \(spread)" : "")
  }
}

extension Task.Work {
  fileprivate func text(_ name: (Int) -> String) -> String {
    switch self {
    case .gemm(let task):
      let a = "\(name(task.a.buffer))\(task.a.transposed ? "ᵀ" : "")"
      let b =
        "\(task.packed == nil ? "" : "packed ")\(name(task.b.buffer))\(task.b.transposed ? "ᵀ" : "")"
      var text = "\(name(task.out)) \(task.accumulates ? "+=" : "=") "
      text += task.batch > 1 ? "\(task.batch) × " : ""
      text += task.isRounded ? "bf16 " : ""
      text += "[\(task.m), \(task.k)]·[\(task.k), \(task.n)] \(a) · \(b)"
      if let bias = task.bias { text += " + \(name(bias.buffer))" }
      switch task.activation {
      case SK_SILU, SK_SILU_SLOPE: text += ", silu"
      case SK_TANH: text += ", tanh"
      case SK_RELU: text += ", relu"
      default: break
      }
      if let before = task.preActivation {
        let part =
          switch task.activation {
          case SK_SILU_SLOPE: ", its slope "
          case SK_TIMES: ", times "
          default: ", before it "
          }
        text += part + name(before)
      }
      return text
    case .convolution(let task):
      var text = "\(name(task.out)) \(task.accumulates ? "+=" : "=") "
      text += "convolution \(task.shape.text) \(name(task.source.buffer)) by \(name(task.filter))"
      if let bias = task.bias { text += " + \(name(bias.buffer))" }
      return text
    case .filterPack(let task):
      return
        "\(name(task.out)) = \(task.flipped ? "flipped " : "")filter \(name(task.source.buffer)) packed"
    case .filterGradient(let task):
      return
        "\(name(task.out)) = filter gradient \(task.images) × \(task.shape.text) of \(name(task.source.buffer)) and \(name(task.gradient.buffer))"
    case .groupNorm(let task):
      let outputs = [task.out, task.scaleGradient, task.shiftGradient].compactMap { $0 }
      return
        "\(outputs.map(name).joined(separator: ", ")) = group norm\(task.norm.silu ? " silu" : "")\(task.gradient == nil ? "" : " gradient") \(task.images) × [\(task.pixels), \(task.channels)] of \(name(task.source.buffer))"
    case .elementwise(let task):
      let outputs = task.outputs.map { name($0.buffer) }.joined(separator: ", ")
      let inputs = task.inputs.map { name($0.buffer) }.joined(separator: ", ")
      let codes = task.operations.map { Self.names[Int($0.opcode)] ?? "\($0.opcode)" }
        .joined(separator: " ")
      return "\(outputs) = \(task.shape) {\(codes)} of \(inputs)"
    case .reduce(let task):
      return
        "\(name(task.out)) = \(task.isSum ? "sum" : "max") [\(task.outer), \(task.reduce), \(task.inner)] of \(name(task.source.buffer))"
    case .copy(let source, let target):
      return
        "\(name(target.buffer)) = copy \(Shape(source.extents)) of \(name(source.buffer)) by \(source.strides) to \(target.strides)"
    case .fill(let buffer, let value): return "\(name(buffer)) = \(value)"
    case .rows(let task):
      return
        "\(name(task.out)) = \(task.isGather ? "rows" : "sum at rows") of \(name(task.source.buffer))"
    }
  }

  /// The names of the kernels' operations.
  private static let names: [Int: String] = {
    var names = [Int(SK_CONSTANT.rawValue): "constant", Int(SK_SELECT.rawValue): "select"]
    for function in UnaryFunction.allCases {
      names[Int(function.opcode.rawValue)] = function.rawValue
    }
    for function in BinaryFunction.allCases {
      names[Int(function.opcode.rawValue)] = function.rawValue
    }
    return names
  }()
}
