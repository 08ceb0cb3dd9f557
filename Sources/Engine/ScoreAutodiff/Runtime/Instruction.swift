import CScoreKernels
import ScoreTensors

/// Where an operand lies: so many bytes into one of the memories that a run is given.
struct Location {
  var segment: Int32
  var offset: Int

  /// No operand.
  static let none = Location(segment: -1, offset: 0)
}

/// A task with its addresses: what a run executes. Plain data, so that running touches no reference counts.
struct Instruction {
  enum Work {
    case gemm(Gemm)
    case elementwise(Elementwise)
    case convolution(Convolution)
    case filterPack(FilterPack)
    case filterGradient(FilterGradient)
    case groupNorm(GroupNorm)
    case reduce(Reduce)
    case copy(Copy)
    /// A number to the entries of units of so many entries each.
    case fill(target: Location, unit: Int, value: Double)
    case rows(Rows)
  }

  struct Gemm {
    var batch: Int
    var m: Int
    var n: Int
    var k: Int
    var a: Location
    var lda: Int
    var transA: Bool
    var aStride: Int
    var b: Location
    var ldb: Int
    var transB: Bool
    var bStride: Int
    var isPacked: Bool
    var isRounded: Bool
    var out: Location
    var accumulates: Bool
    var bias: Location
    var activation: sk_activation
    var before: Location
    var rowsPerUnit: Int
    /// Whether units are columns, not rows.
    var unitsAreColumns: Bool
  }

  struct Convolution {
    var shape: UnsafePointer<sk_convolution>
    var source: Location
    var filter: Location
    var out: Location
    var accumulates: Bool
    var bias: Location
    var biasStride: Int
  }

  struct FilterPack {
    var shape: UnsafePointer<sk_convolution>
    var flipped: Bool
    var source: Location
    var out: Location
  }

  struct FilterGradient {
    var shape: UnsafePointer<sk_convolution>
    var images: Int
    var source: Location
    var gradient: Location
    var out: Location
  }

  struct GroupNorm {
    var images: Int
    /// Whether units are groups, not images, since it adds over the images.
    var sumsImages: Bool
    var pixels: Int
    var channels: Int
    var groups: Int
    var epsilon: Double
    var silu: Bool
    var source: Location
    var scale: Location
    var shift: Location
    /// The result, or the gradient of the images.
    var out: Location
    var gradient: Location
    var isGradient: Bool
    var scaleGradient: Location
    var shiftGradient: Location
  }

  struct Elementwise {
    var program: UnsafePointer<sk_program>
    var inputs: UnsafePointer<Location>
    var outputs: UnsafePointer<Location>
    /// Entries in one unit.
    var unit: Int
  }

  struct Reduce {
    var isSum: Bool
    var outer: Int
    var reduce: Int
    var inner: Int
    var source: Location
    var out: Location
    /// Outer entries in one unit, or 0 where units are inner entries.
    var outerUnit: Int
  }

  struct Copy {
    var rank: Int32
    /// Extents, then the source's strides, then the target's.
    var layout: UnsafePointer<Int64>
    var source: Location
    var target: Location
  }

  struct Rows {
    var isGather: Bool
    var rows: Int
    var columns: Int
    var tableRows: Int
    var source: Location
    var index: Location
    var out: Location
  }

  var work: Work
  /// Units to share, or 0 for a task of one worker.
  var units: Int
  var granule: Int
  /// All units together, whatever the number of workers.
  var allUnits: Int
  var waits: Bool
}

extension Instruction.Gemm {
  /// The rows and the columns of a worker's share.
  func part(_ share: Range<Int>) -> (rows: Range<Int>, columns: Range<Int>) {
    if unitsAreColumns { return (0..<m, share) }
    if batch > 1 { return (0..<m, 0..<n) }
    return (share.lowerBound * rowsPerUnit..<share.upperBound * rowsPerUnit, 0..<n)
  }
}
