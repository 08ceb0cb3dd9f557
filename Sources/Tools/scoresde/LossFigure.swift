import ScoreSDE

/// The losses of a run against its steps.
struct LossFigure {
  let log: LossLog
  var validation = ValidationLog()

  /// At most so many stretches of the training loss have a mean each.
  private static let stretches = 60
  /// Up to so many entries have a dot each.
  private static let fewEntries = 10

  var plot: Plot {
    let entries = log.entries
    let steps = entries.map { Double($0.step) }
    let losses = entries.map(\.loss)
    let own = validation.entries
    let shown = losses + own.flatMap { [$0.loss.value, $0.trainingLoss.value] }
    // The exact forms of the loss may be negative.
    let isLog = shown.allSatisfy { $0 > 0 }
    let size = max(1, (entries.count + Self.stretches - 1) / Self.stretches)
    func smoothed(_ values: [Double]) -> [Double] {
      stride(from: 0, to: values.count, by: size).map { start in
        let stretch = values[start..<min(values.count, start + size)]
        return stretch.reduce(0, +) / Double(stretch.count)
      }
    }
    var raw = Mark.line(x: steps, y: losses, color: .series[0])
    raw.opacity = 0.25
    var marks = size > 1 ? [raw] : []
    let label = own.isEmpty ? nil : "batches"
    if let entry = entries.first, entries.count == 1 {
      // One mean is that of all steps so far.
      marks.append(
        .line(
          x: [1, Double(entry.step)], y: [entry.loss, entry.loss], label: label, color: .series[0]))
    } else {
      marks.append(
        .line(x: smoothed(steps), y: smoothed(losses), label: label, color: .series[0]))
    }
    if entries.count <= Self.fewEntries {
      marks.append(.points(x: steps, y: losses, label: label, color: .series[0]))
    }
    if !own.isEmpty {
      let x = own.map { Double($0.step) }
      for (label, color, values) in [
        ("averaged, training samples", Color.series[1], own.map(\.trainingLoss)),
        ("averaged, held-out samples", .series[2], own.map(\.loss)),
      ] {
        marks.append(.line(x: x, y: values.map(\.value), label: label, color: color))
        marks.append(.points(x: x, y: values.map(\.value), label: label, color: color))
      }
    }
    return Plot(
      "Loss", x: Axis("step", isWhole: true), y: Axis("loss", scale: isLog ? .log : .linear), marks)
  }
}
