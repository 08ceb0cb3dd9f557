import Foundation
import ScoreData
import ScoreFigures
import ScoreTensors
import Testing

@Suite struct DataSourceTests {
  @Test func digitsAreFoundByName() throws {
    #expect(try DataSource("digits").load(as: Float.self).count == 3823)
    let test = try DataSource("digits:test,count=10").load(as: Float.self)
    #expect(test.samples == Digits.load(.test, as: Float.self).samples.rows(0..<10))
    #expect(test.labels == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] && test.scale == Digits.scale)
    #expect(test.name == "digits:test,count=10")
  }

  @Test func setsInThePlaneTakeParameters() throws {
    let plain = try DataSource("moons").load(as: Float.self)
    #expect(plain.samples.shape == [10_000, 2] && plain.scale == nil)
    let few = try DataSource("moons:count=20,seed=0,noise=0.1").load(as: Float.self)
    #expect(few.samples == plain.samples.rows(0..<20))
    for other in ["moons:count=20,seed=1", "moons:count=20,noise=0.2", "moons:test,count=20"] {
      #expect(try DataSource(other).load(as: Float.self).samples != few.samples)
    }
    #expect(try DataSource("spirals").density != nil)
    #expect(try DataSource("digits").density == nil)
  }

  @Test(
    arguments: [
      ("moon", .unknownName, "moons"), ("", .unknownName, "digits"),
      ("Digits", .unknownName, ".npy"),
      ("digits:tset", .badParameter, "tset"), ("digits:seed=1", .badParameter, "seed"),
      ("digits:", .badParameter, "count, test"), ("moons:count=0", .badParameter, "count is “0”"),
      ("moons:count=x", .badParameter, "count is “x”"), ("moons:seed=-1", .badParameter, "seed"),
      ("moons:noise=0", .badParameter, "noise"), ("moons:noise=nan", .badParameter, "noise"),
      ("checkerboard:noise=1", .badParameter, "noise"), ("moons:test=1", .badParameter, "no value"),
      ("moons:count=1,count=2", .badParameter, "twice"),
    ] as [(String, DataError.Kind, String)])
  func unknownNamesAndParametersAreUsage(text: String, kind: DataError.Kind, found: String) throws {
    let error = try #require(throws: DataError.self) { try DataSource(text) }
    #expect(error.kind == kind && error.kind.isUsage)
    #expect(error.message.contains(found) && error.place == "data “\(text)”")
  }

  @Test func filesAreReadByWhatTheyAre() throws {
    let folder = try TemporaryFolder()
    func load(_ path: String) throws -> Dataset<Float> { try DataSource(path).load() }

    // Single numbers become samples of one dimension.
    let numbers = Tensor<Float>([3], [1, 2, 3])
    try NPY.write(numbers, to: "\(folder.path)/a.npy")
    let one = try load("\(folder.path)/a.npy")
    #expect(one.samples.shape == [3, 1] && one.scale == nil)

    let bytesFile = try folder.write("b.npy", bytes(base64: NPYFixture.u1v3))
    #expect(try load(bytesFile).scale == .bytes)
    let table = try folder.write("c.csv", Array("x,y\n1,2\n".utf8))
    #expect(try load(table).samples == Tensor([1, 2], [1, 2]))

    let images = try folder.write("train-images-idx3-ubyte.gz", bytes(base64: StreamFixture.gzip))
    #expect(try load(images).labels == nil)
    let labels = [0, 0, 8, 1] + bigEndian(6) + [3, 1, 4, 1, 5, 9]
    _ = try folder.write("train-labels-idx1-ubyte.gz", labels)
    let labelled = try load(images)
    #expect(labelled.samples.shape == [6, 4, 4, 1] && labelled.scale == .bytes)
    #expect(labelled.labels == [3, 1, 4, 1, 5, 9])

    let text = try folder.write("d.xyz", Array("hello".utf8))
    #expect(kind { _ = try load(text) } == .wrongFormat)
    let fake = try folder.write("e.npy", Array("hello".utf8))
    #expect(kind { _ = try load(fake) } == .wrongFormat)
    #expect(kind { _ = try load("\(folder.path)/none.npy") } == .missing)
    #expect(kind { _ = try load("\(folder.path)/none.csv") } == .missing)
  }

