import ScoreData
import ScoreTensors
import Testing

@Suite struct CSVTests {
  func decode(_ text: String) throws -> CSV.Contents<Double> {
    try CSV.decode(Array(text.utf8), path: "x.csv")
  }

  @Test(arguments: [
    "1,2.5\n-3e2,.5\n", "1;2.5\n-3e2;.5", "1\t2.5\r\n-3e2\t.5\r\n", "  1   2.5 \n -3e2 .5\n",
    "# made by hand\n1 , 2.5\n\n\"-3e2\",0.5\n", "\u{FEFF}1,2.5\n-300,0.5",
    "1,2.5\r-3e2,.5\r", "\r1\t2.5\r\n \n-3e2\t.5", "\t\n1,2.5\n\t\n-300,0.5\n",
  ])
  func everySeparatorIsFound(text: String) throws {
    let contents = try decode(text)
    #expect(contents.values == Tensor([2, 2], [1, 2.5, -300, 0.5]))
    #expect(contents.columns == nil)
  }

  @Test func aHeaderNamesTheColumns() throws {
    let contents = try decode("x, \"the y\"\n1,2\n3,4\n")
    #expect(contents.columns == ["x", "the y"])
    #expect(contents.values == Tensor([2, 2], [1, 2, 3, 4]))
  }

  /// What is in quotes parts nothing, and two quotes are one.
  @Test(arguments: [
    ("\"length, m\",mass\n1,\"2\"\n", ["length, m", "mass"]),
    ("\"a;b\",\"c\td\"\n1,2\n", ["a;b", "c\td"]), ("\"a,b\";c\n1;2\n", ["a,b", "c"]),
    ("x,\"a;b\"\n1,2", ["x", "a;b"]), ("\"the \"\"y\"\"\" , x\n1,2", ["the \"y\"", "x"]),
    ("\"length, m\" \"the mass\"\n1 2", ["length, m", "the mass"]),
    ("\" a \",\"#b\"\n1,2", [" a ", "#b"]), ("diameter 5\",y\n1,2", ["diameter 5\"", "y"]),
    ("\"\"\"\",y\n1,2", ["\"", "y"]), ("\"a\" b,c\n1,2", ["a b", "c"]),
  ])
  func fieldsMayStandInQuotes(text: String, columns: [String]) throws {
    let contents = try decode(text)
    #expect(contents.columns == columns && contents.values == Tensor([1, 2], [1, 2]))
  }

  @Test(
    arguments: [
      ("1,2\n3\n", .wrongShape, "line 2", "1 field, where"),
      ("# c\nx,y\n1,2\n\n3,4,5\n", .wrongShape, "line 5", "line 2 has 2"),
      ("1,2\n3,four\n", .malformed, "line 2, column 2", "four"),
      ("1,2\n3,\n", .malformed, "line 2, column 2", "“”"),
      ("1,2\nnan,4\n", .notFinite, "line 2, column 1", "nan"),
      ("1,2\n3,-inf\n", .notFinite, "line 2, column 2", "-inf"),
      ("1,2\n3,1e999\n", .notFinite, "line 2, column 2", "1e999"),
      ("1\t2\n\t\n3\t4\n", .malformed, "line 2, column 1", "“”"),
      ("\t\n1\t2\n", .malformed, "line 1, column 1", "“”"),
      (
        ",x,y\n0,1,2\n", .malformed, "line 1, column 1",
        "the column has no name; expected one for each column, or columns= of those that are to be read"
      ),
      (
        "x,2020\n1,2\n", .malformed, "line 1, column 1",
        "“x” is not a number; a first row that names columns has a name for each, and no number"
      ),
      (
        "x;y\n1,5;2\n", .malformed, "line 2, column 1",
        "“1,5” is not a number: it has a comma, where a decimal point is expected"
      ),
      ("1,2\n3,\"4\n", .malformed, "line 2", "a quote is opened and not closed"),
      ("x,\"y\n1,2\n", .malformed, "line 1", "a quote is opened and not closed"),
      ("1\r2\r\n\nthree\r", .malformed, "line 4, column 1", "three"),
      ("x,y\n", .empty, "", "no numbers"), ("\n\n# nothing\n", .empty, "", "no numbers"),
      ("1,2\u{0}\n", .wrongFormat, "", "not a text file"),
    ] as [(String, DataError.Kind, String, String)])
  func troubleIsReportedWithItsPlace(
    text: String, kind: DataError.Kind, place: String, found: String
  ) throws {
    let error = try #require(throws: DataError.self) { try decode(text) }
    #expect(error.kind == kind)
    #expect(error.place.hasPrefix("x.csv") && error.place.hasSuffix(place))
    #expect(error.message.contains(found))
  }

