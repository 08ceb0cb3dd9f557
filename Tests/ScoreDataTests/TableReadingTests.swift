import ScoreData
import ScoreTensors
import Testing

/// Tables of which some columns are read, codes are texts, and rows that lack something are left out.
@Suite struct TableReadingTests {
  private let passengers = """
    id,class,age,name,fare
    1,3,22,Ann,7.25
    2,1,,Bob,71.5
    3,2,30,NA,8
    4,3,nan,Dan,9
    5,1,NA,Eve,50

    """

  /// The table in a file, as its parameters say.
  private func load(_ parameters: String, _ text: String? = nil) throws -> Dataset<Double> {
    let folder = try TemporaryFolder()
    let path = try folder.write("t.csv", Array((text ?? passengers).utf8))
    return try DataSource(path + parameters).load()
  }

  @Test func columnsAreReadInTheOrderThatIsAsked() throws {
    let data = try load(":columns=fare+id")
    #expect(data.columns == ["fare", "id"] && data.dropped == 0)
    #expect(data.samples.scalars == [7.25, 1, 71.5, 2, 8, 3, 9, 4, 50, 5])
    #expect(try load(":columns=5+1").samples == data.samples)
    // Of a table without names as well, and past names that are missing.
    let nameless = try load(":columns=3+1", "1,2,3\n4,5,6\n")
    #expect(nameless.columns == nil && nameless.samples.scalars == [3, 1, 6, 4])
    let indexed = try load(":columns=b", ",a,b\n0,x,2\n1,3,4\n")
    #expect(indexed.columns == ["b"] && indexed.samples.scalars == [2, 4])
  }

  @Test func codesAreTextsWhereThatIsAsked() throws {
    let data = try load(":columns=id+class,texts=class")
    #expect(data.columns == ["id", "class=1", "class=2", "class=3"])
    #expect(data.texts == [TextColumn(name: "class", texts: ["1", "2", "3"])])
    #expect(data.samples.row(1) == [2, 1, 0, 0] && data.samples.row(3) == [4, 0, 0, 1])
    // So is all else but nothing.
    let mixed = try load(":texts=a", "a,b\n1,1\ninf,2\nA/5,3\nnan,4\nNA,5\n")
    #expect(mixed.texts[0].texts == ["1", "A/5", "NA", "inf", "nan"])
    #expect(throws: DataError.self) { try load(":texts=a", "a,b\n1,1\n,2\n") }
  }

