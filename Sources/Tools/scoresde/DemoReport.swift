import Foundation
import ScoreSDE

/// The demo's results as files and as text.
struct DemoReport {
  let job: TrainingJob<Float>
  let trainingSeconds: Double
  let samples: [DemoEvaluation.Samples]
  let likelihood: DemoEvaluation.Likelihoods
  let reference: Estimate
  let test: Dataset<Float>

  /// Writes samples, loss curve, table and report.
  func write(to folder: String) throws {
    for sample in samples {
      try AtomicFile.write(grid(sample.images).png, to: "\(folder)/\(Self.file(sample.name)).png")
    }
    try AtomicFile.write(grid(test.samples.rows(0..<100)).png, to: "\(folder)/test-digits.png")
    try AtomicFile.write(lossCurve.svg, to: "\(folder)/loss.svg")
    try AtomicFile.write(table.text + "\n", to: "\(folder)/solvers.txt")
    try AtomicFile.write(report.html, to: "\(folder)/report.html")
  }

  /// What is printed for people.
  func text(out: String) -> String {
    """
    \(table.text)
    energy distance of 100 training digits to the test set: \(NumberText.plusMinus(reference.value, reference.standardError))

    test set, bits per dimension: model \(bits(likelihood.model)), Gaussian with full covariance \(bits(likelihood.baseline))
    report: \(out)/report.html
    """
  }

  /// What is printed for scripts.
  func json(out: String) -> JSON {
    func estimate(_ value: (mean: Double, standardError: Double)) -> JSON {
      .object([("mean", .number(value.mean)), ("standardError", .number(value.standardError))])
    }
    return .object([
      ("bitsPerDimension", estimate(likelihood.model)),
      ("baselineBitsPerDimension", estimate(likelihood.baseline)),
      (
        "solvers",
        .array(
          samples.map {
            .object([
              ("solver", .string($0.name)), ("nfe", .number($0.evaluations)),
              ("seconds", .number($0.seconds)), ("distance", .number($0.distance.value)),
            ])
          })
      ), ("trainingSeconds", .number(trainingSeconds)), ("out", .string(out)),
    ])
  }

  private static func file(_ name: String) -> String {
    "samples-"
      + name.lowercased().map { $0.isASCII && $0.isLetter ? String($0) : "-" }.joined()
  }

  private func bits(_ value: (mean: Double, standardError: Double)) -> String {
    NumberText.plusMinus(value.mean, value.standardError)
  }

  private func grid(_ images: Tensor<Float>) -> SampleGrid {
    SampleFile.grid(images, range: 0...16, columns: 10)
  }

  private var table: Table {
    Table(
      columns: ["solver", "NFE", "seconds", "distance to the test set"],
      rows: samples.map {
        [
          $0.name, NumberText.fixed($0.evaluations, decimals: 0),
          NumberText.fixed($0.seconds, decimals: 2),
          NumberText.plusMinus($0.distance.value, $0.distance.standardError),
        ]
      })
  }

  private var lossCurve: Plot { LossFigure(log: job.log).plot }

  private var report: Report {
    let options = job.trainer.options
    var report = Report(
      "Handwritten digits by a score-based model",
      subtitle: "Trained, sampled and scored by scoresde demo")
    report.facts([
      (
        "data",
        "\(job.description.data), 3,823 training and 1,797 test images of 8 × 8 pixels, 17 levels"
      ),
      ("process", job.trainer.loss.process.name),
      (
        "network",
        "residual MLP, width \(job.trainer.model.network.width), \(job.trainer.model.network.depth) blocks"
      ),
      ("parameters", NumberText.grouped(job.trainer.parameters.count)),
      (
        "training",
        "\(NumberText.counted(options.steps, "step")) of \(options.batchSize) in \(NumberText.fixed(trainingSeconds, decimals: 0)) s"
      ),
      ("seed", "\(options.seed)"),
    ])
    report.heading("Likelihood of the test set")
    report.table(
      Table(
        columns: ["model", "bits per dimension"],
        rows: [
          ["score model, probability-flow ODE", bits(likelihood.model)],
          ["Gaussian with full covariance", bits(likelihood.baseline)],
        ]),
      caption:
        "Lower is better; ± one standard error over the 1,797 test digits. The ODE took \(NumberText.fixed(likelihood.evaluations, decimals: 0)) evaluations a digit on average, \(NumberText.fixed(likelihood.seconds, decimals: 0)) s in all."
    )
    report.heading("Samples")
    report.table(
      table,
      caption:
        "Energy distance of 100 samples to the test set, in grey levels, without bias: 0 for equal distributions; 100 training digits come to \(NumberText.plusMinus(reference.value, reference.standardError))."
    )
    report.figures(
      samples.map { (grid($0.images), $0.name) } + [
        (grid(test.samples.rows(0..<100)), "real digits of the test set")
      ])
    report.heading("Training")
    report.figure(
      lossCurve,
      caption: "The denoising score matching loss, means over ten steps and over longer stretches.")
    report.paragraph(
      "Digits: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, doi 10.24432/C50P49, CC BY 4.0."
    )
    return report
  }
}
