/// Decodes the entropy-coded data of one JPEG scan (T.81, annexes F and G).
struct JPEGScanDecoder {
  private let scan: JPEGScan
  private var bits: JPEGBits
  /// The last constant coefficient of each part.
  private var predictions: [Int]
  /// The blocks, from the next one on, whose bands have no new coefficients.
  private var emptyBands = 0

  init(_ scan: JPEGScan, bits: JPEGBits) {
    (self.scan, self.bits) = (scan, bits)
    predictions = [Int](repeating: 0, count: scan.parts.count)
  }

  /// Where the marker after the scan is, or the end of the file.
  var end: Int { bits.markerOffset }

  /// Decodes all blocks of the scan: a component's own row by row, several components' unit by unit.
  mutating func decode(into frame: inout JPEGFrame) throws(DataError) {
    let single = scan.parts.count == 1 ? frame.components[scan.parts[0].component] : nil
    let (across, down) =
      single.map { ($0.usedAcross, $0.usedDown) } ?? (frame.rowUnits, frame.columnUnits)
    let components = scan.parts.map { frame.components[$0.component] }
    for unit in 0..<across * down {
      if scan.restartInterval > 0, unit > 0, unit % scan.restartInterval == 0 {
        try bits.restart(unit / scan.restartInterval - 1)
        (predictions, emptyBands) = (predictions.map { _ in 0 }, 0)
      }
      let (row, column) = (unit / across, unit % across)
      for (part, component) in components.enumerated() {
        let (width, height) = single == nil ? (component.across, component.down) : (1, 1)
        for y in row * height..<(row + 1) * height {
          for x in column * width..<(column + 1) * width {
            let block = component.coefficients.lowerBound + 64 * (y * component.rowBlocks + x)
            try decode(part, block, &frame.coefficients, isProgressive: frame.isProgressive)
          }
        }
      }
    }
  }

  private mutating func decode(
    _ part: Int, _ block: Int, _ coefficients: inout [Int16], isProgressive: Bool
  ) throws(DataError) {
    let (dc, ac) = (scan.parts[part].dc, scan.parts[part].ac)
    if scan.band.lowerBound == 0 {
      if scan.isRefinement {
        if try bits.take(1) == 1 { coefficients[block] |= 1 << scan.bit }
      } else if let dc {
        try constant(part, dc, &coefficients[block])
      }
    }
    guard scan.band.upperBound > 0, let ac else { return }
    if !isProgressive {
      try wholeBlock(ac, block, &coefficients)
    } else if scan.isRefinement {
      try refinedBand(ac, block, &coefficients)
    } else {
      try newBand(ac, block, &coefficients)
    }
  }

  /// The constant coefficient, which the file has as a difference from that of the block before.
  private mutating func constant(
    _ part: Int, _ code: JPEGCode, _ coefficient: inout Int16
  ) throws(DataError) {
    let size = try bits.symbol(code)
    guard size < 16 else { throw bits.malformed("a difference of \(size) bits") }
    // What sums up to more than 16 bits is damaged, and comes out as something.
    predictions[part] &+= try bits.signed(size)
    coefficient = Int16(truncatingIfNeeded: predictions[part] << scan.bit)
  }

  private mutating func wholeBlock(
    _ code: JPEGCode, _ block: Int, _ coefficients: inout [Int16]
  ) throws(DataError) {
    var place = 1
    while place < 64 {
      let symbol = try bits.symbol(code)
      let (run, size) = (symbol >> 4, symbol & 15)
      if size == 0, run < 15 { return }
      place += run
      guard place < 64 else { throw bits.malformed("more than 64 coefficients in a block") }
      if size > 0 { coefficients[block + place] = Int16(truncatingIfNeeded: try bits.signed(size)) }
      place += 1
    }
  }

  /// A band's higher bits, the first that are given of it.
  private mutating func newBand(
    _ code: JPEGCode, _ block: Int, _ coefficients: inout [Int16]
  ) throws(DataError) {
    if emptyBands > 0 {
      emptyBands -= 1
      return
    }
    var place = scan.band.lowerBound
    while place <= scan.band.upperBound {
      let symbol = try bits.symbol(code)
      let (run, size) = (symbol >> 4, symbol & 15)
      if size == 0, run < 15 {
        emptyBands = 1 << run + (try bits.take(run)) - 1
        return
      }
      place += run
      guard place <= scan.band.upperBound else {
        throw bits.malformed("more coefficients than the band of a block has")
      }
      if size > 0 {
        coefficients[block + place] = Int16(
          truncatingIfNeeded: try bits.signed(size) << scan.bit)
      }
      place += 1
    }
  }

  /// One more bit of a band: of coefficients that are not 0 so far, and those that begin with it.
  private mutating func refinedBand(
    _ code: JPEGCode, _ block: Int, _ coefficients: inout [Int16]
  ) throws(DataError) {
    var place = scan.band.lowerBound
    while emptyBands == 0, place <= scan.band.upperBound {
      let symbol = try bits.symbol(code)
      let (run, size) = (symbol >> 4, symbol & 15)
      guard size <= 1 else { throw bits.malformed("a new coefficient of \(size) bits") }
      if size == 0, run < 15 {
        emptyBands = 1 << run + (try bits.take(run))
        break
      }
      let isPositive = size == 1 ? try bits.take(1) == 1 : true
      try refine(&place, past: run, block, &coefficients)
      if size == 1 {
        guard place <= scan.band.upperBound else {
          throw bits.malformed("more coefficients than the band of a block has")
        }
        coefficients[block + place] = Int16(isPositive ? 1 << scan.bit : -1 << scan.bit)
      }
      place += 1
    }
    if emptyBands > 0 {
      try refine(&place, past: 64, block, &coefficients)
      emptyBands -= 1
    }
  }

  /// Gives the coefficients that are not 0 their next bit, up to the zero after `zeros` others or the end of the band.
  private mutating func refine(
    _ place: inout Int, past zeros: Int, _ block: Int, _ coefficients: inout [Int16]
  ) throws(DataError) {
    var left = zeros
    while place <= scan.band.upperBound {
      let value = coefficients[block + place]
      if value == 0 {
        if left == 0 { return }
        left -= 1
      } else if try bits.take(1) == 1, value & 1 << scan.bit == 0 {
        coefficients[block + place] = value &+ (value > 0 ? 1 << scan.bit : -1 << scan.bit)
      }
      place += 1
    }
  }
}
