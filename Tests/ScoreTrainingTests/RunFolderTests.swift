import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct RunFolderTests {
  private static let model = ModelConfiguration(
    sampleShape: [2], network: NetworkSpec(width: 8, depth: 1, frequencies: 4),
    preconditioning: .standardized(mean: 0.1, deviation: 1.5))

  private func inFolder(_ body: (RunFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(RunFolder(path))
  }

  private func save(_ folder: RunFolder) throws -> Trainer<Float> {
    var options = TrainingOptions()
    options.batchSize = 8
    options.objective = .slicedVR
    options.times = .logNormal
    options.weighting = .edm
    options.stratifiesTimes = false
    let process = try VariancePreserving()
    var trainer = try Trainer<Float>(
      Self.model, process: process, data: TrainingData(RandomKey(1).normal([10, 2])),
      options: options, pool: ThreadPool(threads: 1))
    var log = LossLog()
    let reports = [try trainer.advance(), try trainer.advance()]
    log.add(reports)
    // A line is of all steps since the last one.
    #expect(log.entries.map(\.loss) == [(reports[0].loss + reports[1].loss) / 2])
    #expect(log.entries.map(\.step) == [2])
    try folder.create(
      RunDescription(
        model: Self.model, process: process, scalar: "float32", data: "somewhere", options: options,
        notes: ["key": "value"]))
    try folder.save(trainer, log: log)
    return trainer
  }

  @Test func aRunReadsBack() throws {
    try inFolder { folder in
      let trainer = try save(folder)
      let description = try folder.description()
      #expect(try description.modelConfiguration() == Self.model)
      #expect(description.options == trainer.options)
      #expect(description.notes == ["key": "value"])
      let model: ScoreModel<Float> = try folder.model(
        process: try VariancePreserving(), pool: ThreadPool(threads: 1))
      #expect(model.parameters == trainer.averagedParameters)
      let text = try String(contentsOfFile: folder.lossPath, encoding: .utf8)
      #expect(try LossLog(text: text, name: "log", upTo: 2).entries.map(\.step) == [2])
      #expect(try LossLog(text: text, name: "log", upTo: 1).entries.isEmpty)
    }
  }

  /// A process of one's own is not taken for the built-in one of the same name.
  @Test func aProcessOfOnesOwnIsGivenAgain() throws {
    let own = try CustomProcess(
      name: "cosine", alpha: { cos(1.5 * $0) }, sigma: { sin(1.5 * $0) })
    try inFolder { folder in
      let trainer = try Trainer<Float>(
        Self.model, process: own, data: TrainingData(RandomKey(1).normal([10, 2])),
        options: TrainingOptions(), pool: ThreadPool(threads: 1))
      try folder.create(
        RunDescription(
          model: Self.model, process: own, scalar: "float32", data: "x", options: trainer.options))
      try folder.save(trainer, log: LossLog())
      let error = #expect(throws: FileError.self) {
        let _: ScoreModel<Float> = try folder.model(pool: ThreadPool(threads: 1))
      }
      #expect(error?.description.contains("cosine") == true)
      let model: ScoreModel<Float> = try folder.model(
        process: own, pool: ThreadPool(threads: 1))
      #expect(model.process.marginal(at: 0.4).alpha == own.marginal(at: 0.4).alpha)
    }
  }

  /// A run goes on under its own SDE, and under none that is merely given.
  @Test func anotherProcessThanTheRunsIsRefused() throws {
    func own(_ name: String) throws -> CustomProcess {
      try CustomProcess(name: name, alpha: { cos(1.5 * $0) }, sigma: { sin(1.5 * $0) })
    }
    func sentence(_ folder: RunFolder, _ process: any LinearProcess) -> String? {
      do {
        let _: ScoreModel<Float> = try folder.model(
          process: process, pool: ThreadPool(threads: 1))
        return nil
      } catch { return "\(error)" }
    }
    try inFolder { folder in
      _ = try save(folder)
      #expect(sentence(folder, try VariancePreserving()) == nil)
      for (process, name) in [
        (try VariancePreserving(betaMax: 10), "beta-max=10"),
        (try SubVariancePreserving(), "subvp"), (try own("vp"), "vp, one's own"),
      ] as [(any LinearProcess, String)] {
        let found = try #require(sentence(folder, process), "\(name)")
        #expect(found.hasPrefix("\(folder.descriptionPath): "))
        #expect(found.contains(name) && found.contains("vp:beta-min=0.1,beta-max=20"), "\(found)")
      }
      // An SDE with parameters left out, or in another order, is the same.
      let text = try String(contentsOfFile: folder.descriptionPath, encoding: .utf8)
      let sde = try #require(text.firstMatch(of: /"sde" : "[^"]*"/)).output
      try AtomicFile.write(
        text.replacing(sde, with: "\"sde\" : \"vp:beta-max=20\""), to: folder.descriptionPath)
      #expect(sentence(folder, try VariancePreserving()) == nil)
      // A process of one's own has its name to go by, with or without the prefix of later versions.
      for prefix in ["own: ", ""] {
        try AtomicFile.write(
          text.replacing(sde, with: "\"sde\" : \"\(prefix)mine\""), to: folder.descriptionPath)
        #expect(sentence(folder, try own("mine")) == nil)
        for (process, name) in [(try own("yours"), "yours"), (try VariancePreserving(), "vp:beta")]
          as [(any LinearProcess, String)]
        {
          let found = try #require(sentence(folder, process), "\(name)")
          #expect(found.contains("mine") && found.contains(name), "\(found)")
        }
      }
    }
  }

  @Test func otherVersionsMissingAndDamagedFilesAreNamed() throws {
    try inFolder { folder in
      #expect(throws: FileError.self) { try folder.description() }
      _ = try save(folder)
      let text = try String(contentsOfFile: folder.descriptionPath, encoding: .utf8)
      try AtomicFile.write(
        text.replacingOccurrences(of: "\"format\" : 4", with: "\"format\" : 99"),
        to: folder.descriptionPath)
      let error = #expect(throws: FileError.self) { try folder.description() }
      #expect(error?.description.contains("format 99") == true)
      // Networks saw nothing otherwise before, but for what is given of samples.
      let earlier = text.replacingOccurrences(of: "\"format\" : 4", with: "\"format\" : 2")
      try AtomicFile.write(earlier, to: folder.descriptionPath)
      #expect(try folder.description().format == 2)
      for (given, isRead) in [("classes", false), ("covariates", false), ("other", true)] {
        try AtomicFile.write(
          earlier.replacingOccurrences(of: "\"data\"", with: "\"\(given)\" : 3, \"data\""),
          to: folder.descriptionPath)
        let found = try? folder.description()
        #expect((found != nil) == isRead, "\(given)")
      }
      try AtomicFile.write("{}", to: folder.descriptionPath)
      #expect(throws: FileError.self) { try folder.description() }
      try AtomicFile.write(text, to: folder.descriptionPath)
      let bytes = try #require(FileManager.default.contents(atPath: folder.checkpointPath))
      try AtomicFile.write([UInt8](bytes.prefix(bytes.count - 5)), to: folder.checkpointPath)
      #expect(throws: FileError.self) {
        let _: ScoreModel<Float> = try folder.model(
          process: try VariancePreserving(), pool: ThreadPool(threads: 1))
      }
    }
  }

  /// What to do about it depends on the program, so the library's sentence names no command of one.
  @Test func aRunWithoutACheckpointIsNamed() throws {
    try inFolder { folder in
      _ = try save(folder)
      try FileManager.default.removeItem(atPath: folder.checkpointPath)
      let error = #expect(throws: FileError.self) { try folder.checkpoint(as: Float.self) }
      let sentence = try #require(error?.description)
      #expect(sentence.hasPrefix("\(folder.path) holds a run without a checkpoint"))
      #expect(!sentence.contains("scoresde train") && !sentence.contains("--"), "\(sentence)")
    }
  }

  @Test func aLogWithoutItsHeaderIsNoLog() throws {
    let entry = "2,0.5,1,0.001\n"
    let header = try #require(LossLog().text.split(separator: "\n").first.map { $0 + "\n" })
    #expect(try LossLog(text: header + entry, name: "log", upTo: .max).entries.count == 1)
    for text in ["", "foo,bar\n" + entry, entry] {
      #expect(throws: TrainingError.self) { try LossLog(text: text, name: "log", upTo: .max) }
    }
  }

  @Test(arguments: ["\r\n", "\r"]) func aLogIsReadWithOtherLineEnds(end: String) throws {
    let header = try #require(LossLog().text.split(separator: "\n").first)
    let text = "\(header)\n2,0.5,1.0,0.001\n4,0.25,1.5,0.001\n"
    let other = text.split(separator: "\n").map { $0 + end }.joined()
    let log = try LossLog(text: other, name: "log", upTo: .max)
    #expect(log.entries.map(\.step) == [2, 4])
    // What is written when a run goes on has line ends of one kind.
    #expect(log.text == text)
  }

  @Test func aCheckpointThatIsNotFiniteIsNamed() throws {
    try inFolder { folder in
      _ = try save(folder)
      var checkpoint: Safetensors<Float> = try folder.checkpoint()
      let names = checkpoint.parameters.names
      let place = try #require(names.firstIndex { $0.hasPrefix("average/") })
      var tensors = checkpoint.parameters.tensors
      tensors[place] = tensors[place].map { _ in .nan }
      checkpoint = Safetensors(
        Parameters(names: names, tensors: tensors), metadata: checkpoint.metadata)
      try checkpoint.write(to: folder.checkpointPath)
      let error = #expect(throws: FileError.self) {
        let _: ScoreModel<Float> = try folder.model(
          process: try VariancePreserving(), pool: ThreadPool(threads: 1))
      }
      #expect(error?.description.contains(names[place]) == true)
    }
  }

  @Test func aLinkStaysAndWhatItLeadsToIsWritten() throws {
    try inFolder { folder in
      try AtomicFile.makeFolder(folder.path + "/there")
      let (file, link) = (folder.path + "/there/file", folder.path + "/link")
      try AtomicFile.write("old", to: file)
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: "there/file")
      try AtomicFile.write("new", to: link)
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "new")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: link) == "there/file")
      #expect(throws: FileError("cannot write \(folder.path)/there: it is a folder")) {
        try AtomicFile.write("", to: folder.path + "/there")
      }
    }
  }

  @Test func whatIsInTheWayOfAFolderIsNamed() throws {
    try inFolder { folder in
      try AtomicFile.makeFolder(folder.path + "/a/b")
      try AtomicFile.makeFolder(folder.path + "/a/b/")
      try AtomicFile.write("", to: folder.path + "/a/file")
      for path in [folder.path + "/a/file", folder.path + "/a/file/c", ""] {
        let error = #expect(throws: FileError.self) { try AtomicFile.makeFolder(path) }
        #expect(error?.description.contains(path.isEmpty ? "empty" : "a/file is a file") == true)
      }
    }
  }

  @Test func aDescriptionThatMakesNoSenseIsNamed() throws {
    try inFolder { folder in
      _ = try save(folder)
      let text = try String(contentsOfFile: folder.descriptionPath, encoding: .utf8)
      let shape = try #require(text.firstMatch(of: /"sampleShape" : \[[^\]]*\]/)).output
      let network = try #require(text.firstMatch(of: /"network" : "[^"]*"/)).output
      let sde = try #require(text.firstMatch(of: /"sde" : "[^"]*"/)).output
      for (old, new) in [
        (network, "\"network\" : \"unet\""), (sde, "\"sde\" : \"vp:bata-min=1\""),
        (shape, "\"sampleShape\" : [8388608, 8388608, 8388608]"), (shape, "\"sampleShape\" : []"),
      ] {
        try AtomicFile.write(text.replacing(old, with: new), to: folder.descriptionPath)
        let error = #expect(throws: FileError.self, "\(new)") {
          let _: ScoreModel<Float> = try folder.model(pool: ThreadPool(threads: 1))
        }
        #expect(error?.description.hasPrefix(folder.descriptionPath) == true)
      }
    }
  }

  /// Parameters of one run are never read under the description of another.
  @Test func aNewRunIsNotBegunOverAnother() throws {
    try inFolder { folder in
      _ = try save(folder)
      var description = try folder.description()
      description.notes = ["key": "other"]
      let run = try #require(throws: FileError.self) { try folder.create(description) }
      #expect(run.description.contains(folder.descriptionPath))
      #expect(try folder.description().notes == ["key": "value"])
      // What is new of a run that goes on leaves its checkpoint and its log.
      try folder.update(description)
      #expect(try folder.description().notes == ["key": "other"])
      #expect(try folder.checkpoint(as: Float.self).parameters.tensors.count > 0)
      #expect(FileManager.default.fileExists(atPath: folder.lossPath))
      // A checkpoint alone is a run's, too.
      try FileManager.default.removeItem(atPath: folder.descriptionPath)
      #expect(throws: FileError.self) { try folder.update(description) }
      let left = try #require(throws: FileError.self) { try folder.create(description) }
      #expect(left.description.contains(folder.checkpointPath) && !folder.exists)
      folder.clear()
      try folder.create(description)
      #expect(throws: FileError.self) { try folder.checkpoint(as: Float.self) }
    }
  }

  @Test func aClearedFolderHoldsNoRun() throws {
    try inFolder { folder in
      #expect(folder.file == nil)
      _ = try save(folder)
      #expect(folder.file == folder.descriptionPath)
      folder.clear()
      #expect(folder.file == nil && !folder.exists)
    }
  }
}
