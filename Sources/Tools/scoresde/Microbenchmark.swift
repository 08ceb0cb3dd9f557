import Foundation
import ScoreSDE

/// What the engine's single operations reach of the machine's peak, measured in the same run.
enum Microbenchmark: String, CaseIterable {
  case gemm
  case convolution = "conv"
  case elementwise
  case random

  /// One line of the result.
  struct Measurement {
    let name: String
    let threads: Int
    let milliseconds: Double
    /// Floating-point operations or bytes in units of 10⁹ a second.
    let rate: Double
    let unit: String
    /// The rate over the machine's: multiply-adds for operations, a copy for bytes.
    let share: Double
  }

  /// Measures on one thread and, where there are more, on all.
  func measurements<Scalar: TensorScalar>(
    repeats: Int, _ pool: ThreadPool, _ type: Scalar.Type
  ) -> [Measurement] {
    let threads = self == .random || pool.threads == 1 ? [1] : [1, pool.threads]
    return threads.flatMap { count -> [Measurement] in
      let bench = Bench<Scalar>(
        pool: count == pool.threads ? pool : ThreadPool(threads: count), repeats: repeats)
      switch self {
      case .gemm: return bench.products()
      case .convolution: return bench.convolutions()
      case .elementwise: return bench.functions()
      case .random: return bench.randomNumbers()
      }
    }
  }
}

/// Measurements on one number of threads.
private struct Bench<Scalar: TensorScalar> {
  let pool: ThreadPool
  let repeats: Int

  private var size: Double { Double(MemoryLayout<Scalar>.size) }

  /// Seconds of one of so many calls.
  private func seconds(_ calls: Int, _ body: () -> Void) -> Double {
    let start = ContinuousClock.now
    for _ in 0..<calls { body() }
    return start.duration(to: .now).seconds / Double(calls)
  }

  /// Several measurements, each of as many calls as take two milliseconds and each right after one of what the machine does
  /// at best.
  ///
  /// The time is the least, for what disturbs a call only makes it longer. The share is the median of the measurements'
  /// own, since the machine's speed differs from one moment to the next.
  private func measurement(
    _ name: String, work: Double, _ unit: String, of best: () -> Double, _ body: () -> Void
  ) -> Microbenchmark.Measurement {
    body()
    let calls = max(1, Int(0.002 / max(1e-9, seconds(1, body))))
    let found = (0..<max(5, repeats)).map { _ in
      let best = best()
      let seconds = seconds(calls, body)
      return (seconds: seconds, share: work / seconds / best)
    }
    let least = found.map(\.seconds).min() ?? 0
    let shares = found.map(\.share).sorted()
    return Microbenchmark.Measurement(
      name: name, threads: pool.threads, milliseconds: 1000 * least, rate: work / least / 1e9,
      unit: unit, share: (shares[(shares.count - 1) / 2] + shares[shares.count / 2]) / 2)
  }

  /// Floating-point operations a second of multiply-adds in registers, on all threads at once.
  private func peak() -> Double {
    let rounds = 200_000
    let operations =
      Kernels.best.multiplyAdds(rounds: rounds, of: Scalar.self) * Double(pool.threads)
    return operations
      / seconds(1) {
        pool.run { _, _ in _ = Kernels.best.multiplyAdds(rounds: rounds, of: Scalar.self) }
      }
  }

  /// A run of formulas on arguments of their shapes.
  private func run(_ arguments: [Formula], _ output: Formula, parameters: [Formula] = [])
    -> () -> Void
  {
    func values(_ formulas: [Formula]) -> [Tensor<Scalar>] {
      formulas.enumerated().map { index, formula in
        RandomKey(UInt64(index)).uniform(formula.shape)
      }
    }
    let program = Program<Scalar>(
      parameters: parameters, arguments: arguments, outputs: [output]
    ).bind(values(parameters))
    let workspace = program.makeWorkspace(pool: pool)
    let given = values(arguments)
    var results = [Tensor<Scalar>(output.shape)]
    return { program.run(given, into: &results, workspace) }
  }

  func products() -> [Microbenchmark.Measurement] {
    [128, 256, 512, 1024].map { n in
      let (a, b) = (Formula.input("a", [n, n]), Formula.input("b", [n, n]))
      return measurement(
        "gemm \(n)", work: 2 * pow(Double(n), 3), "GFLOP/s", of: peak, run([a, b], a.matmul(b)))
    }
  }

  /// Convolutions of 3 × 3, counted as sums of products, though minimal filtering does with fewer.
  func convolutions() -> [Microbenchmark.Measurement] {
    [(32, 28), (64, 28), (32, 14), (64, 14)].flatMap { channels, side in
      let images = 16 * (28 / side)
      let x = Formula.input("x", [images, side, side, channels])
      let g = Formula.input("g", x.shape)
      let w = Formula.input("w", [3, 3, channels, channels])
      let y = x.convolution(w, padding: 1)
      let name = "conv 3×3, \(channels) channels, \(side) px"
      let work = 2 * 9 * Double(x.shape.count * channels)
      let gradients = vjp([y], cotangents: [g], withRespectTo: [x, w])
      let runs = [
        ("", run([x], y, parameters: [w])),
        (", input gradient", run([g], gradients[0], parameters: [w])),
        (", filter gradient", run([x, g], gradients[1])),
      ]
      return runs.map { measurement(name + $0, work: work, "GFLOP/s", of: peak, $1) }
    }
  }

  /// Bytes a second of copies of x, read and written ones counted.
  private func copies(_ x: Formula) -> () -> Double {
    let copy = run([x], x)
    let bytes = 2 * size * Double(x.shape.count)
    return { bytes / seconds(1, copy) }
  }

  func functions() -> [Microbenchmark.Measurement] {
    let x = Formula.input("x", [1 << 22])
    let copies = copies(x)
    let functions: [(String, Formula)] = [
      ("1 + x", 1 + x), ("sqrt", sqrt(x)), ("exp", exp(x)), ("log", log(x)), ("sin", sin(x)),
      ("tanh", tanh(x)), ("sigmoid", sigmoid(x)), ("silu", silu(x)), ("erf", erf(x)),
    ]
    return functions.map { name, y in
      measurement(
        name, work: 2 * size * Double(x.shape.count), "GB/s", of: copies, run([x], y))
    }
  }

  func randomNumbers() -> [Microbenchmark.Measurement] {
    let shape: Shape = [256, 4096]
    let copies = copies(.input("x", shape))
    let key = RandomKey(1)
    let draws: [(String, () -> Tensor<Scalar>)] = [
      ("uniform", { key.uniform(shape) }), ("normal", { key.normal(shape) }),
      ("rademacher", { key.rademacher(shape) }),
    ]
    return draws.map { name, draw in
      measurement(name, work: size * Double(shape.count), "GB/s", of: copies) { _ = draw() }
    }
  }
}
