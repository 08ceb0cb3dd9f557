/// The header of a JPEG scan: which coefficients of which components it gives, to which bit, and in which codes.
struct JPEGScan {
  /// A component in a scan.
  struct Part {
    let component: Int
    /// The codes; a progressive scan has those that it needs.
    let (dc, ac): (JPEGCode?, JPEGCode?)
  }

  let parts: [Part]
  /// The coefficients, in the order of the file.
  let band: ClosedRange<Int>
  /// Whether earlier scans have given the higher bits.
  let isRefinement: Bool
  /// The lowest bit that the scan gives.
  let bit: Int
  let restartInterval: Int

  /// Reads a header and notes in the frame what the scan is going to give.
  init(
    _ body: ArraySlice<UInt8>, _ tables: JPEGTables, _ frame: inout JPEGFrame, path: String
  ) throws(DataError) {
    var reader = ByteReader(Array(body), path: path)
    let count = Int(try reader.byte("a scan's number of components"))
    let choices = Array(try reader.take(2 * count, "a scan's components"))
    let limits = Array(try reader.take(3, "a scan's band"))
    let (first, last) = (Int(limits[0]), Int(limits[1]))
    let (high, low) = (Int(limits[2] >> 4), Int(limits[2] & 15))
    let isWhole = first == 0 && last == 63 && high == 0 && low == 0
    let isPart =
      first <= last && last <= 63 && (first == 0) == (last == 0) && low <= 13
      && (high == 0 || high == low + 1) && (first == 0 || count == 1)
    guard frame.isProgressive ? isPart : isWhole, (1...3).contains(count) else {
      throw DataError(
        .malformed, path,
        "a scan of \(count) components, coefficients \(first) to \(last), bits \(high) to \(low)")
    }
    (band, isRefinement, bit) = (first...last, high > 0, low)
    restartInterval = tables.restartInterval
    var parts: [Part] = []
    for choice in stride(from: 0, to: choices.count, by: 2) {
      let (name, codes) = (choices[choice], choices[choice + 1])
      guard let index = frame.components.firstIndex(where: { $0.name == name }),
        !parts.contains(where: { $0.component == index })
      else { throw DataError(.malformed, path, "a scan of component \(name), unknown or twice") }
      try Self.note(in: &frame.components[index], tables, first...last, high: high, low: low, path)
      let dc = codes >> 4 < 4 ? tables.dcCodes[Int(codes >> 4)] : nil
      let ac = codes & 15 < 4 ? tables.acCodes[Int(codes & 15)] : nil
      guard first > 0 || high > 0 || dc != nil, last == 0 || ac != nil else {
        throw DataError(.malformed, path, "a scan in Huffman codes that no table gives")
      }
      parts.append(Part(component: index, dc: dc, ac: ac))
    }
    self.parts = parts
    let blocks = parts.map { frame.components[$0.component] }.reduce(0) { $0 + $1.across * $1.down }
    guard count == 1 || blocks <= 10 else {
      throw DataError(.malformed, path, "a scan of \(blocks) blocks a unit, where 10 are the most")
    }
  }

  /// Notes what a component gets: steps of quantisation in its first scan, and in each the bits of a band.
  private static func note(
    in component: inout JPEGComponent, _ tables: JPEGTables, _ band: ClosedRange<Int>, high: Int,
    low: Int, _ path: String
  ) throws(DataError) {
    if component.steps == nil {
      guard let steps = tables.quantisation[component.quantisationTable] else {
        throw DataError(.malformed, path, "a scan whose quantisation no table gives")
      }
      component.steps = steps
    }
    for place in band {
      guard component.lowestBits[place] == (high == 0 ? nil : high),
        place == 0 || component.lowestBits[0] != nil || band.contains(0)
      else {
        throw DataError(
          .malformed, path, "a scan of bits \(high) to \(low) of coefficients out of turn")
      }
      component.lowestBits[place] = low
    }
  }
}
