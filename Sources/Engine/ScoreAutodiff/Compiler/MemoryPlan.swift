import CScoreKernels

/// Places the buffers of a program's tasks in its arena, so that a run allocates nothing.
///
/// A buffer lives from the first task that touches it to the last. Memory is handed on between buffers of one size
/// only: rows then stay at their places, so that workers need not wait where memory changes hands.
enum MemoryPlan {
  /// Buffers smaller than this keep their memory for themselves.
  private static let smallest = 1024

  /// Sets the offset of every arena buffer; returns the entries that the arena holds.
  static func place(_ tasks: [Task], _ buffers: inout [Buffer], alignment: Int) -> Int {
    var first = [Int](repeating: -1, count: buffers.count)
    var last = first
    for (index, task) in tasks.enumerated() {
      for access in task.accesses {
        if first[access.buffer] < 0 { first[access.buffer] = index }
        last[access.buffer] = index
      }
    }
    var ending = [[Int]](repeating: [], count: tasks.count)
    for buffer in buffers.indices where first[buffer] >= 0 && buffers[buffer].home == .arena {
      ending[last[buffer]].append(buffer)
    }
    var free: [Int: [Int]] = [:]  // offsets by size
    var size = 0
    var placed = [Bool](repeating: false, count: buffers.count)
    for (index, task) in tasks.enumerated() {
      var dying = ending[index].filter { placed[$0] }
      for access in task.accesses where buffers[access.buffer].home == .arena {
        let buffer = access.buffer
        if placed[buffer] { continue }
        placed[buffer] = true
        let count = buffers[buffer].count
        if let place = dying.firstIndex(where: { mayReplace($0, buffer, task, buffers) }) {
          // Entry for entry, the result takes the place of an input that nothing reads any more.
          buffers[buffer].offset = buffers[dying[place]].offset
          dying.remove(at: place)
        } else if let offset = free[count]?.popLast() {
          buffers[buffer].offset = offset
        } else {
          buffers[buffer].offset = size
          size += (count + alignment - 1) / alignment * alignment
        }
      }
      dying += ending[index].filter { buffer in
        first[buffer] == index && last[buffer] == index
      }
      for buffer in dying where buffers[buffer].count >= smallest {
        free[buffers[buffer].count, default: []].append(buffers[buffer].offset)
      }
    }
    return size
  }

  /// Whether a task may write `result` over its input `input`, entry for entry: an elementwise one, or a product times that input.
  private static func mayReplace(_ input: Int, _ result: Int, _ task: Task, _ buffers: [Buffer])
    -> Bool
  {
    if case .gemm(let work) = task.work {
      // One that accumulates has the place of what it adds to already, and does not ask.
      return work.activation == SK_TIMES && work.preActivation == input && work.out == result
        && buffers[input].count == buffers[result].count
    }
    guard case .elementwise(let work) = task.work, buffers[input].count == buffers[result].count,
      work.outputs.contains(where: { $0.buffer == result })
    else { return false }
    let reads = work.inputs.filter { $0.buffer == input }
    return !reads.isEmpty && reads.allSatisfy { $0.isContiguous && $0.offset == 0 }
  }
}
