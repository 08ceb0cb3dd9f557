import CScoreKernels
import ScoreTensors
import Synchronization

/// A program whose parameters are fixed; it may run on several threads at once, each with its own workspace.
public final class BoundProgram<Scalar: TensorScalar>: @unchecked Sendable {
  // The memory is written by the initialiser and by rebind, while no run is under way.
  private let compiled: CompiledProgram
  private var retained: [Tensor<Scalar>]
  private let parameters: UnsafeMutablePointer<UnsafePointer<Scalar>?>
  private let memory: UnsafeMutableRawPointer
  // Workspaces of calls that are over, for the calls to come.
  private let spare = Mutex<[Workspace<Scalar>]>([])

  init(_ compiled: CompiledProgram, _ parameters: [Tensor<Scalar>]) {
    precondition(
      parameters.map(\.shape) == compiled.parameterShapes,
      "parameters of shapes \(parameters.map(\.shape)), expected \(compiled.parameterShapes)")
    self.compiled = compiled
    retained = parameters
    self.parameters = .allocate(capacity: max(1, parameters.count))
    for (index, parameter) in parameters.enumerated() {
      self.parameters[index] = parameter.withUnsafeBuffer { $0.baseAddress }
    }
    memory = .allocate(byteCount: compiled.boundBytes + 64, alignment: 64)
    prepare(nil)
  }

  deinit {
    memory.deallocate()
    parameters.deallocate()
  }

  /// Fixes other parameters: pointers to entries that stay where they are until the next call. Allocates no more than the
  /// pool's job after the first time; no run may be under way.
  package func rebind(unsafeParameters: [UnsafePointer<Scalar>?], pool: ThreadPool) {
    precondition(
      unsafeParameters.count == compiled.parameterShapes.count,
      "\(unsafeParameters.count) parameters, expected \(compiled.parameterShapes.count)")
    for index in unsafeParameters.indices { parameters[index] = unsafeParameters[index] }
    retained = []
    prepare(pool)
  }

  /// Does the work that depends on parameters alone.
  ///
  /// A worker packs one part of every matrix, by rows: whoever changed parameters in about the same parts finds most of them
  /// in its own cache again. Filters are packed whole.
  private func prepare(_ pool: ThreadPool?) {
    let workspace = spare.withLock { $0.popLast() } ?? Workspace<Scalar>(compiled, pool: nil)
    setFixedSegments(workspace)
    workspace.runFixed()
    let nextFilter = Atomic(0)
    @Sendable func share(_ worker: Int, _ workers: Int) {
      for item in compiled.packings.indices {
        let packing = compiled.packings[item]
        let rows = ThreadPool.share(
          of: packing.rows, granule: Int(SK_PACK_ROWS), item: item, worker, workers)
        if !rows.isEmpty { pack(packing, rows, workspace.segments) }
      }
      var filter = nextFilter.add(1, ordering: .relaxed).oldValue
      while filter < compiled.filterPacks.count {
        workspace.packFilter(filter)
        filter = nextFilter.add(1, ordering: .relaxed).oldValue
      }
    }
    if let pool, !compiled.packings.isEmpty || compiled.filterPacks.count > 1 {
      pool.run(share)
    } else {
      share(0, 1)
    }
    spare.withLock { $0.append(workspace) }
  }

  /// The shapes that the arguments must have.
  public var argumentShapes: [Shape] { compiled.argumentShapes }
  /// The shapes of the outputs.
  public var outputShapes: [Shape] { compiled.outputShapes }

  /// Memory for runs on the workers of a pool, or on the caller's thread alone.
  public func makeWorkspace(pool: ThreadPool? = nil) -> Workspace<Scalar> {
    Workspace(compiled, pool: pool)
  }

  /// The outputs for arguments; allocates the outputs, and a workspace where none is spare.
  public func callAsFunction(_ arguments: [Tensor<Scalar>], pool: ThreadPool? = nil)
    -> [Tensor<Scalar>]
  {
    let workspace =
      (pool == nil ? spare.withLock { $0.popLast() } : nil) ?? makeWorkspace(pool: pool)
    var results = outputShapes.map { Tensor<Scalar>($0) }
    run(arguments, into: &results, workspace)
    if pool == nil { spare.withLock { $0.append(workspace) } }
    return results
  }

