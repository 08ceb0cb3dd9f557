/// How workers share tasks, and where they wait for each other.
///
/// Rows of the batch stay with one worker from task to task, so a chain of row-wise tasks (a whole forward pass) runs
/// without a single wait, and a worker's rows stay in its own cache. Other tasks are split where that pays, or done by
/// one worker. Splits run along axes that no sum runs over, so the number of workers never changes a bit.
enum Partition {
  /// Below this cost in nanoseconds a task is not worth sharing, since workers must meet before and after.
  static let worthSharing = 4000.0
  /// Below this cost in nanoseconds a whole program is not worth waking other workers for.
  static let worthWaking = 12_000.0

  /// Rows are handed out in multiples of this.
  static func granule(_ rows: Int) -> Int { rows >= 32 ? 8 : rows >= 8 ? 4 : 1 }

  /// Chooses the split of every task and marks those that must wait.
  static func assign(_ tasks: inout [Task], _ buffers: [Buffer]) {
    let total = tasks.reduce(0) { $0 + $1.cost }
    if total >= worthWaking {
      var weight: [Int: Double] = [:]
      for task in tasks where task.unitsAreRows && task.units >= 8 {
        weight[task.units, default: 0] += task.cost
      }
      let main = weight.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
      for index in tasks.indices where tasks[index].units > 1 {
        let task = tasks[index]
        if task.unitsAreRows && task.units == main {
          tasks[index].split = .units(count: task.units, granule: granule(task.units))
        } else if task.cost >= worthSharing {
          tasks[index].split = .units(
            count: task.units, granule: task.granule ?? granule(task.units))
        }
      }
    }
    markWaits(&tasks, buffers)
  }

  private static func markWaits(_ tasks: inout [Task], _ buffers: [Buffer]) {
    var since: [(task: Task, access: Access)] = []
    for index in tasks.indices {
      let task = tasks[index]
      let waits = task.accesses.contains { access in
        since.contains { conflict($0.task, $0.access, task, access, buffers) }
      }
      if waits {
        tasks[index].waits = true
        since = []
      }
      since += task.accesses.map { (task, $0) }
    }
  }

  /// Whether two uses of memory by different workers could clash.
  private static func conflict(
    _ task: Task, _ access: Access, _ later: Task, _ other: Access, _ buffers: [Buffer]
  ) -> Bool {
    guard access.isWrite || other.isWrite else { return false }
    let (a, b) = (buffers[access.buffer], buffers[other.buffer])
    guard a.home == b.home, a.offset < b.offset + b.count, b.offset < a.offset + a.count else {
      return false
    }
    guard task.split == later.split else { return true }
    guard case .units(let count, _) = task.split else { return false }
    // As many groups or channels as there are rows are not the same units.
    guard task.unitsAreRows, later.unitsAreRows else { return true }
    let isSameMemory = a.offset == b.offset && a.count == b.count
    return !(isSameMemory && access.alignedRows == count && other.alignedRows == count)
  }
}
