import CScoreKernels

/// A key of the counter-based generator Philox 4x32-10 (Salmon et al. 2011): the only source of randomness.
///
/// A key is a value: the same key gives the same numbers, always. Row `i` of a draw depends on (key, i) alone, not on
/// how many rows are drawn, in what order, or on how many threads. Derive a new key for each purpose with `folded`.
public struct RandomKey: Hashable, Sendable, Codable {
  /// The 64 bits of the key.
  public let bits: UInt64

  /// Creates a key from a seed.
  public init(_ seed: UInt64) { bits = seed }

  /// The key derived from this one for purpose number `data`.
  public func folded(_ data: UInt64) -> RandomKey {
    // The second counter word separates derivation from the numbers that rows draw, where it is 0.
    let counter: [UInt32] = [
      UInt32(truncatingIfNeeded: data), 0xF01D_ED00, UInt32(truncatingIfNeeded: data >> 32), 0,
    ]
    let key: [UInt32] = [UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32)]
    var words = [UInt32](repeating: 0, count: 4)
    sk_philox(counter, key, &words)
    return RandomKey(UInt64(words[0]) | UInt64(words[1]) << 32)
  }

  /// The key derived for a named purpose: the name is hashed with FNV-1a, 64 bits.
  public func folded(_ purpose: String) -> RandomKey {
    folded(
      purpose.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
  }
}

/// Which samples the rows of a batch are: the identity that random numbers hang on.
public enum SampleIndices: Sendable {
  /// Row `r` is sample `first + r`.
  case consecutive(first: Int)
  /// Row `r` is sample `indices[r]`.
  case explicit([Int])

  /// The sample that row `row` is.
  public subscript(row: Int) -> Int {
    switch self {
    case .consecutive(let first): first + row
    case .explicit(let indices): indices[row]
    }
  }

  /// The samples of chosen rows.
  public func rows(_ rows: [Int]) -> SampleIndices { .explicit(rows.map { self[$0] }) }
}

extension RandomKey {
  /// Standard normal numbers by Box–Muller, one independent stream a row.
  public func normal<Scalar: TensorScalar>(
    _ shape: Shape, of type: Scalar.Type = Scalar.self,
    samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    draw(shape, samples) { Scalar._normal(.best, bits, $0, $1, shape.rows, shape.rowCount, $2) }
  }

  /// Numbers uniform in the open interval (0, 1), one independent stream a row.
  public func uniform<Scalar: TensorScalar>(
    _ shape: Shape, of type: Scalar.Type = Scalar.self,
    samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    draw(shape, samples) { Scalar._uniform(.best, bits, $0, $1, shape.rows, shape.rowCount, $2) }
  }

  /// Numbers +1 or −1 with equal probability, one independent stream a row.
  public func rademacher<Scalar: TensorScalar>(
    _ shape: Shape, of type: Scalar.Type = Scalar.self,
    samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    draw(shape, samples) { Scalar._rademacher(.best, bits, $0, $1, shape.rows, shape.rowCount, $2) }
  }

  private func draw<Scalar: TensorScalar>(
    _ shape: Shape, _ samples: SampleIndices,
    _ body: (UnsafePointer<Int64>?, Int, UnsafeMutablePointer<Scalar>?) -> Void
  ) -> Tensor<Scalar> {
    Tensor(shape) { out in
      switch samples {
      case .consecutive(let first):
        body(nil, first, out.baseAddress)
      case .explicit(let indices):
        precondition(
          indices.count == shape.rows, "\(indices.count) sample indices for \(shape.rows) rows")
        body(indices.map(Int64.init), 0, out.baseAddress)
      }
    }
  }
}
