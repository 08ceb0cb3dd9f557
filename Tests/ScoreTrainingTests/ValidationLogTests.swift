import Foundation
import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

@Suite struct ValidationLogTests {
  private static let model = ModelConfiguration(
    sampleShape: [1], network: NetworkSpec(width: 4, depth: 1, frequencies: 2),
    preconditioning: .standardized(mean: 0, deviation: 1))

  /// Results whose losses are those of a field that gives σ x times a number, on 400 pairs, each a little other.
  private static func result(_ factor: Double, training: Double = 1) throws -> ValidationResult {
    let process = try VariancePreserving()
    func data(_ scale: Double, _ key: UInt64) throws -> TrainingData<Double> {
      try TrainingData(scale * (RandomKey(key).normal([400, 1]) as Tensor<Double>))
    }
    return try Validation(
      model, loss: ScoreMatchingLoss(process: process, weighting: .noise, times: .uniform),
      heldOut: data(factor, 1), training: data(training, 2), draws: 2
    )(GaussianOracle<Double>(process: process, mean: 0, deviation: 1, sampleShape: [1]))
  }

  private static func log(
    _ results: [(factor: Double, training: Double)]
  ) throws -> ValidationLog {
    var log = ValidationLog()
    for (place, (factor, training)) in results.enumerated() {
      try log.add(result(factor, training: training), at: 10 * (place + 1))
    }
    return log
  }

  /// Means and their errors, of samples and of the differences of pairs, by hand.
  @Test func entriesAreMeansWithTheirErrors() throws {
    let results = [try Self.result(1.1), try Self.result(1), try Self.result(1.3)]
    var log = ValidationLog()
    for (place, result) in results.enumerated() { try log.add(result, at: 10 * (place + 1)) }
    func check(_ found: MeanLoss, _ values: [Double]) {
      let mean = values.reduce(0, +) / 400
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399
      #expect(abs(found.value - mean) < 1e-12)
      #expect(abs(found.standardError - (variance / 400).squareRoot()) < 1e-12)
    }
    for (entry, result) in zip(log.entries, results) {
      check(entry.loss, result.heldOut)
      check(entry.trainingLoss, result.training)
      check(entry.gap, zip(result.heldOut, result.training).map { $0 - $1 })
    }
    #expect(log.least == log.entries[1])
    #expect(log.entries[0].rise == MeanLoss(value: 0, standardError: 0))
    #expect(log.entries[1].rise == MeanLoss(value: 0, standardError: 0))
    check(log.entries[2].rise, zip(results[2].heldOut, results[1].heldOut).map { $0 - $1 })
    // Sample by sample a rise is known far better than either loss.
    let rise = log.entries[2].rise
    #expect(rise.standardError < 0.5 * log.entries[2].loss.standardError && rise.value > 0)
  }

  /// A loss that is no number is less than none.
  @Test func lossesThatAreNoNumbersAreNotTheLeast() throws {
    for (losses, least) in [(["nan", "2", "3"], 20), (["2", "nan", "3"], 10)] {
      let lines = losses.enumerated().map {
        "\(10 * ($0.offset + 1)),1,0,\($0.element),0,0,0,0,0\n"
      }
      let log = try ValidationLog(text: ValidationLog().text + lines.joined(), name: "log")
      #expect(log.least?.step == least)
    }
  }