  @Test func foldersOfImagesAreSortedAndOfOneShape() throws {
    let folder = try TemporaryFolder()
    #expect(kind { _ = try ImageFolder.read(folder.path, as: Float.self) } == .empty)
    let gray = bytes(base64: PNGFixture.gray)
    let first = Raster(width: 7, height: 9, channels: 1, filledWith: 5).png
    _ = try folder.write("b.png", gray)
    _ = try folder.write("a.PNG", first)
    _ = try folder.write("notes.txt", [1])
    let data = try DataSource(folder.path).load(as: Float.self)
    #expect(data.samples.shape == [2, 9, 7, 1] && data.labels == nil && data.scale == .bytes)
    #expect(data.samples.row(0) == [Float](repeating: 5, count: 63))
    #expect(data.samples.row(1) == PNGTests.gray.map { Float($0) })

    let other = try folder.write("c.png", bytes(base64: PNGFixture.rgb))
    let error = try #require(throws: DataError.self) {
      try ImageFolder.read(folder.path, as: Float.self)
    }
    #expect(error.kind == .wrongShape && error.place == other && error.message.contains("a.PNG"))
    #expect(error.message.contains("\(folder.path):channels=3 "))
  }

  @Test func picturesOfDifferingSizesBecomeAlike() throws {
    let folder = try TemporaryFolder()
    let photo = try folder.write("b/1.jpg", bytes(base64: JPEGFixture.quartered))
    _ = try folder.write("a/1.jpeg", bytes(base64: JPEGFixture.grey))
    _ = try folder.write("a/2.PNG", bytes(base64: PNGFixture.rgba))
    func load(_ parameters: String) throws -> Dataset<Float> {
      try DataSource(folder.path + parameters).load()
    }
    let data = try load(":size=6x8,channels=3")
    #expect(data.samples.shape == [3, 6, 8, 3] && data.scale == .bytes)
    #expect(data.labels == [0, 0, 1] && data.classNames == ["a", "b"])
    #expect(data.name == "\(folder.path):size=6x8,channels=3")
    let expected = try JPEG.read(photo).resized(height: 6, width: 8)
    #expect(data.samples.row(2) == expected.pixels.map { Float($0) })
    let gray = try load(":channels=1,size=5")
    #expect(gray.samples.shape == [3, 5, 5, 1])
    let luma = try JPEG.read(photo).gray.resized(height: 5, width: 5)
    #expect(gray.samples.row(2) == luma.pixels.map { Float($0) })
    let one = try DataSource("\(photo):size=4").load(as: Float.self)
    #expect(one.samples.shape == [1, 4, 4, 3] && one.labels == nil)
    #expect(try DataSource(photo).load(as: Float.self).samples.shape == [1, 13, 21, 3])

    for (parameters, hint) in [
      ("", ":size=32,channels=3 "), (":channels=1", ":size=32,channels=1 "),
      (":size=4", ":size=4x4,channels=3 "),
    ] {
      let error = #expect(throws: DataError.self) { try load(parameters) }
      #expect(error?.kind == .wrongShape, "\(parameters)")
      #expect(error?.message.contains(folder.path + hint) == true, "\(error?.message ?? "")")
    }
    let error = #expect(throws: DataError.self) { try one.checkSampleShape([8, 8, 1]) }
    #expect(error?.message.contains("1.jpg:size=8x8,channels=1 makes it") == true)
  }

  @Test func parametersOfPicturesThatMakeNoSenseAreUsage() throws {
    let folder = try TemporaryFolder()
    let photo = try folder.write("1.jpg", bytes(base64: JPEGFixture.grey))
    for (text, found) in [
      ("\(folder.path):size=0", "size is “0”"), ("\(folder.path):size=4x", "HEIGHTxWIDTH"),
      ("\(photo):size=1x2x3", "size is “1x2x3”"), ("\(photo):size=9999", "8192"),
      ("\(photo):channels=2", "1, grey, or 3, RGB"), ("\(folder.path):sise=4", "mean size?"),
      ("\(folder.path):size=4,size=4", "twice"), ("\(photo):", "known are channels, size"),
    ] {
      let error = #expect(throws: DataError.self) { try DataSource(text) }
      #expect(error?.kind == .badParameter, "\(text)")
      #expect(error?.message.contains(found) == true, "\(error?.message ?? "")")
    }
    let table = try folder.write("t.csv", Array("1,2\n".utf8))
    #expect(kind { _ = try DataSource("\(table):size=4").load(as: Float.self) } == .badParameter)
    #expect(kind { _ = try DataSource("./none:size=4").load(as: Float.self) } == .missing)
    // A name with a colon is a name first.
    let named = try folder.write("odd:size=4.jpg", bytes(base64: JPEGFixture.grey))
    #expect(try DataSource(named).load(as: Float.self).samples.shape == [1, 13, 21, 1])
    #expect(DataSource.isThere("\(photo):size=4") && DataSource.isThere("moons:test"))
    #expect(DataSource.isThere(photo) && !DataSource.isThere("none.jpg:size=4"))
  }

  @Test func subfoldersAreClasses() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("dog/1.png", bytes(base64: PNGFixture.rgb))
    _ = try folder.write("cat/1.png", bytes(base64: PNGFixture.rgba))
    _ = try folder.write("cat/2.png", bytes(base64: PNGFixture.rgb))
    let data = try DataSource(folder.path).load(as: Float.self)
    #expect(data.samples.shape == [3, 9, 7, 3] && data.labels == [0, 0, 1])
    #expect(data.classNames == ["cat", "dog"])
    // A class need not have images.
    _ = try folder.write("bee/1.txt", [1])
    let all = try DataSource(folder.path).load(as: Float.self)
    #expect(all.labels == [1, 1, 2] && all.classNames == ["bee", "cat", "dog"])
  }

  /// Each beginning of the order holds as much of every tenth of the samples, to a sample or two, and labels go with their samples.
  @Test(arguments: [100, 1797]) func ordersAreSpread(count: Int) {
    let numbers = (0..<count).map(Double.init)
    let data = Dataset(
      name: "x", samples: Tensor([count, 1], numbers), labels: (0..<count).map { $0 % 3 })
    let spread = data.spread
    #expect(spread.samples.scalars.sorted() == numbers)
    #expect(spread.labels == spread.samples.scalars.map { Int($0) % 3 })
    for taken in [10, 20, 64, 100] {
      var shares = [Int](repeating: 0, count: 10)
      for number in spread.samples.scalars.prefix(taken) { shares[Int(number) * 10 / count] += 1 }
      #expect(shares.allSatisfy { abs(Double($0) - Double(taken) / 10) < 2 }, "\(shares)")
    }
  }

  @Test func classesKeepTheirNamesAsLongAsTheLabelsAreTheirs() throws {
    let table = Dataset(
      name: "t", samples: Tensor<Double>([3, 3], [1, 0, 2, 3, 1, 4, 8, 2, 6]), labels: [1, 0, 1],
      classNames: ["cat", "dog"], columns: ["a", "b", "c"])
    let given = Covariates(names: nil, values: Tensor([3, 1], [1, 2, 3]))
    for kept in try [
      table.prefix(2), table.without(column: "b"), table.columns(named: ["c", "a"]),
      table.given(byColumns: ["a"]), table.given(given), table.standardized(by: .whole),
      table.labelled(table.labels),
    ] {
      #expect(kept.classNames == ["cat", "dog"], "\(kept.columns ?? [])")
      #expect(kept.labels == [1, 0, 1].prefix(kept.count).map { $0 })
    }
    for lost in try [
      table.labelled([0, 0, 1]), table.labelled(nil), table.labelled(nil).labelled([1, 0, 1]),
      table.labelled(byColumn: "b"),
    ] { #expect(lost.classNames == nil, "\(lost.labels ?? [])") }
    let named = try table.labelled([2, 0, 0], classNames: ["x", "y", "z"])
    #expect(named.classNames == ["x", "y", "z"])
    let error = #expect(throws: DataError.self) {
      try table.labelled([2, 0, 0], classNames: ["x"])
    }
    #expect(error?.kind == .wrongShape && error?.message.contains("a label 2") == true)
  }

  @Test func imagesBesideClassesAreRefused() throws {
    let folder = try TemporaryFolder()
    _ = try folder.write("notes/1.txt", [1])
    _ = try folder.write("stray.png", bytes(base64: PNGFixture.rgb))
    #expect(try ImageFolder.read(folder.path, as: Float.self).labels == nil)
    _ = try folder.write("dog/1.png", bytes(base64: PNGFixture.rgb))
    let error = try #require(throws: DataError.self) {
      try ImageFolder.read(folder.path, as: Float.self)
    }
    #expect(error.kind == .malformed && error.place == folder.path)
    #expect(error.message.contains("stray.png") && error.message.contains("dog"))
  }

  @Test func cifarBatchesAreReadAsPixelsWithColours() throws {
    // Red 10, green 20 + column, blue 30 + row.
    func image(_ label: UInt8) -> [UInt8] {
      [label] + [UInt8](repeating: 10, count: 1024) + (0..<1024).map { UInt8(20 + $0 % 32) }
        + (0..<1024).map { UInt8(30 + $0 / 32) }
    }
    let folder = try TemporaryFolder()
    let batch = try folder.write("data_batch_2.bin", image(7))
    _ = try folder.write("data_batch_1.bin", image(3) + image(9))
    let data = try DataSource(folder.path).load(as: Float.self)
    #expect(data.samples.shape == [3, 32, 32, 3] && data.labels == [3, 9, 7])
    #expect(data.samples[2, 5, 17, 0] == 10 && data.samples[2, 5, 17, 1] == 37)
    #expect(data.samples[2, 5, 17, 2] == 35)
    #expect(data.classNames?[9] == "truck" && data.classNames?.count == 10)
    #expect(try DataSource(batch).load(as: Float.self).labels == [7])
    #expect(kind { _ = try CIFAR.decode(image(10), path: "", as: Float.self) } == .malformed)
    #expect(
      kind { _ = try CIFAR.decode(image(1).dropLast(), path: "", as: Float.self) } == .truncated)
  }

  @Test func fashionMNISTIsFoundOrItsAbsenceExplained() throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: DataError.self) {
      try FashionMNIST.load(folders: [folder.path], as: Float.self)
    }
    #expect(error.kind == .missing && error.message.contains("dataset-fashion-mnist"))
    #expect(error.message.contains(folder.path))
    _ = try folder.write("t10k-images-idx3-ubyte", IDXTests.plain)
    let data = try FashionMNIST.load(isTest: true, folders: ["/none", folder.path], as: Float.self)
    #expect(data.count == 6 && data.name == "fashion-mnist:test" && data.classNames == nil)
    let labels = [0, 0, 8, 1] + bigEndian(6) + [3, 1, 4, 1, 5, 9]
    _ = try folder.write("t10k-labels-idx1-ubyte", labels)
    let labelled = try FashionMNIST.load(isTest: true, folders: [folder.path], as: Float.self)
    #expect(labelled.classNames?.count == 10 && labelled.classNames?[9] == "Ankle boot")
    #expect(kind { _ = try FashionMNIST.load(folders: [folder.path], as: Float.self) } == .missing)
  }

  @Test func fingerprintsTellSamplesFromOthers() {
    func print(_ shape: Shape, _ change: (inout [Float]) -> Void = { _ in }) -> String {
      var entries = (0..<shape.count).map { Float($0) }
      change(&entries)
      return Dataset(name: "", samples: Tensor<Float>(shape, entries)).fingerprint
    }
    let prints = [
      print([3, 5]), print([5, 3]), print([3, 5]) { $0[14] = -1 }, print([3, 5]) { $0[0] = -0.0 },
      print([3, 5]) { $0.swapAt(2, 3) }, print([3, 5]) { $0.swapAt(2, 4) }, print([2, 7]),
    ]
    #expect(Set(prints).count == prints.count, "\(prints)")
    #expect(print([3, 5]) == prints[0])
  }

  @Test func labelsAreReadAsWholeNumbersOneASample() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("labels.csv", Array("class\n2\n0\n1\n".utf8))
    #expect(try DataSource(path).loadLabels().labels == [2, 0, 1])
    for (text, kind) in [
      ("1,2\n", DataError.Kind.wrongShape), ("0.5\n", .outOfRange), ("-1\n", .outOfRange),
    ] {
      let other = try folder.write("other.csv", Array(text.utf8))
      let error = #expect(throws: DataError.self) { try DataSource(other).loadLabels() }
      #expect(error?.kind == kind, "\(text)")
      #expect(error?.place == (kind == .wrongShape ? other : "\(other), line 1"))
    }
    let data = Dataset(name: "x", samples: Tensor<Float>([3, 1], [1, 2, 3]))
    #expect(data.labelFingerprint == nil)
    let prints = try [[0, 1, 2], [2, 1, 0], [0, 1, 0]].map {
      try data.labelled($0).labelFingerprint
    }
    #expect(Set(prints).count == 3 && !prints.contains(nil))
    #expect(try data.labelled([0, 1, 2]).labelled(nil).labels == nil)
    #expect(throws: DataError.self) { try data.labelled([0, 1]) }
  }

  @Test func aColumnIsTakenFromATable() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("t.csv", Array("a,b,c,c\n1,0,2,5\n3,1,4,5\n8,2,6,5\n".utf8))
    let data = try DataSource(path).load(as: Double.self)
    #expect(data.columns == ["a", "b", "c", "c"])
    let rest = try data.without(column: "b")
    #expect(rest.columns == ["a", "c", "c"])
    #expect(rest.samples == Tensor([3, 3], [1, 2, 5, 3, 4, 5, 8, 6, 5]))
    #expect(rest.standardization?.means == [4, 4, 5] && rest.name == path)
    let labelled = try data.labelled(byColumn: "a").prefix(2)
    #expect(labelled.labels == [1, 3] && labelled.columns == ["b", "c", "c"])
    #expect(labelled.place(of: 1) == "\(path), line 3")
    #expect(kind { _ = try data.without(column: "c") } == .unknownName)
    #expect(kind { _ = try data.without(column: "d") } == .unknownName)
    let plain = Dataset(name: "", samples: Tensor<Double>([2, 2], [0.5, 1, 2, 3]))
    #expect(kind { _ = try plain.without(column: "a") } == .unknownName)
    let named = Dataset(name: "", samples: plain.samples, columns: ["a", "b"])
    #expect(kind { _ = try named.labelled(byColumn: "a") } == .outOfRange)
    let only = try named.without(column: "a")
    #expect(kind { _ = try only.without(column: "b") } == .wrongShape)
  }

  /// Labels that lie beside images are no others than those in a file of their own.
  @Test func labelsBesideImagesNameTheirFileAndSample() throws {
    let folder = try TemporaryFolder()
    let images = try folder.write("train-images-idx3-ubyte", IDXTests.plain)
    let halves =
      [0, 0, 13, 1] + bigEndian(6)
      + [1, 2, 0.5, 3, 4, 5].flatMap {
        bigEndian(Int(Float($0).bitPattern))
      }
    let negative = [0, 0, 9, 1] + bigEndian(6) + [1, 2, 0xFF, 3, 4, 5]
    for (labels, found) in [(halves, "0.5"), (negative, "-1")] {
      let file = try folder.write("train-labels-idx1-ubyte", labels)
      let error = #expect(throws: DataError.self) { try DataSource(images).load(as: Float.self) }
      #expect(error?.kind == .outOfRange && error?.place == "\(file), sample 2")
      #expect(error?.message.contains("the label is \(found)") == true, "\(error!)")
    }
  }

  @Test func samplesOfAnotherDimensionAreReported() throws {
    let data = Dataset(name: "x.npy", samples: Tensor<Float>([3, 2]))
    try data.checkSampleShape([2])
    let error = try #require(throws: DataError.self) { try data.checkSampleShape([8, 8, 1]) }
    #expect(error.kind == .wrongShape)
    #expect(error.message.contains("[2]") && error.message.contains("[8, 8, 1]"))
  }

  /// Samples are the same where all that is known of them is.
  @Test func sharedSamplesAreCounted() throws {
    func data(_ rows: [[Double]], labels: [Int]? = nil) -> Dataset<Double> {
      Dataset(name: "", samples: Tensor([rows.count, 2], rows.flatMap { $0 }), labels: labels)
    }
    let own = data([[1, 2], [3, 4], [5, 6]], labels: [0, 1, 0])
    let other = data([[3, 4], [4, 3], [1, 2], [1, 2]], labels: [0, 1, 0, 0])
    #expect(other.sharedCount(with: own) == 2)
    #expect(try other.labelled(nil).sharedCount(with: own.labelled(nil)) == 3)
    let given = { (rows: Dataset<Double>, y: [Double]) in
      try rows.labelled(nil).given(Covariates(values: Tensor([y.count, 1], y)))
    }
    #expect(try given(other, [1, 1, 1, 2]).sharedCount(with: given(own, [1, 1, 1])) == 2)
  }
}
