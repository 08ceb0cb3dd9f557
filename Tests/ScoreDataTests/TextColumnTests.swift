import ScoreData
import ScoreTensors
import Testing

/// Columns of texts in tables, each text a number of its own.
@Suite struct TextColumnTests {
  private let pets = """
    name,species,weight,sex
    Tom,cat,4,m
    Rex,dog,30,m
    "Ada, the old",cat,3.5,f
    Ivy,"guinea pig",1,f

    """

  private func read(_ text: String, name: String = "t.csv") throws -> Dataset<Double> {
    try Dataset(CSV.decode(Array(text.utf8), path: name, as: Double.self), name: name)
  }

  private let few = "species,weight\ncat,1\ndog,2\ncat,5\n"

  @Test func eachTextHasAColumn() throws {
    let data = try read(pets)
    #expect(
      data.columns == [
        "name=Ada, the old", "name=Ivy", "name=Rex", "name=Tom", "species=cat", "species=dog",
        "species=guinea pig", "weight", "sex=f", "sex=m",
      ])
    #expect(data.tableColumns == ["name", "species", "weight", "sex"])
    #expect(data.samples.row(1) == [0, 0, 1, 0, 0, 1, 0, 30, 0, 1])
    #expect(data.samples.row(2) == [1, 0, 0, 0, 1, 0, 0, 3.5, 1, 0])
    #expect(data.texts[1] == TextColumn(name: "species", texts: ["cat", "dog", "guinea pig"]))
    #expect(
      data.discrete
        == DiscreteColumns(
          ranges: [0...1, 0...1, 0...1, 0...1, 0...1, 0...1, 0...1, nil, 0...1, 0...1],
          choices: [[0, 1, 2, 3], [4, 5, 6], [8, 9]]))
    #expect(data.hasColumn("species") && data.hasColumn("species=emu") && !data.hasColumn("emu"))
  }

  @Test(arguments: [
    (
      "a,b\n1,x\n2,3\n", "line 3, column 2",
      "“3” is a number, where the column has texts from line 2"
    ),
    (
      "a,b\n1,x\n2,\n", "line 3, column 2",
      "there is no text, where the column has texts from line 2"
    ),
    ("a,b\n1,x\n2,nan\n", "line 3, column 2", "there is no text"),
    ("a,b\n1,2\n2,x\n", "line 3, column 2", "“x” is not a number"),
    ("a;b\n1;2,5\n", "line 2, column 2", "it has a comma, where a decimal point is expected"),
    (
      "1,2\n3,x\n", "line 2, column 2",
      "a column may hold texts where the first row names the columns"
    ),
  ])
  func aColumnHoldsOneOfTheTwo(text: String, place: String, reason: String) throws {
    let error = #expect(throws: DataError.self) { try read(text) }
    #expect(error?.kind == .malformed && error?.place == "t.csv, \(place)")
    #expect(error?.message.contains(reason) == true, "\(error!)")
  }

  @Test func missingTextsAreMissingInAllTheirColumns() throws {
    let text = Array("b,a\n,1\nx,\ny,3\n".utf8)
    let table = try CSV.decode(text, path: "t.csv", as: Double.self, TableReading(missing: .kept))
    #expect(table.columns == ["b=x", "b=y", "a"] && table.lines == [2, 3, 4])
    #expect(table.values.scalars.map { $0.isNaN ? -1 : $0 } == [-1, -1, 1, 1, 0, -1, 0, 1, 3])
  }

  /// What tells rows apart is no kind of them.
  @Test func columnsOfTooManyTextsAreLeftOut() throws {
    func table(_ count: Int) -> String {
      "id,x,kind\n" + (0..<count).map { "id\($0),\($0),k\($0 % 2)\n" }.joined()
    }
    let most = try read(table(TextColumn.most))
    #expect(most.dimensions == TextColumn.most + 3 && most.leftOut.isEmpty)
    let more = try read(table(TextColumn.most + 1))
    #expect(more.columns == ["x", "kind=k0", "kind=k1"] && more.leftOut == ["id"])
    #expect(more.samples.row(64) == [64, 1, 0])
    let names = "id\n" + (0..<70).map { "id\($0)\n" }.joined()
    #expect(kind { _ = try read(names) } == .wrongShape)
  }

  /// Columns are those of another table, whichever texts are in this one.
  @Test func columnsAreFoundByTheNamesOfAnotherTable() throws {
    let names = ["species=bat", "species=cat", "species=dog", "weight"]
    let data = try read("weight,species\n1,cat\n2,bat\n").columns(named: names)
    #expect(data.samples == Tensor([2, 4], [0, 1, 0, 1, 1, 0, 0, 2]) && data.columns == names)
    #expect(data.texts == [TextColumn(name: "species", texts: ["bat", "cat", "dog"])])
    #expect(data.discrete?.choices == [[0, 1, 2]])
    let error = #expect(throws: DataError.self) {
      try read("weight,species\n1,cat\n2,emu\n").columns(named: names)
    }
    #expect(
      error == DataError(.outOfRange, "t.csv, line 3", "“species” is “emu”; expected bat, cat, dog")
    )
    #expect(kind { _ = try read("weight,species\n1,7\n").columns(named: names) } == .missing)
    let texts = #expect(throws: DataError.self) { try read(few).columns(named: ["species"]) }
    #expect(texts?.message == "“species” holds texts, such as “cat”; expected numbers")
  }

  @Test func textsAreClassesAndCovariates() throws {
    let data = try read(pets).without(column: "name")
    let labelled = try data.labelled(byColumn: "species")
    #expect(labelled.labels == [0, 1, 0, 2])
    #expect(labelled.classNames == ["cat", "dog", "guinea pig"])
    #expect(labelled.tableColumns == ["weight", "sex"] && labelled.discrete?.choices == [[1, 2]])
    let given = try data.given(byColumns: ["weight", "sex"])
    #expect(given.covariates?.names == ["weight", "sex=f", "sex=m"])
    #expect(given.covariates?.values.row(2) == [3.5, 1, 0])
    #expect(given.covariates?.texts == [TextColumn(name: "sex", texts: ["f", "m"])])
    #expect(given.tableColumns == ["species"])
    // By the names that another table gave, of which this one has not all.
    let again = try read(few).given(byColumns: ["species=bat", "species=cat", "species=dog"])
    #expect(again.covariates?.values == Tensor([3, 3], [0, 1, 0, 0, 0, 1, 0, 1, 0]))
    #expect(again.columns == ["weight"] && again.discrete == nil)
    #expect(
      kind { _ = try read(few).given(byColumns: ["species=cat"]) } == .outOfRange)
  }

  @Test func oneColumnOfTextsIsLabels() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("l.csv", Array("kind\nno\nyes\nno\n".utf8))
    let labels = try DataSource(path).loadLabels()
    #expect(labels.labels == [0, 1, 0] && labels.classNames == ["no", "yes"])
  }

  /// A choice of the share p has the variance p (1 − p) + 1/20 about p + ½, a whole number that of its numbers and 1/12.
  @Test func standardisationKnowsTheBins() throws {
    let data = try read("kind,n\na,1\nb,4\na,1\na,2\n").discretized(["n"]).standardized(
      by: .columns)
    let map = try #require(data.standardization)
    #expect(map.means == [1.25, 0.75, 2.5])
    let squares = map.deviations.map { $0 * $0 }
    for (square, truth) in zip(squares, [0.1875 + 0.05, 0.1875 + 0.05, 1.5 + 1.0 / 12]) {
      #expect(abs(square - truth) < 1e-14)
    }
    // So are the model's samples, but for chance: within 5 standard errors of a mean of 4000.
    let many = (0..<1000).map { data.modelSamples(key: RandomKey(UInt64($0))) }
    let mean = many.reduce(0) { $0 + $1.scalars.reduce(0, +) } / 12_000
    #expect(abs(mean) < 5 * (0.2 / 12_000).squareRoot())
    let whole = try data.standardized(by: .whole).standardization
    let entries: [Double] = [1.5, 0.5, 1.5, 0.5, 1.5, 4.5, 1.5, 0.5, 1.5, 1.5, 0.5, 2.5]
    let middle = entries.reduce(0, +) / 12
    let spread = entries.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / 12
    #expect(abs((whole?.means[0] ?? 0) - middle) < 1e-14)
    let square = (whole?.deviations[0] ?? 0) * (whole?.deviations[0] ?? 0)
    #expect(abs(square - spread - (0.05 + 0.05 + 1.0 / 12) / 3) < 1e-14)
  }

  @Test func wholeColumnsAreNamedOrNumbered() throws {
    let data = try read("n,x\n1,0.5\n-3,2\n").discretized(["n"])
    #expect(data.discrete == DiscreteColumns(ranges: [-3...1, nil]))
    let plain = Dataset(name: "p", samples: Tensor<Float>([2, 2], [0.5, 1, 2, 70_000]))
    #expect(try plain.prefix(1).discretized(["2"]).discrete?.ranges == [nil, 1...1])
    for names in [["1"], ["2"]] {
      #expect(kind { _ = try plain.discretized(names) } == .outOfRange)
    }
    for names in [["0"], ["3"], ["x"]] {
      #expect(kind { _ = try plain.discretized(names) } == .unknownName)
    }
    let images = Dataset(name: "", samples: Tensor<Float>([1, 2, 2, 1]))
    #expect(kind { _ = try images.discretized(["1"]) } == .badParameter)
  }

  @Test func rowsOfTextsAreReadBackAsTheyWereWritten() throws {
    let texts = ["cat", "guinea pig", "a,b", "say \"no\"", "#1", "Ähre", "a;b"]
    let rows = texts.enumerated().map { ["\($0)", $1] }
    let table = try CSV.decode(
      CSV.encode(rows, columns: ["n", "kind"]), path: "t.csv", as: Double.self)
    #expect(table.texts == [TextColumn(name: "kind", texts: texts.sorted())])
    let places = texts.map { texts.sorted().firstIndex(of: $0) ?? -1 }
    for (row, place) in places.enumerated() {
      #expect(table.values.row(row)[1 + place] == 1 && table.values.row(row)[0] == Double(row))
    }
  }
}
