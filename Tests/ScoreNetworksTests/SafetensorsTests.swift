import Foundation
import ScoreNetworks
import ScoreTensors
import Testing

@Suite struct SafetensorsTests {
  private let sample = Safetensors(
    Parameters<Float>(
      names: ["a.weight", "b", "empty"],
      tensors: [
        Tensor([2, 3], [1, -2, 3.5, 0, .leastNonzeroMagnitude, 6]), Tensor([], [7]),
        Tensor([0, 4], []),
      ]), metadata: ["step": "12", "note": "a \"quoted\" line\nand σ"])

  @Test func writingAndReadingGivesTheSameBits() throws {
    let read = try Safetensors<Float>(bytes: sample.bytes, name: "sample")
    #expect(read.parameters == sample.parameters)
    #expect(read.metadata == sample.metadata)
    #expect(read.bytes == sample.bytes)
  }

  @Test func halfPrecisionIsConverted() throws {
    // 1, −2, the smallest subnormal, infinity; then 1 and −3 as bfloat16.
    let data: [UInt8] = [0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00, 0x00, 0x7C, 0x80, 0x3F, 0x40, 0xC0]
    let header =
      #"{"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}"#
    let read = try Safetensors<Double>(bytes: file(header, data), name: "half")
    #expect(read.parameters["h"]?.scalars == [1, -2, 0x1p-24, .infinity])
    #expect(read.parameters["b"]?.scalars == [1, -3])
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "offsets"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 12, "holds 12"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12, "starts at byte 4"),
    (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, "takes 12 bytes"),
    (#"{"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}"#, 8, "type I32"),
    (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, 8, "impossible"),
    (
      #"{"a":{"dtype":"F32","shape":[4611686018427387904,8],"data_offsets":[0,8]}}"#, 8,
      "impossible"
    ),
    (#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, 8, "lacks"),
    ("[1,2]", 0, "not a JSON object"), ("{", 0, "not a JSON object"),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      8, "has a twice"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8]}}"#, 8, "has shape twice"
    ),
    (
      #"{"__metadata__":{},"__metadata__":{},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
      8, "has __metadata__ twice"
    ),
    (#"{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}"#, 8, "shape [2.0]"),
    (#"{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}"#, 8, "shape [2e0]"),
    (#"{"a":{"dtype":"F32","shape":[true, 2],"data_offsets":[0,8]}}"#, 8, "shape [true, 2]"),
    (#"{"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,8]}}"#, 8, "shape [1e999]"),
    (
      #"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}"#, 8,
      "shape [9223372036854775808]"
    ),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[false, 8]}}"#, 8, "offsets [false, 8]"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.0]}}"#, 8, "offsets [0, 8.0]"),
    (#"{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}"#, 8, "shape"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}"#, 8, "two data_offsets"),
    (#"{"a":{"dtype":"F32","shape":[2,],"data_offsets":[0,8]}}"#, 8, "byte 31"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},}"#, 8, "byte 54"),
    (#"{"a":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}"#, 8, "byte 29"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x"#, 8, "byte 55"),
    (#"{"__metadata__":{"step":1}}"#, 0, "strings"),
    (String(repeating: #"{"a":"#, count: 100_000), 0, "not a JSON object"),
  ])
  func damageIsNamed(header: String, bytes: Int, words: String) throws {
    let error = #expect(throws: FileError.self) {
      try Safetensors<Float>(
        bytes: file(header, [UInt8](repeating: 0, count: bytes)), name: "damaged")
    }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
  }

  @Test func whateverJSONAllowsIsRead() throws {
    let header =
      " {\t\"σ\\u0301\\ud83d\\ude00\\n/\\/\" : {\r\n\"data_offsets\":[ 0 , 8 ] ,\"shape\":[2, 1 ],"
      + #""more": [-1.5e+3, {"x": [], "y": {}}, true, false, null, ""], "dtype":"F32"},"#
      + #""__metadata__" : { "a\"b" : "\\" , "" : "{\"a\": [1.0, true]}" } , "s": {"dtype":"F64","shape":[],"data_offsets":[8,16]} }  "#
    let read = try Safetensors<Float>(
      bytes: file(header, [UInt8](repeating: 0, count: 16)), name: "x")
    #expect(read.parameters.names == ["σ\u{301}😀\n//", "s"])
    #expect(read.parameters.tensors.map(\.shape) == [[2, 1], []])
    #expect(read.metadata == ["a\"b": "\\", "": "{\"a\": [1.0, true]}"])
    #expect(try Safetensors<Float>(bytes: file("{}", []), name: "x").parameters.names == [])
  }

  @Test func overlappingTensorsAreRefused() throws {
    let header =
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#
    #expect(throws: FileError.self) {
      try Safetensors<Float>(bytes: file(header, [UInt8](repeating: 0, count: 12)), name: "x")
    }
  }

  @Test func everyTruncationIsAnError() throws {
    let bytes = sample.bytes
    for count in 0..<bytes.count {
      #expect(throws: FileError.self) {
        try Safetensors<Float>(bytes: Array(bytes.prefix(count)), name: "truncated")
      }
    }
  }

  @Test func flippedBytesNeverTrap() throws {
    let bytes = sample.bytes
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= UInt8(1 + place % 255)
      _ = try? Safetensors<Float>(bytes: damaged, name: "flipped")
    }
  }

  @Test func aFailedWriteLeavesNothing() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // A folder stands where the file should go, so the rename fails after the bytes are written.
    let path = folder.appendingPathComponent("taken").path
    try FileManager.default.createDirectory(
      atPath: path + "/inside", withIntermediateDirectories: true)
    #expect(throws: FileError.self) { try sample.write(to: path) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["taken"])
  }

  private func file(_ header: String, _ data: [UInt8]) -> [UInt8] {
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    bytes += header.utf8
    return bytes + data
  }
}
