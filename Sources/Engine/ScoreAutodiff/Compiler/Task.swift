import CScoreKernels
import ScoreTensors

/// A run of entries that the compiler places in memory.
struct Buffer {
  /// Where a buffer lies.
  enum Home: Hashable {
    /// In the workspace, at a place that the memory plan finds.
    case arena
    /// Computed when the parameters are bound, and kept.
    case bound
    case constant(Int)
    case parameter(Int)
    case argument(Int)
    case output(Int)
  }

  /// The number of entries.
  let count: Int
  var home: Home
  /// The entry of its home that it starts at.
  var offset = 0

  /// Whether its entries are the same in every run.
  var isFixed: Bool {
    switch home {
    case .arena, .argument, .output: false
    case .bound, .constant, .parameter: true
    }
  }
}

/// One call of a kernel, before buffers have addresses.
struct Task {
  /// What is called, with what.
  enum Work {
    /// `out = act(out·accumulate + op(a)·op(b) + bias)`, for each matrix of a batch.
    case gemm(GemmTask)
    /// A fused elementwise program on views of one index space.
    case elementwise(ElementwiseTask)
    case convolution(ConvolutionTask)
    case filterPack(FilterPackTask)
    case filterGradient(FilterGradientTask)
    case groupNorm(GroupNormTask)
    /// Sum or maximum over the middle one of three axes.
    case reduce(ReduceTask)
    /// Entries of a view to places in a buffer.
    case copy(source: View, target: View)
    /// A number to every entry of a buffer.
    case fill(buffer: Int, value: Double)
    /// Rows chosen by index, or added at them.
    case rows(RowsTask)
  }

  /// How workers share the task.
  enum Split: Hashable {
    /// One of them does it.
    case solo
    /// Each takes a range of `count` units, a multiple of `granule` long.
    case units(count: Int, granule: Int)
  }

  var work: Work
  /// The units that the task could be split into, 1 if it cannot.
  var units: Int
  /// Whether units are indices of axis 0, so that tasks on the same rows need not wait for each other.
  var unitsAreRows: Bool
  /// Units are handed out in multiples of this; nil leaves the choice to the partition.
  var granule: Int?
  var split = Split.solo
  /// Whether all workers must be done with what came before.
  var waits = false
  /// The estimated time on one core, in nanoseconds.
  var cost: Double
  /// The memory that the task touches.
  var accesses: [Access]
}

/// A task's use of a buffer.
struct Access {
  let buffer: Int
  let isWrite: Bool
  /// Where unit `i` touches row `i` of the buffer alone: the number of rows.
  let alignedRows: Int?
}

struct GemmTask {
  var batch = 1
  var m: Int
  var n: Int
  var k: Int
  var a: MatrixOperand
  var b: MatrixOperand
  var out: Int
  var accumulates = false
  var bias: (buffer: Int, offset: Int)?
  var activation = SK_IDENTITY
  /// The buffer for the value before the activation.
  var preActivation: Int?
  /// Where b is packed when parameters are bound: which of the packed matrices.
  var packed: Int?
  /// Whether operands are rounded to bfloat16; b is then packed.
  var isRounded = false
  /// Rows of one unit.
  var rowsPerUnit = 1
  /// Whether units are columns instead, so that workers do not all pack the whole of b.
  var unitsAreColumns = false
}

/// A matrix, or a stack of them, as the kernels take it.
struct MatrixOperand: Hashable {
  var buffer: Int
  var offset: Int
  var leading: Int
  var transposed: Bool
  var batchStride = 0
}

struct ElementwiseTask {
  var shape: Shape
  var inputs: [View]
  var outputs: [(buffer: Int, register: Int)]
  var operations: [sk_operation]
}

struct ReduceTask {
  var isSum: Bool
  var outer: Int
  var reduce: Int
  var inner: Int
  var source: View
  var out: Int
}

struct RowsTask {
  var isGather: Bool
  var rows: Int
  var columns: Int
  var tableRows: Int
  var source: (buffer: Int, offset: Int)
  var index: View
  var out: Int
}
