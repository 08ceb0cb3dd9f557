import CScoreKernels

/// A fused program under construction.
struct Program {
  /// Where an input's entries lie.
  struct View {
    var strides: [Int]
  }

  var sizes: [Int]
  var views: [View]
  var operations: [sk_operation] = []
  var outputs: [Int] = []

  init(sizes: [Int], views: [[Int]]) {
    self.sizes = sizes
    self.views = views.map(View.init)
  }

  var count: Int { sizes.reduce(1, *) }

  /// Appends an operation and returns its register.
  mutating func add(_ opcode: sk_opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, imm: Double = 0)
    -> Int
  {
    operations.append(
      sk_operation(
        opcode: UInt16(opcode.rawValue), a: UInt16(a), b: UInt16(b), c: UInt16(c), imm: imm))
    return views.count + operations.count - 1
  }

  /// The kernels' form of it.
  var compiled: sk_program {
    var program = sk_program()
    program.rank = Int32(sizes.count)
    program.input_count = Int32(views.count)
    program.output_count = Int32(outputs.count)
    program.operation_count = Int32(operations.count)
    withUnsafeMutableBytes(of: &program.size) { bytes in
      for (d, size) in sizes.enumerated() {
        bytes.storeBytes(of: Int64(size), toByteOffset: 8 * d, as: Int64.self)
      }
    }
    withUnsafeMutableBytes(of: &program.view) { bytes in
      let view = MemoryLayout<sk_view>.stride
      for (i, v) in views.enumerated() {
        for (d, stride) in v.strides.enumerated() {
          bytes.storeBytes(of: Int64(stride), toByteOffset: view * i + 8 * d, as: Int64.self)
        }
      }
    }
    withUnsafeMutableBytes(of: &program.output) { bytes in
      for (o, r) in outputs.enumerated() {
        bytes.storeBytes(of: UInt16(r), toByteOffset: 2 * o, as: UInt16.self)
      }
    }
    withUnsafeMutableBytes(of: &program.operation) { bytes in
      let stride = MemoryLayout<sk_operation>.stride
      for (i, operation) in operations.enumerated() {
        bytes.storeBytes(of: operation, toByteOffset: stride * i, as: sk_operation.self)
      }
    }
    return program
  }

  /// Runs the ranges one after the other on inputs of their own.
  func run<T: Scalar>(_ target: Target, _ inputs: [[T]], _ ranges: [Range<Int>]) -> [[T]] {
    var program = compiled
    let memory = inputs.map { input in
      let copy = UnsafeMutableBufferPointer<T>.allocate(capacity: input.count)
      _ = copy.initialize(from: input)
      return copy
    }
    let results = outputs.map { _ in
      let room = UnsafeMutableBufferPointer<T>.allocate(capacity: count + 1)
      room.initialize(repeating: .nan)
      return room
    }
    defer {
      for buffer in memory { buffer.deallocate() }
      for buffer in results { buffer.deallocate() }
    }
    withScratch(T.programScratch(&program)) { scratch in
      for range in ranges {
        T.run(
          target, &program, memory.map { UnsafePointer($0.baseAddress) },
          results.map(\.baseAddress), range, scratch: scratch)
      }
    }
    precondition(results.allSatisfy { $0[count].isNaN }, "wrote beyond an output")
    return results.map { Array($0[..<count]) }
  }

  /// The value of every output, entry by entry; one-operand functions come from the kernels' own `map`.
  func reference<T: Scalar>(_ target: Target, _ inputs: [[T]]) -> [[T]] {
    var results = outputs.map { _ in [T]() }
    for flat in 0..<count {
      var registers: [T] = []
      for (input, view) in zip(inputs, views) {
        var rest = flat
        var offset = 0
        for d in sizes.indices.reversed() {
          offset += rest % sizes[d] * view.strides[d]
          rest /= sizes[d]
        }
        registers.append(input[offset])
      }
      for operation in operations {
        registers.append(Self.apply(target, operation, registers))
      }
      for (o, r) in outputs.enumerated() { results[o].append(registers[r]) }
    }
    return results
  }

  private static func apply<T: Scalar>(_ target: Target, _ op: sk_operation, _ r: [T]) -> T {
    let a = r[Int(op.a)]
    let b = r[Int(op.b)]
    let c = r[Int(op.c)]
    switch sk_opcode(UInt32(op.opcode)) {
    case SK_CONSTANT: return T(op.imm)
    case SK_ADD: return a + b
    case SK_SUB: return a - b
    case SK_MUL: return a * b
    case SK_DIV: return a / b
    case SK_MAX: return a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
    case SK_MIN: return a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
    case SK_GREATER: return a > b ? 1 : 0
    case SK_SELECT: return a != 0 ? b : c
    case SK_FMA: return target.hasFMA ? c.addingProduct(a, b) : a * b + c
    default: return T.map(target, sk_opcode(UInt32(op.opcode)), [a])[0]
    }
  }
}
