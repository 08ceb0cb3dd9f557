import Foundation
import ScoreTensors

extension Safetensors {
  /// One entry of a file's header.
  private struct Entry {
    let name: String
    let type: String
    let shape: Shape
    let begin: Int
    let end: Int
  }

  /// Reads a file; tensors of types F16, BF16, F32 and F64 are converted to `Scalar`.
  /// - Throws: `FileError` that says what is missing, named twice, truncated, overlapping or of another type. Nothing is
  ///   allocated on the word of the header alone.
  public init(contentsOf path: String) throws(FileError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw FileError("\(path): there is no such file")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw FileError("\(path): the file cannot be read: \(FileReason.againstReading(path))")
    }
    try self.init(bytes: [UInt8](data), name: path)
  }

  /// Reads a file's bytes; `path` is for errors.
  public init(bytes: [UInt8], name path: String) throws(FileError) {
    guard bytes.count >= 8 else {
      throw FileError("\(path): \(bytes.count) bytes are too few for a safetensors file")
    }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    guard length <= UInt64(bytes.count - 8) else {
      throw FileError(
        "\(path): the header claims \(length) bytes where \(bytes.count - 8) are left; the file is truncated or not safetensors"
      )
    }
    let start = 8 + Int(length)
    var metadata: [String: String] = [:]
    var entries: [Entry] = []
    for (name, value) in try SafetensorsHeader(bytes[8..<start], path: path).members {
      if name == "__metadata__" {
        metadata = try Self.metadata(value, path)
      } else {
        entries.append(try Self.entry(name, value, available: bytes.count - start, path))
      }
    }
    entries.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var offset = 0
    for entry in entries {
      guard entry.begin == offset else {
        throw FileError(
          "\(path): the tensor \(entry.name) starts at byte \(entry.begin) of the data; expected \(offset), so that tensors neither overlap nor leave gaps"
        )
      }
      offset = entry.end
    }
    guard offset == bytes.count - start else {
      throw FileError(
        "\(path): the tensors take \(offset) bytes; the file holds \(bytes.count - start)")
    }
    self.init(
      Parameters(
        names: entries.map(\.name),
        tensors: entries.map { entry in
          Self.decode(entry.type, entry.shape, bytes[start + entry.begin..<start + entry.end])
        }), metadata: metadata)
  }

  private static func metadata(
    _ value: SafetensorsHeader.Value, _ path: String
  ) throws(FileError) -> [String: String] {
    var metadata: [String: String] = [:]
    if case .object(let members) = value {
      for case (let name, .text(let text)) in members { metadata[name] = text }
      if metadata.count == members.count { return metadata }
    }
    throw FileError("\(path): __metadata__ is not an object of strings")
  }

  private static func entry(
    _ name: String, _ value: SafetensorsHeader.Value, available: Int, _ path: String
  ) throws(FileError) -> Entry {
    guard case .object(let fields) = value, case .text(let type)? = fields["dtype"],
      case .list(let shape)? = fields["shape"], case .list(let pair)? = fields["data_offsets"],
      pair.count == 2
    else {
      throw FileError("\(path): the entry \(name) lacks dtype, shape or two data_offsets")
    }
    let extents = shape.compactMap(\.wholeNumber)
    let offsets = pair.compactMap(\.wholeNumber)
    guard extents.count == shape.count, offsets.count == 2 else {
      throw FileError(
        "\(path): the tensor \(name) has shape \(shape) and data_offsets \(pair); expected whole numbers of 64 bits"
      )
    }
    let sizes = ["F16": 2, "BF16": 2, "F32": 4, "F64": 8]
    guard let size = sizes[type] else {
      throw FileError(
        "\(path): the tensor \(name) has type \(type); expected F16, BF16, F32 or F64")
    }
    var count = size
    for extent in extents {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else {
        throw FileError("\(path): the tensor \(name) has the impossible shape \(extents)")
      }
      count = product
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard 0 <= begin, begin <= end, end <= available, end - begin == count else {
      throw FileError(
        "\(path): the tensor \(name) of shape \(extents) and type \(type) takes \(count) bytes; its offsets are \(begin) to \(end) of \(available)"
      )
    }
    return Entry(name: name, type: type, shape: Shape(extents), begin: begin, end: end)
  }

  private static func decode(_ type: String, _ shape: Shape, _ bytes: ArraySlice<UInt8>)
    -> Tensor<Scalar>
  {
    bytes.withUnsafeBytes { raw in
      Tensor<Scalar>(shape) { out in
        for i in 0..<out.count {
          switch type {
          case "F16":
            out[i] = Scalar(
              Float(halfBits: raw.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)))
          case "BF16":
            let bits = UInt32(raw.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self)) << 16
            out[i] = Scalar(Float(bitPattern: bits))
          case "F32": out[i] = Scalar(raw.loadUnaligned(fromByteOffset: 4 * i, as: Float.self))
          default: out[i] = Scalar(raw.loadUnaligned(fromByteOffset: 8 * i, as: Double.self))
          }
        }
      }
    }
  }
}
