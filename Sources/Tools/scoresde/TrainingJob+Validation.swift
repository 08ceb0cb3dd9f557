import ScoreSDE

/// Held-out data of runs: where they are, whether they are still the same, and what the model makes of them.
extension TrainingJob {
  /// The held-out data of a run that goes on, from where it had them or from where they are now, which its description says then.
  static func heldOut(
    of run: inout RunDescription, in folder: RunFolder, given arguments: Arguments,
    beside data: Dataset<Scalar>, note: GivenOption.Note?, classes: (count: Int, empty: [Int])
  ) throws -> HeldOutData<Scalar>? {
    let own = run.notes[HeldOutData<Scalar>.note]
    guard let text = arguments.text("--validation") ?? own else { return nil }
    guard let own else {
      throw CommandError.usage(
        "--validation is \(text), but the run in \(folder.path) has none; leave it out or start another run"
      )
    }
    let heldOut = try HeldOutData(
      text, beside: data, labels: run.notes[labelsNote], given: note, classes: classes)
    guard heldOut.fingerprint == run.notes[HeldOutData<Scalar>.fingerprintNote] else {
      throw CommandError.usage(
        "\(text) holds other data than the run in \(folder.path) was validated on, \(own); give --validation with their place now, or start another run"
      )
    }
    run.notes[HeldOutData<Scalar>.note] = text
    return heldOut
  }

  /// Evaluates the averaged parameters on the held-out data, if there are some.
  mutating func validate() throws {
    guard let validation else { return }
    try validationLog.add(validation(trainer), at: trainer.step)
  }

  /// Drops the line of an end that the run goes beyond, which one that was to go as far from the first has not.
  mutating func dropEnd(unlessDue every: Int) {
    if let last = validationLog.entries.last, last.step == trainer.step, last.step % every != 0 {
      validationLog.removeLast()
    }
  }

  /// What came of the held-out data, if there are some.
  var validationReport: ValidationReport? {
    description.notes[HeldOutData<Scalar>.note].flatMap {
      ValidationReport(data: $0, log: validationLog)
    }
  }
}

extension Trainer {
  /// - Throws: where the held-out samples are too few.
  func validation(on heldOut: HeldOutData<Scalar>) throws -> Validation<Scalar> {
    do {
      return try Validation(of: self, on: heldOut.samples)
    } catch {
      throw CommandError.failure("\(heldOut.text): \(error)")
    }
  }
}
