import ScoreSDE

/// Held-out data of runs: where they are, whether they are still the same, and what the model makes of them.
extension TrainingJob {
  /// The held-out data of a run that goes on, from where it had them or from where they are now, which its description says then.
  static func heldOut(
    of run: inout RunDescription, in folder: RunFolder, given arguments: Arguments,
    beside data: Dataset<Scalar>, note: GivenOption.Note?, classes: (count: Int, empty: [Int])
  ) throws -> HeldOutData<Scalar>? {
    guard let place = try HeldOutPlace(arguments, of: run) else { return nil }
    guard let own = run.notes[HeldOutPlace.note] else {
      throw CommandError.usage(
        "--validation is \(place.data), but the run in \(folder.path) has none; leave it out or start another run"
      )
    }
    let heldOut = try HeldOutData(
      place, beside: data, labels: run.notes[labelsNote], given: note, classes: classes)
    guard heldOut.fingerprint == run.notes[HeldOutData<Scalar>.fingerprintNote] else {
      throw CommandError.usage(
        "\(place.data) holds other data than the run in \(folder.path) was validated on, \(own); give --validation with their place now, or start another run"
      )
    }
    place.note(in: &run.notes)
    return heldOut
  }

  /// Evaluates the averaged parameters on the held-out data, if there are some.
  mutating func validate() throws {
    guard let validation else { return }
    try validationLog.add(validation(trainer), at: trainer.step)
  }

  /// Drops the line of an end that the run goes beyond, which one that was to go as far from the first has not.
  /// - Parameter before: the run as it ended, which says what lines were due.
  mutating func dropEnd(of before: RunDescription, in folder: RunFolder) throws {
    guard let every = try DataNote.interval.value(in: before, of: folder),
      let last = validationLog.entries.last, last.step == before.options.steps,
      last.step == trainer.step, !trainer.isFinished,
      last.step % Self.checkpointSteps(every) != 0
    else { return }
    validationLog.removeLast()
    // At once, as only the run that ended says so.
    try folder.save(validationLog)
  }

  /// What came of the held-out data, if there are some.
  var validationReport: ValidationReport? {
    description.notes[HeldOutPlace.note].flatMap {
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
      throw CommandError.failure("\(heldOut.place.data): \(error)")
    }
  }
}
