import Foundation
import ScoreData
import ScoreFigures
import ScoreTensors
import Testing

/// Readers never trap: whatever is done to a valid file, they return or throw a `DataError`.
@Suite struct FuzzTests {
  struct Format: Sendable {
    let name: String
    let file: [UInt8]
    let read: @Sendable ([UInt8]) throws(DataError) -> Void
  }

  static let formats = [
    Format(name: "NPY", file: bytes(base64: NPYFixture.f4)) { (file) throws(DataError) in
      _ = try NPY.decode(file, path: "x", as: Float.self)
    },
    Format(name: "NPY Fortran", file: bytes(base64: NPYFixture.fortran3)) {
      (file) throws(DataError) in
      _ = try NPY.decode(file, path: "x", as: Double.self)
    },
    Format(name: "IDX", file: IDXTests.plain) { (file) throws(DataError) in
      _ = try IDX.decode(file, path: "x", as: Float.self)
    },
    Format(name: "gzip", file: bytes(base64: StreamFixture.gzipOfTwo)) { (file) throws(DataError) in
      _ = try IDX.decode(file, path: "x", as: Float.self)
    },
    Format(name: "CSV", file: Array("x,y\n1,2\n3,-4e5\n\"6\",7.25\n".utf8)) {
      (file) throws(DataError) in
      _ = try CSV.decode(file, path: "x", as: Float.self)
    },
    Format(name: "PNG", file: bytes(base64: PNGFixture.rgb)) { (file) throws(DataError) in
      _ = try PNG.decode(file, path: "x")
    },
    Format(name: "PNG palette", file: bytes(base64: PNGFixture.palette)) {
      (file) throws(DataError) in
      _ = try PNG.decode(file, path: "x")
    },
    Format(name: "PNG interlaced", file: bytes(base64: PNGFixture.interlaced)) {
      (file) throws(DataError) in
      _ = try PNG.decode(file, path: "x")
    },
    Format(name: "PNG of 16 bits", file: bytes(base64: PNGFixture.sixteenAndOpacity)) {
      (file) throws(DataError) in
      _ = try PNG.decode(file, path: "x")
    },
    Format(name: "JPEG", file: bytes(base64: JPEGFixture.quartered)) { (file) throws(DataError) in
      _ = try JPEG.decode(file, path: "x")
    },
    Format(name: "JPEG of RGB", file: bytes(base64: JPEGFixture.rgb)) { (file) throws(DataError) in
      _ = try JPEG.decode(file, path: "x")
    },
    Format(name: "JPEG with restarts", file: bytes(base64: JPEGFixture.restarts)) {
      (file) throws(DataError) in
      _ = try JPEG.decode(file, path: "x")
    },
    Format(name: "JPEG progressive", file: bytes(base64: JPEGFixture.progressive)) {
      (file) throws(DataError) in
      _ = try JPEG.decode(file, path: "x")
    },
    Format(
      name: "JPEG progressive with restarts", file: bytes(base64: JPEGFixture.progressiveNoise)
    ) { (file) throws(DataError) in
      _ = try JPEG.decode(file, path: "x")
    },
    Format(name: "ZIP", file: bytes(base64: NPZFixture.deflated)) { (file) throws(DataError) in
      let archive = try ZipArchive(file, path: "x")
      for entry in archive.entries { _ = try archive.content(of: entry) }
    },
    Format(name: "ZIP of 64 bits", file: bytes(base64: NPZFixture.wide)) {
      (file) throws(DataError) in
      let archive = try ZipArchive(file, path: "x")
      for entry in archive.entries { _ = try archive.content(of: entry) }
    },
    Format(name: "CIFAR", file: [UInt8](repeating: 3, count: 3073)) { (file) throws(DataError) in
      _ = try CIFAR.decode(file, path: "x", as: Float.self)
    },
  ]

  @Test(arguments: formats.indices)
  func noReaderTraps(index: Int) throws {
    let format = Self.formats[index]
    try format.read(format.file)
    let count = 4000
    let numbers: Tensor<Double> = RandomKey(UInt64(index)).uniform([count, 8])
    let draws = numbers.scalars
    for trial in 0..<count {
      var file = format.file
      let draw = draws[8 * trial..<8 * trial + 8].map { $0 }
      for change in 0..<Int(draw[0] * 4) where !file.isEmpty {
        file[Int(draw[1 + change] * Double(file.count))] = UInt8(draw[5] * Double(256 - change))
      }
      if draw[6] < 0.3 { file.removeLast(Int(draw[7] * Double(file.count + 1))) }
      do {
        try format.read(file)
      } catch {
        #expect(!error.message.isEmpty)
      }
    }
  }

  @Test func noInflaterTrapsWithoutAChecksumBeforeIt() {
    let stream = bytes(base64: StreamFixture.dynamic).dropFirst(2)
    let numbers: Tensor<Double> = RandomKey(99).uniform([4000, 6])
    for trial in 0..<4000 {
      var changed = Array(stream)
      let draw = numbers.row(trial)
      for change in 0..<1 + Int(draw[0] * 3) {
        changed[Int(draw[1 + change] * Double(changed.count))] = UInt8(draw[4] * 256)
      }
      // Half of the changes go to the tables at the front.
      if draw[5] < 0.5 { changed[Int(draw[1] * 80)] ^= 1 << UInt8(draw[2] * 8) }
      _ = try? Inflate.deflate(changed[...], limit: 100_000)
    }
  }
}
