/// A JPEG frame: the header of a picture and the coefficients that scans have given so far.
struct JPEGFrame {
  let (width, height): (Int, Int)
  let isProgressive: Bool
  /// The most samples across and down for a unit that a component has.
  let (across, down): (Int, Int)
  /// The units, of 8 `across` × 8 `down` pixels, in a row and in a column.
  let (rowUnits, columnUnits): (Int, Int)
  var components: [JPEGComponent]
  /// The quantised coefficients of all blocks, each in the order of the file.
  var coefficients: [Int16]
  let path: String

  /// - Parameter bytesLeft: how many bytes follow, from which it is seen whether a picture of this size can be there.
  init(
    _ body: ArraySlice<UInt8>, isProgressive: Bool, path: String, bytesLeft: Int
  ) throws(DataError) {
    var reader = ByteReader(Array(body), path: path)
    let bits = try reader.byte("the bits a sample")
    guard bits == 8 else {
      throw DataError(.unsupported, path, "\(bits) bits a sample, where JPEG of 8 is read")
    }
    height = try reader.bigEndian16("the height")
    width = try reader.bigEndian16("the width")
    guard width > 0 else { throw DataError(.malformed, path, "an image 0 pixels wide") }
    guard height > 0 else {
      throw DataError(
        .unsupported, path, "the height stands after the first scan, where it is read before")
    }
    let count = Int(try reader.byte("the number of components"))
    guard count == 1 || count == 3 else {
      throw DataError(
        .unsupported, path,
        "an image of \(count) components\(count == 4 ? ", as CMYK has" : ""), where 1 (grey) or 3 (Y′CbCr or RGB) are read"
      )
    }
    let entries = Array(try reader.take(3 * count, "the components"))
    let (across, down) = try Self.largest(entries, path: path)
    (self.across, self.down) = (across, down)
    (rowUnits, columnUnits) = (
      (width + 8 * across - 1) / (8 * across), (height + 8 * down - 1) / (8 * down)
    )
    components = []
    for entry in stride(from: 0, to: entries.count, by: 3) {
      components.append(
        JPEGComponent(
          entries[entry..<entry + 3], of: (width, height), largest: (across, down),
          units: (rowUnits, columnUnits), from: components.last?.coefficients.upperBound ?? 0))
    }
    // Each block takes a bit at the least.
    let blocks = components.reduce(0) { $0 + $1.usedAcross * $1.usedDown }
    guard blocks / 8 <= bytesLeft else {
      throw DataError(
        .truncated, path,
        "the header promises \(width) × \(height) pixels, and \(bytesLeft) bytes follow it")
    }
    self.isProgressive = isProgressive
    self.path = path
    coefficients = [Int16](
      repeating: 0, count: components.last?.coefficients.upperBound ?? 0)
  }

  /// The most samples for a unit, of components that the others can be enlarged to.
  private static func largest(
    _ entries: [UInt8], path: String
  ) throws(DataError) -> (across: Int, down: Int) {
    let factors = stride(from: 1, to: entries.count, by: 3).map {
      (across: Int(entries[$0] >> 4), down: Int(entries[$0] & 15))
    }
    let names = Set(stride(from: 0, to: entries.count, by: 3).map { entries[$0] })
    guard factors.allSatisfy({ 1...4 ~= $0.across && 1...4 ~= $0.down }),
      names.count == factors.count,
      stride(from: 2, to: entries.count, by: 3).allSatisfy({ entries[$0] < 4 })
    else { throw DataError(.malformed, path, "the components of the frame make no sense") }
    let across = factors.map(\.across).max() ?? 1
    let down = factors.map(\.down).max() ?? 1
    guard factors.allSatisfy({ across % $0.across == 0 && down % $0.down == 0 }) else {
      throw DataError(
        .unsupported, path,
        "components of which one has \(across) × \(down) samples where another has a fraction of them that is no whole one"
      )
    }
    return (across, down)
  }

  /// The picture, once all scans are there.
  func picture(_ marks: JPEGMarks) throws(DataError) -> Picture {
    var planes: [[UInt8]] = []
    for component in components {
      guard let steps = component.steps, component.lowestBits[0] != nil else {
        throw DataError(
          .truncated, path, "the file ends before the scan of component \(component.name)")
      }
      let plane = JPEGPlane(component, coefficients, steps: steps)
      planes.append(
        plane.enlarged(
          across: across / component.across, down: down / component.down, toWidth: width,
          height: height))
    }
    guard planes.count == 3 else {
      return Picture(width: width, height: height, channels: 1, pixels: planes[0])
    }
    return Picture(
      width: width, height: height, channels: 3,
      pixels: JPEGColors.interleaved(planes, isRGB: isRGB(marks)))
  }

  private func isRGB(_ marks: JPEGMarks) -> Bool {
    if marks.isJFIF { return false }
    if let transform = marks.adobeTransform { return transform == 0 }
    return components.map(\.name) == Array("RGB".utf8)
  }
}
