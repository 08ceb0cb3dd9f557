/// One component of a JPEG frame: a plane of samples, in blocks of 8 × 8.
struct JPEGComponent {
  let name: UInt8
  /// The samples across and down for each unit of the frame.
  let (across, down): (Int, Int)
  let quantisationTable: Int
  /// The samples that belong to the picture.
  let (width, height): (Int, Int)
  /// The blocks in a row, those included that only fill the last unit.
  let rowBlocks: Int
  /// The place of the first coefficient of the component, and of the next component's.
  let coefficients: Range<Int>
  /// The steps of quantisation, which hold from the component's first scan on.
  var steps: [UInt16]?
  /// The lowest bit that is known of each coefficient, or nil where no scan has had it.
  var lowestBits = [Int?](repeating: nil, count: 64)

  /// - Parameters:
  ///   - entry: its name, its samples for a unit, and its table.
  ///   - size: of the picture, in pixels.
  ///   - largest: the most samples across and down for a unit that a component has.
  ///   - units: those in a row and in a column.
  ///   - first: the place of its first coefficient.
  init(
    _ entry: ArraySlice<UInt8>, of size: (width: Int, height: Int), largest: (Int, Int),
    units: (Int, Int), from first: Int
  ) {
    let entry = Array(entry)
    name = entry[0]
    (across, down) = (Int(entry[1] >> 4), Int(entry[1] & 15))
    quantisationTable = Int(entry[2])
    width = (size.width * across + largest.0 - 1) / largest.0
    height = (size.height * down + largest.1 - 1) / largest.1
    rowBlocks = units.0 * across
    coefficients = first..<first + 64 * rowBlocks * units.1 * down
  }

  /// The blocks across that hold samples of the picture.
  var usedAcross: Int { (width + 7) / 8 }
  /// The blocks down that hold samples of the picture.
  var usedDown: Int { (height + 7) / 8 }
}