  /// Runs into tensors that exist already; allocates nothing where nobody else holds them.
  ///
  /// The results are the same bits whatever the workspace's number of threads.
  public func run(
    _ arguments: [Tensor<Scalar>], into results: inout [Tensor<Scalar>],
    _ workspace: Workspace<Scalar>
  ) {
    precondition(
      arguments.count == compiled.argumentShapes.count
        && results.count == compiled.outputShapes.count,
      "\(arguments.count) arguments and \(results.count) results, expected \(compiled.argumentShapes.count) and \(compiled.outputShapes.count)"
    )
    setFixedSegments(workspace)
    for index in arguments.indices {
      precondition(
        arguments[index].shape == compiled.argumentShapes[index],
        "argument \(index) has shape \(arguments[index].shape), expected \(compiled.argumentShapes[index])"
      )
      workspace.segments[compiled.firstArgument + index] = arguments[index].withUnsafeBuffer {
        UnsafeMutableRawPointer(mutating: $0.baseAddress)
      }
    }
    for index in results.indices {
      precondition(
        results[index].shape == compiled.outputShapes[index],
        "result \(index) has shape \(results[index].shape), expected \(compiled.outputShapes[index])"
      )
      workspace.segments[compiled.firstOutput + index] = results[index].withUnsafeMutableBuffer {
        UnsafeMutableRawPointer($0.baseAddress)
      }
    }
    // The pointers hold as long as the arguments do and nobody touches the results.
    withExtendedLifetime((self, arguments)) { workspace.run() }
  }

  /// Runs on memory of the caller's: one pointer an argument and one an output, each to entries of its shape.
  ///
  /// Outputs overlap neither each other nor the arguments.
  public func run(
    unsafeArguments arguments: UnsafeBufferPointer<UnsafePointer<Scalar>?>,
    unsafeResults results: UnsafeBufferPointer<UnsafeMutablePointer<Scalar>?>,
    _ workspace: Workspace<Scalar>
  ) {
    precondition(
      arguments.count == compiled.argumentShapes.count
        && results.count == compiled.outputShapes.count,
      "\(arguments.count) arguments and \(results.count) results, expected \(compiled.argumentShapes.count) and \(compiled.outputShapes.count)"
    )
    setFixedSegments(workspace)
    for index in arguments.indices {
      workspace.segments[compiled.firstArgument + index] = UnsafeMutableRawPointer(
        mutating: arguments[index])
    }
    for index in results.indices {
      workspace.segments[compiled.firstOutput + index] = UnsafeMutableRawPointer(results[index])
    }
    withExtendedLifetime(self) { workspace.run() }
  }

  private func setFixedSegments(_ workspace: Workspace<Scalar>) {
    precondition(workspace.compiled === compiled, "the workspace belongs to another program")
    workspace.segments[CompiledProgram.Segment.bound] = memory
    for index in compiled.parameterShapes.indices {
      workspace.segments[CompiledProgram.Segment.first + index] = UnsafeMutableRawPointer(
        mutating: parameters[index])
    }
  }

  private func pack(
    _ packing: CompiledProgram.Packing, _ rows: Range<Int>,
    _ segments: UnsafeMutablePointer<UnsafeMutableRawPointer?>
  ) {
    func address(_ location: Location) -> UnsafeMutableRawPointer? {
      segments[Int(location.segment)].map { $0 + location.offset }
    }
    let (n, k, ldb) = (Int64(packing.n), Int64(packing.k), Int64(packing.ldb))
    let (begin, end) = (Int64(rows.lowerBound), Int64(rows.upperBound))
    let (source, target) = (address(packing.b), address(packing.place))
    if compiled.isDouble {
      sk_gemm_pack_f64(
        compiled.kernels.table, n, k, source?.assumingMemoryBound(to: Double.self), ldb,
        packing.transB ? 1 : 0, begin, end, target?.assumingMemoryBound(to: Double.self))
    } else if compiled.products == .bfloat16 {
      sk_gemm_bf16_pack(
        compiled.kernels.table, n, k, source?.assumingMemoryBound(to: Float.self), ldb,
        packing.transB ? 1 : 0, begin, end, target?.assumingMemoryBound(to: UInt32.self))
    } else {
      sk_gemm_pack_f32(
        compiled.kernels.table, n, k, source?.assumingMemoryBound(to: Float.self), ldb,
        packing.transB ? 1 : 0, begin, end, target?.assumingMemoryBound(to: Float.self))
    }
  }
}
