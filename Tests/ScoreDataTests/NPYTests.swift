import Foundation
import ScoreData
import ScoreTensors
import Testing

@Suite struct NPYTests {
  static let quarters: [Double] = [0, 0.25, 0.5, 0.75, 1, 1.25]
  static let whole: [Double] = [0, 1, 2, 3, 4, 5]

  @Test(arguments: [
    (NPYFixture.f4, quarters), (NPYFixture.bigF8, quarters), (NPYFixture.fortran, quarters),
    (NPYFixture.bigI2, whole.map { $0 - 3 }), (NPYFixture.i8v2, whole.map { $0 - 3 }),
    (NPYFixture.u1v3, whole), (NPYFixture.bool, [0, 1, 0, 1, 0, 1]),
  ])
  func everyTypeAndOrderIsRead(fixture: String, expected: [Double]) throws {
    let (tensor, _) = try NPY.decode(bytes(base64: fixture), path: "x.npy", as: Double.self)
    #expect(tensor == Tensor([2, 3], expected))
    let (floats, _) = try NPY.decode(bytes(base64: fixture), path: "x.npy", as: Float.self)
    #expect(floats == Tensor([2, 3], expected.map { Float($0) }))
  }

  /// Time stamps a second apart, as a column of a table or all that there is, are told apart in Double and not in Float.
  @Test func numbersThatRoundingWouldWipeOutAreRefused() throws {
    let stamps = (0..<6).map { 1.7e9 + Double($0) }
    let table = Tensor<Double>([6, 2], stamps.flatMap { [1, $0] })
    for (numbers, column) in [
      (table, " of column 2"), (Tensor([6], stamps), ""), (Tensor([1, 2, 3], stamps), ""),
    ] {
      let file = NPY.encode(numbers)
      #expect(try NPY.decode(file, path: "t.npy", as: Double.self).tensor == numbers)
      let error = try #require(throws: DataError.self) {
        try NPY.decode(file, path: "t.npy", as: Float.self)
      }
      #expect(error.kind == .unsupported && error.place == "t.npy")
      #expect(error.message.hasPrefix("the numbers\(column) deviate by 1.5"))
      #expect(error.message.hasSuffix("expected them in float64, or less a constant"))
    }
    // Among numbers that deviate as much they are of the size of these.
    let whole = Tensor<Double>([1, 2, 3], [0] + stamps.dropFirst())
    #expect(try NPY.decode(NPY.encode(whole), path: "", as: Float.self).tensor.count == 6)
    // One number among many that are 0 is rounded by little of what it is.
    let rare = Tensor<Double>([2_000_001], [0.1] + [Double](repeating: 0, count: 2_000_000))
    #expect(try NPY.decode(NPY.encode(rare), path: "", as: Float.self).tensor[0] == 0.1)
    // Where nothing is known of a number it has no part in this.
    let missing = NPY.encode(Tensor<Double>([3], [.nan, 1, 2]))
    #expect(try NPY.decode(missing, path: "", as: Float.self, allowsNonFinite: true).tensor[2] == 2)
  }

  @Test func halvesUnsignedNumbersAndScalarsAreRead() throws {
    let halves = try NPY.decode(bytes(base64: NPYFixture.f2), path: "", as: Double.self).tensor
    // NumPy's own conversions of these halves to double precision.
    #expect(halves.scalars == [0.5, -2, 65504, 5.960464477539063e-08, 0.333251953125])
    let unsigned = try NPY.decode(bytes(base64: NPYFixture.u4), path: "", as: Double.self).tensor
    #expect(unsigned.scalars == [4_294_967_295, 1])
    let scalar = try NPY.decode(bytes(base64: NPYFixture.scalar), path: "", as: Double.self).tensor
    #expect(scalar.shape == [] && scalar.scalars == [2.5])
  }

  @Test func fortranOrderOfThreeAxesIsTurned() throws {
    let fixture = bytes(base64: NPYFixture.fortran3)
    let tensor = try NPY.decode(fixture, path: "", as: Float.self).tensor
    #expect(tensor == Tensor([2, 3, 4], (0..<24).map { Float($0) }))
  }

  @Test func onlyBytesAreTakenForPixels() throws {
    let isBytes = try [NPYFixture.u1v3, NPYFixture.f4, NPYFixture.bool, NPYFixture.i8v2].map {
      try NPY.decode(bytes(base64: $0), path: "", as: Float.self).isBytes
    }
    #expect(isBytes == [true, false, false, false])
  }

  /// Images of another whole type are bytes where their numbers are; series, and floating-point numbers, are what they say.
  @Test(arguments: [
    ("<i8", 8, [1, 2, 2, 1], [0, 7, 128, 255], true),
    (">i2", 2, [1, 2, 2, 1], [0, 7, 128, 255], true),
    ("<u4", 4, [1, 2, 2, 1], [0, 7, 128, 255], true),
    ("<i8", 8, [1, 2, 2], [0, 7, 128, 255], false),
    ("<i8", 8, [1, 2, 2, 1], [0, 7, 128, 256], false),
    ("<i8", 8, [1, 2, 2, 1], [-1, 7, 128, 255], false),
    ("<i8", 8, [1, 2, 2, 1], [0, 1, 1, 127], false),
  ])
  func imagesOfWholeNumbersAreBytes(
    _ type: String, _ size: Int, _ shape: [Int], _ entries: [Int], _ expected: Bool
  ) throws {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    let header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(extents)), }\n"
    let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0]
    let data = entries.flatMap { entry in
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: entry >> (8 * $0)) }
      return type.hasPrefix(">") ? bytes.reversed() : bytes
    }
    let file = start + Array(header.utf8) + data
    let (tensor, isBytes) = try NPY.decode(file, path: "x.npy", as: Float.self)
    #expect(tensor.scalars == entries.map { Float($0) } && isBytes == expected)
  }

  @Test func whatIsWrittenIsWhatNumPyWrites() throws {
    let floats = Tensor<Float>([2, 3], Self.quarters.map { Float($0) })
    #expect(NPY.encode(floats) == bytes(base64: NPYFixture.f4))
  }

  @Test func filesGiveBackWhatWasWritten() throws {
    let folder = try TemporaryFolder()
    for shape in [[], [3], [4, 1], [2, 3, 4]] as [Shape] {
      let path = "\(folder.path)/x.npy"
      let doubles: Tensor<Double> = RandomKey(1).normal(shape)
      try NPY.write(doubles, to: path)
      #expect(try NPY.read(path) == doubles)
      let floats = Tensor<Float>(doubles)
      try NPY.write(floats, to: path)
      #expect(try NPY.read(path, as: Float.self) == floats)
    }
    #expect(folder.names == ["x.npy"])
  }

  @Test func unknownTypesAreNamed() throws {
    for fixture in [NPYFixture.complex, NPYFixture.record] {
      #expect(
        kind { _ = try NPY.decode(bytes(base64: fixture), path: "", as: Float.self) }
          == .unsupported)
    }
    #expect(
      kind { _ = try NPY.decode(bytes(base64: NPYFixture.empty), path: "", as: Float.self) }
        == .empty)
  }

  @Test func truncationIsFoundAtEveryLength() throws {
    let whole = bytes(base64: NPYFixture.f4)
    for length in 0..<whole.count {
      let kind = kind { _ = try NPY.decode(Array(whole[..<length]), path: "", as: Float.self) }
      #expect(kind == (length < 6 ? .wrongFormat : .truncated), "at \(length) bytes")
    }
    #expect(kind { _ = try NPY.decode(whole + [0], path: "", as: Float.self) } == .malformed)
  }

  /// A file of version 1 with this header and data.
  static func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
    [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0] + Array(header.utf8) + data
  }

  @Test(
    arguments: [
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", .truncated),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, }", .malformed),
      ("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", .malformed),
      ("{'descr': '<f3', 'fortran_order': False, 'shape': (1,)}", .unsupported),
      ("{'descr': '', 'fortran_order': False, 'shape': (1,)}", .unsupported),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", .malformed),
      ("{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False 'shape': (1,)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (+1,)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} and more\n", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n{}\n", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\u{0}\n", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'descr': '<f4'}", .malformed),
      ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'order': 'C'}", .malformed),
      ("{'descr': '<f+4', 'fortran_order': False, 'shape': (1,)}", .unsupported),
      ("{'descr': '<f04', 'fortran_order': False, 'shape': (1,)}", .unsupported),
      ("nothing", .malformed), ("", .malformed),
    ] as [(String, DataError.Kind)])
  func headersThatLieAreRefused(header: String, expected: DataError.Kind) {
    let file = Self.file(header, [0, 0, 0, 0])
    #expect(kind { _ = try NPY.decode(file, path: "", as: Float.self) } == expected)
  }

  @Test(arguments: [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }   \n",
    "{'shape': (1L,), \"fortran_order\": True,\n 'descr':'<f4'}",
    "{'descr':'<f4','fortran_order':False,'shape':(1,1)}",
  ])
  func headersOfOtherWritersAreRead(header: String) throws {
    let file = Self.file(header, [0, 0, 0x80, 0x3F])
    #expect(try NPY.decode(file, path: "", as: Float.self).tensor.scalars == [1])
  }

  @Test(arguments: [
    ("{'descr': '<f4' 'shape': (1,)}", "“'shape': (1,” at its character 16", "a comma or }"),
    ("{'descr': '<f4', 'shape': (1 2)}", "“2)}” at its character 29", "a comma or )"),
    ("{'descr': '<f4', 'descr': '<f4'}", "“descr” twice", "once each"),
    ("{'descr': '<f4', 'order': 'C'}", "“order”", "fortran_order"),
    (
      "{'descr': '<f4', 'shape': (1,), 'fortran_order': False}\n{}\n", "“{}” at its character 56",
      "the end"
    ),
    ("{'descr': '<f4'", "“” at its character 15", "a comma or }"),
  ])
  func theErrorSaysWhatAHeaderHasInstead(header: String, found: String, expected: String) throws {
    let error = try #require(throws: DataError.self) {
      try NPY.decode(Self.file(header), path: "x.npy", as: Float.self)
    }
    #expect(error.message.contains(found) && error.message.contains(expected), "\(error)")
  }

  @Test func theErrorSaysWhichEntryIsNotFinite() throws {
    for bad in [Double.nan, .infinity, -.infinity] {
      var values = Self.quarters
      values[5] = bad
      let file = NPY.encode(Tensor<Double>([2, 3], values))
      let error = try #require(throws: DataError.self) {
        try NPY.decode(file, path: "x.npy", as: Float.self)
      }
      #expect(error.kind == .notFinite && error.message.contains("[1, 2]"))
      #expect(error.description.hasPrefix("x.npy: "))
    }
    // Finite in double precision, infinite in single.
    let large = NPY.encode(Tensor<Double>([1], [1e300]))
    #expect(kind { _ = try NPY.decode(large, path: "", as: Float.self) } == .notFinite)
    #expect(kind { _ = try NPY.decode(large, path: "", as: Double.self) } == nil)
  }

  @Test func missingAndUnwritableFilesAreReported() throws {
    let folder = try TemporaryFolder()
    #expect(kind { _ = try NPY.read("\(folder.path)/none.npy", as: Float.self) } == .missing)
    #expect(kind { _ = try NPY.read(folder.path, as: Float.self) } == .wrongFormat)
    let empty = try folder.write("empty.npy", [])
    #expect(kind { _ = try NPY.read(empty, as: Float.self) } == .empty)
    let tensor = Tensor<Float>([1])
    #expect(kind { try NPY.write(tensor, to: "\(folder.path)/no/x.npy") } == .unwritable)
    // A folder stands where the file should go: nothing is left behind.
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/taken", withIntermediateDirectories: false)
    #expect(kind { try NPY.write(tensor, to: "\(folder.path)/taken") } == .unwritable)
    #expect(folder.names == ["empty.npy", "taken"])
  }
}