  /// What is missing is so in the columns that are read alone; rows keep their lines.
  @Test func rowsThatLackSomethingAreLeftOut() throws {
    let data = try load(":columns=class+age+fare,missing=drop")
    #expect(data.samples.scalars == [3, 22, 7.25, 2, 30, 8] && data.dropped == 3)
    #expect(data.prefix(1).dropped == 3)
    let names = try load(":columns=name+fare,missing=drop")
    #expect(names.texts[0].texts == ["Ann", "Bob", "Dan", "Eve"] && names.dropped == 1)
    #expect(try load(":columns=name+fare").texts[0].texts.contains("NA"))
    #expect(try load(":columns=id,missing=drop").dropped == 0)
    let error = #expect(throws: DataError.self) {
      try load(":texts=b,missing=drop", "a,b\n1,x\n,y\nz,x\n")
    }
    #expect(error?.place.hasSuffix("t.csv, line 4, column 1") == true)
  }

  @Test(
    arguments: [
      (
        ":columns=fares", nil,
        "columns= has “fares”, of which there is no column (did you mean fare?)"
      ),
      (
        ":columns=6", nil,
        "columns= has “6”, of which there is no column; expected some of id, class"
      ),
      (":columns=0", "1,2\n", "of which there is no column; expected some of 1 to 2"),
      (":columns=a", "a,a\n1,2\n", "“a”, of which there are 2 columns"),
      (":columns=id+1", nil, "columns= has column 1 twice"),
      (":columns=id+id", nil, "different columns with + between are expected"),
      (":columns=id,texts=name", nil, "texts= has column 4, which columns= leaves out"),
      (":texts=1", "1,2\n", "no first row names the columns"),
      (":missing=mean", nil, "missing is “mean”, where drop is expected"),
      (":missing=drop", "a,b\n1,\n,2\n", "each of the 2 rows lacks something"),
      (":rows=3", nil, "there is no parameter “rows”; known are columns, missing, texts"),
      ("", ",a\n0,1\n", "line 1, column 1: the column has no name"),
      ("", nil, "t.csv:missing=drop leaves out rows in which something is missing"),
      (":columns=id+age", nil, "t.csv:missing=drop leaves out rows"),
      ("", "a,b+c\n1,1\n2,x\n", "t.csv:texts=2 all fields of the column are texts"),
      ("", "a,b\n1,x\n2,3\n", "t.csv:texts=b, by which all are texts"),
      ("", "a,b\n1,x\n2,\n", "t.csv:missing=drop, which leaves such rows out"),
    ] as [(String, String?, String)])
  func whatIsNotThereIsSaid(parameters: String, text: String?, reason: String) throws {
    let error = #expect(throws: DataError.self) { try load(parameters, text) }
    let sentence = error.map { "\($0)" } ?? ""
    #expect(sentence.contains(reason), "\(sentence)")
  }

  /// Columns that are left out cost no rows, and those that are asked for are not left out.
  @Test func columnsOfManyTextsCostNoRows() throws {
    let rows = (0...2 * TextColumn.most).map {
      "\($0 % 2 == 0 ? "" : "n\($0)"),\($0 == 5 ? "" : "1"),\($0)"
    }
    let text = (["name,w,x"] + rows).joined(separator: "\n")
    let few = try load(":missing=drop", text)
    // Half the names are too few to be left out, and cost the other half of the rows.
    #expect(few.leftOut.isEmpty && few.count == TextColumn.most - 1)
    let more = rows + (0..<9).map { "m\($0),1,\($0)" }
    let many = try load(":missing=drop", (["name,w,x"] + more).joined(separator: "\n"))
    #expect(many.leftOut == ["name"] && many.columns == ["w", "x"])
    #expect(many.dropped == 1 && many.count == more.count - 1)
    // A column that turns out to be left out may be named as one of texts.
    let named = try load(":texts=name,missing=drop", (["name,w,x"] + more).joined(separator: "\n"))
    #expect(named.samples == many.samples && named.leftOut == ["name"])
    let error = #expect(throws: DataError.self) {
      try load(":columns=x+name,missing=drop", (["name,w,x"] + more).joined(separator: "\n"))
    }
    #expect(error?.message.contains("columns= has “name”, a column of more than 64") == true)
  }

  /// Codes with an x are no numbers, as tables hold decimals.
  @Test func hexadecimalFieldsAreTexts() throws {
    #expect(
      try load("", "a,b\n1,0x1F\n2,0x10\n").texts == [
        TextColumn(name: "b", texts: ["0x10", "0x1F"])
      ])
    #expect(throws: DataError.self) { try load("", "1,2\n3,0x10\n") }
  }

  /// What stands in a table is told whether or not it is data, by lines that are no comments.
  @Test func columnsAreSurveyed() throws {
    let folder = try TemporaryFolder()
    let survey = try TableSurvey(of: folder.write("t.csv", Array(passengers.utf8)))
    #expect(survey.rows == 5)
    #expect(survey.columns.map(\.name) == ["id", "class", "age", "name", "fare"])
    #expect(survey.columns.map(\.numbers) == [5, 5, 2, 0, 5])
    #expect(survey.columns.map(\.texts) == [0, 0, 0, 4, 0])
    #expect(survey.columns.map(\.missing) == [0, 0, 3, 1, 0])
    #expect(survey.columns.map(\.different) == [5, 3, 2, 4, 5])
    #expect(survey.columns.map(\.first) == ["1", "3", "22", "Ann", "7.25"])
    let mixed = try TableSurvey(of: folder.write("u.csv", Array("# no\n1;inf\n;x\n".utf8)))
    #expect(mixed.rows == 2 && mixed.columns.map(\.name) == [nil, nil])
    #expect(mixed.columns.map(\.texts) == [0, 2] && mixed.columns.map(\.missing) == [1, 0])
    let ragged = try folder.write("v.csv", Array("a,b\n1,2\n3\n".utf8))
    let error = #expect(throws: DataError.self) { try TableSurvey(of: ragged) }
    #expect(error?.place.hasSuffix("v.csv, line 3") == true && error?.kind == .wrongShape)
  }

  @Test func filesAreToldFromTheirParameters() throws {
    let folder = try TemporaryFolder()
    let odd = try folder.write("a.csv:columns=b", Array("x\n1\n".utf8))
    for (text, file) in [
      ("a.csv:columns=x", "a.csv"), ("b/c:d.tsv:missing=drop", "b/c:d.tsv"), ("a.csv", "a.csv"),
      ("a.npz:x", "a.npz"), ("a.png:size=3", "a.png"), ("moons:count=3", "moons:count=3"),
      (odd, odd),
    ] {
      #expect(DataSource.file(of: text) == file)
    }
  }

  /// A table of one column has no separators, and its texts may have blanks.
  @Test func textsOfOneColumnMayHaveBlanks() throws {
    let data = try load("", "kind\nguinea pig\ncat\n")
    #expect(data.texts == [TextColumn(name: "kind", texts: ["cat", "guinea pig"])])
    #expect(data.columns == ["kind=cat", "kind=guinea pig"])
  }

  /// Columns of more texts than are taken as kinds are no unknown ones.
  @Test func columnsOfManyTextsAreSaidToBeLeftOut() throws {
    let rows = (0...TextColumn.most).map { "n\($0),\($0)" }
    let data = try load("", (["name,x"] + rows).joined(separator: "\n"))
    #expect(data.leftOut == ["name"] && data.columns == ["x"])
    for error in [
      #expect(throws: DataError.self) { try data.without(column: "name") },
      #expect(throws: DataError.self) { try data.given(byColumns: ["name"]) },
      #expect(throws: DataError.self) { try data.discretized(["name"]) },
      #expect(throws: DataError.self) { try data.columns(named: ["name"]) },
    ] {
      let sentence = error.map { "\($0)" } ?? ""
      #expect(
        sentence.contains("“name” has more than 64 different texts, and is left out"), "\(sentence)"
      )
    }
  }
}