  @Test func fieldsMayBeMissingWhereThatIsAskedFor() throws {
    let text = Array("a,b\n1,\nnan,\"\"\n,4\n".utf8)
    let contents = try CSV.decode(
      text, path: "x.csv", as: Double.self, TableReading(missing: .kept))
    #expect(contents.columns == ["a", "b"] && contents.values.shape == [3, 2])
    #expect(contents.values.scalars.map { $0.isNaN ? 0 : $0 } == [1, 0, 0, 0, 0, 4])
    for other in ["1,inf\n", "1,1e999\n", "1,-\n", "1,2\n3\n"] {
      #expect(throws: DataError.self) {
        try CSV.decode(
          Array(other.utf8), path: "x.csv", as: Double.self, TableReading(missing: .kept))
      }
    }
  }

  @Test func numbersTooLargeForTheScalarTypeAreRefused() throws {
    let text = Array("1\n1e39\n".utf8)
    let error = try #require(throws: DataError.self) {
      try CSV.decode(text, path: "x.csv", as: Float.self)
    }
    #expect(error.kind == .notFinite && error.place == "x.csv, line 2, column 1")
    #expect(error.message == "“1e39” is inf as float32, where finite numbers are needed")
    #expect(kind { _ = try CSV.decode(text, path: "", as: Double.self) } == nil)
  }

  /// Time stamps a second apart are told apart in Double and not in Float; years are in both, and so are equal numbers.
  @Test func columnsThatRoundingWouldWipeOutAreRefused() throws {
    func read<Scalar: TensorScalar>(_ text: String, as: Scalar.Type) throws -> Tensor<Scalar> {
      let contents: CSV.Contents<Scalar> = try CSV.decode(Array(text.utf8), path: "t.csv")
      return contents.values
    }
    let stamps = "a,time\n1,1700000000\n2,1700000001\n3,1700000002\n"
    #expect(try read(stamps, as: Double.self)[2, 1] == 1_700_000_002)
    do {
      _ = try read(stamps, as: Float.self)
      Issue.record("the stamps were read")
    } catch {
      let sentence = "\(error)"
      for word in ["t.csv", "column time", "float32", "float64"] {
        #expect(sentence.contains(word), "\(sentence)")
      }
    }
    #expect(throws: DataError.self) { try read("1e-300\n2e-300\n", as: Float.self) }
    // So are numbers that are equal but for rounding in Double.
    for text in [
      "2001\n2002.5\n2003\n", "1700000001\n1700000001\n", "0.1\n0.2\n",
      "0.3\n0.30000000000000004\n",
    ] {
      #expect(try read(text, as: Float.self).count > 1)
    }
    // The mean of as many equal numbers is off by rounding, which is no deviation.
    let equal = String(repeating: "3.7\n", count: 700)
    #expect(try read(equal, as: Float.self).count == 700)
  }

  /// What is written is read back, numbers to the bit, and names where they can be told from numbers.
  @Test func tablesAreReadBackAsTheyWereWritten() throws {
    let numbers: [Float] = [
      0, -1, 1.0 / 3, 1e-30, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
    ]
    let values = Tensor<Float>([3, 2], numbers)
    for (columns, text) in [
      (nil, "0.0,-1.0"), (["a", "b c"], "a,b c"), (["a,1", "b"], "\"a,1\",\"b\""),
      (["a;b", "c"], "\"a;b\",\"c\""), (["a\tb", "\"c"], "\"a\tb\",\"\"\"c\""),
      (["#a", " b"], "\"#a\",\" b\""), (["1", "b"], "0.0,-1.0"), (["", "b"], "0.0,-1.0"),
      (["a\nb", "c"], "0.0,-1.0"),
    ] {
      let bytes = CSV.encode(values, columns: columns)
      let read: CSV.Contents<Float> = try CSV.decode(bytes, path: "table.csv")
      #expect(read.values == values)
      #expect(String(decoding: bytes, as: UTF8.self).hasPrefix(text + "\n"))
      #expect(read.columns == (text.hasPrefix("0") ? nil : columns))
    }
  }
}
