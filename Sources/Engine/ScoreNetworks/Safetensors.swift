import Foundation
import ScoreTensors

/// Named tensors in a file of the safetensors format: a length, a JSON header, then the bytes.
///
/// Tensors keep their order in the file. A file written here reads back bit for bit, and in Python's `safetensors`.
public struct Safetensors<Scalar: TensorScalar>: Sendable {
  /// The tensors by name, in the order of their bytes.
  public var parameters: Parameters<Scalar>
  /// Text that goes with them.
  public var metadata: [String: String]

  public init(_ parameters: Parameters<Scalar>, metadata: [String: String] = [:]) {
    self.parameters = parameters
    self.metadata = metadata
  }

  /// The file's bytes; the same tensors and metadata always give the same bytes.
  public var bytes: [UInt8] {
    var header = "{"
    if !metadata.isEmpty {
      let items = metadata.sorted { $0.key < $1.key }
        .map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
      header += "\"__metadata__\":{\(items.joined(separator: ","))},"
    }
    let type = MemoryLayout<Scalar>.size == 4 ? "F32" : "F64"
    var offset = 0
    let entries = zip(parameters.names, parameters.tensors).map { name, tensor in
      let begin = offset
      offset += tensor.count * MemoryLayout<Scalar>.size
      let shape = tensor.shape.extents.map(String.init).joined(separator: ",")
      return
        "\(Self.quoted(name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(offset)]}"
    }
    header += entries.joined(separator: ",") + "}"
    // The data start at a multiple of 8 bytes, as the format recommends.
    header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(8 + header.utf8.count + offset)
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { bytes.append(contentsOf: $0) }
    bytes.append(contentsOf: header.utf8)
    for tensor in parameters.tensors {
      tensor.withUnsafeBuffer { bytes.append(contentsOf: UnsafeRawBufferPointer($0)) }
    }
    return bytes
  }

  /// Writes the file whole or not at all.
  public func write(to path: String) throws(FileError) { try AtomicFile.write(bytes, to: path) }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for unit in text.unicodeScalars {
      switch unit {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case _ where unit.value < 0x20:
        let hex = String(unit.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(unit)
      }
    }
    return out + "\""
  }
}