  @Test func aLogReadsBackAsItIs() throws {
    let log = try Self.log([(1.1, 1), (1, 1), (1.3, 0.9)])
    let read = try ValidationLog(text: log.text, name: "log")
    #expect(read.entries == log.entries && read.text == log.text && read.least == log.least)
    #expect(
      try ValidationLog(text: log.text, name: "log", upTo: 29).entries.map(\.step) == [10, 20])
    let other = log.text.split(separator: "\n").joined(separator: "\r\n")
    #expect(try ValidationLog(text: other, name: "log").entries == log.entries)
    let lines = log.text.split(separator: "\n").map(String.init)
    for text in [
      "", lines[1], lines[0] + "\n1,2\n", lines[0] + "\n" + lines[2] + "\n" + lines[1],
    ] {
      let error = #expect(throws: TrainingError.self) {
        try ValidationLog(text: text, name: "log")
      }
      #expect(error?.description.hasPrefix("log") == true)
    }
  }

  /// A rise that is no more than chance, one of the training samples too, and the least loss at the end are no learning by heart.
  @Test func onlyARiseBeyondChanceIsLearningByHeart() throws {
    #expect(try Self.log([(1, 1), (1.3, 0.9)]).hasLearntByHeart)
    #expect(try Self.log([(1, 1), (1, 0.9), (1.3, 0.9)]).hasLearntByHeart)
    #expect(try !Self.log([(1, 1), (1.3, 1.1)]).hasLearntByHeart)
    #expect(try !Self.log([(1, 1), (1, 0.9)]).hasLearntByHeart)
    #expect(try !Self.log([(1.3, 1), (1, 0.9)]).hasLearntByHeart)
    #expect(!ValidationLog().hasLearntByHeart)
    // Near z errors, √(2 log 100) = 3.03 for two entries and √(2 log 2500) = 3.96 for fifty.
    let header = ValidationLog().text
    func verdict(_ rise: Double, entries: Int) throws -> Bool {
      let first = (1..<entries).map { "\($0),0.5,0.01,0.6,0.01,0.1,0.01,0,0\n" }.joined()
      return try ValidationLog(
        text: header + first + "\(entries),0.4,0.01,\(0.6 + rise),0.01,0.2,0.01,\(rise),0.001\n",
        name: "log"
      ).hasLearntByHeart
    }
    #expect(try !verdict(0.0030, entries: 2) && verdict(0.0031, entries: 2))
    #expect(try !verdict(0.0039, entries: 50) && verdict(0.0040, entries: 50))
  }

  /// A loss that is no number is neither the least nor the end of a log.
  @Test func aLossThatIsNoNumberIsPassedOver() throws {
    let line = "step,training_loss,training_standard_error"
    let log = try Self.log([(1, 1)])
    #expect(log.text.hasPrefix(line))
    let text = log.text + "20,nan,nan,nan,nan,nan,nan,nan,nan\n30,0.1,0.1,inf,nan,0.1,0.1,inf,nan\n"
    let read = try ValidationLog(text: text, name: "log")
    #expect(read.least?.step == 10 && read.entries.count == 3 && !read.hasLearntByHeart)
  }

  private func inFolder(_ body: (RunFolder) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try AtomicFile.makeFolder(path)
    try body(RunFolder(path))
  }

  /// Whichever of two checkpoints a killed run has, the log goes on as if it had not been killed.
  @Test(arguments: [[1.2, 1.1, 1.3], [1.1, 1.2, 1.3], [1.1, 1.2, 1.0], [1.2, 1.1, 1.0]])
  func aLogGoesOnFromEitherCheckpoint(factors: [Double]) throws {
    try inFolder { folder in
      let results = try factors.map { try Self.result($0) }
      var whole = ValidationLog()
      for (place, result) in results.enumerated() {
        try whole.add(result, at: 10 * (place + 1))
        if place == 1 { try folder.save(whole) }
      }
      for kept in 1...2 {
        var log = try folder.validationLog(upTo: 10 * kept + 5)
        #expect(log.entries.count == kept)
        for place in kept..<3 { try log.add(results[place], at: 10 * (place + 1)) }
        #expect(log == whole)
      }
      // An end that a run goes beyond leaves nothing behind.
      var log = try folder.validationLog(upTo: 20)
      log.removeLast()
      var other = ValidationLog()
      try other.add(results[0], at: 10)
      #expect(log.entries == other.entries)
      for place in 1..<3 { try log.add(results[place], at: 10 * (place + 1)) }
      #expect(log == whole)
      log.removeLast()
      log.removeLast()
      log.removeLast()
      log.removeLast()
      #expect(log == ValidationLog())
    }
  }

  @Test func filesThatAreMissingOrDamagedAreNamed() throws {
    try inFolder { folder in
      func sentence(_ body: () throws -> Void) -> String {
        do {
          try body()
          return ""
        } catch { return "\(error)" }
      }
      func read() -> String { sentence { _ = try folder.validationLog(upTo: .max) } }
      #expect(read() == "\(folder.path)/validation.csv: the validation log is missing")
      let log = try Self.log([(1, 1), (1.3, 0.9)])
      try folder.save(log)
      #expect(read() == "")
      try AtomicFile.write(log.text.replacing("\n10,", with: "\n11,"), to: folder.validationPath)
      #expect(read().contains("validation.safetensors: the losses at step 11 are missing"))
      try AtomicFile.write("nothing", to: folder.validationLossesPath)
      #expect(read().hasPrefix("\(folder.path)/validation.safetensors: "))
      try FileManager.default.removeItem(atPath: folder.validationLossesPath)
      #expect(read().contains("validation.safetensors"))
      try AtomicFile.write("nothing", to: folder.validationPath)
      #expect(read().contains("validation.csv: found \"nothing\"; expected step,training_loss"))
    }
    // What a log's text alone does not hold cannot be gone on from.
    var log = try ValidationLog(text: Self.log([(1, 1)]).text, name: "log")
    #expect(throws: TrainingError.self) { try log.add(Self.result(1), at: 20) }
    log = try Self.log([(1, 1)])
    #expect(throws: TrainingError.self) { try log.add(Self.result(1), at: 10) }
  }
}
