import Foundation
import ScoreSDE

/// `scoresde likelihood`: log densities of data under a model, and what they may be off by.
enum LikelihoodCommand: ScalarCommand {
  static let name = "likelihood"
  static let summary =
    "gives log densities by the probability-flow ODE, with their error budget, in nats and bits per dimension"
  /// Up to so many dimensions the exact divergence is taken unless probes are asked for: it costs as many derivatives as there
  /// are dimensions, and has no error.
  private static let exactDimensions = 4
  static let options: [Option] = [
    .model, .modelProcess, .labelOfData, .givenOfData,
    Option("--data", "DATA", "digits:test, moons, …, or a file (required)"),
    Option("--against", "DATA", "other data, told from --data by their densities (ROC)"),
    Option("--count", "N", "the first N samples only"),
    Option(
      "--divergence", "KIND",
      "exact (default for samples of up to \(exactDimensions) numbers), hutchinson or hutch++"),
    Option("--probes", "N", "probes of hutchinson (default 1) or hutch++ (default 4)"),
    Option("--sketch", "N", "directions that hutch++ takes exactly (default 4)"),
    Option("--distribution", "NAME", "of the probes: rademacher (default), gaussian or sphere"),
    Option("--rtol", "X", "relative tolerance (default 1e-5)"),
    Option("--atol", "X", "absolute tolerance (default 1e-5)"),
    Option("--epsilon", "X", "the first time (default: the process's)"),
    Option(
      "--strata", "N", "strata of times of the variational bound (default 16; 0 leaves it out)"),
    Option(
      "--pilots", "N",
      "samples that are solved again, to a tenth of the tolerances, for the solver's error (default 32)"
    ),
    Option("--seed", "N", "seed of probes and of the noise within bins (default 0)"),
    Option("--out", "FILE.npy", "nats a sample, float64"),
    Option("--against-out", "FILE.npy", "the same of --against"), Latents<Float>.written,
  ]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let rtol = try arguments.positive("--rtol") ?? 1e-5
    let atol = try arguments.positive("--atol") ?? 1e-5
    let epsilon = try arguments.positive("--epsilon")
    let strata = try arguments.integer("--strata", atLeast: 0, atMost: 1 << 16) ?? 16
    let pilots = try arguments.integer("--pilots", atLeast: 0) ?? 32
    let key = RandomKey(try arguments.seed).folded("likelihood")
    let out = try session.checkWritable("--out", extensions: ["npy"])
    let otherOut = try session.checkWritable("--against-out", extensions: ["npy"])
    guard otherOut == nil || arguments.has("--against") else {
      throw CommandError.usage("--against-out needs --against, of which it holds the nats")
    }
    let latents = try session.checkWritable("--latents", extensions: ["npy"])
    let text = try arguments.required("--data")
    let source = try asUsage(of: "--data") { try DataSource(text) }
    let other = try arguments.text("--against").map { text in
      try asUsage(of: "--against") { try DataSource(text) }
    }
    let count = try arguments.integer("--count", atLeast: 1)
    let model = try LoadedModel<Scalar>(session, takesRows: true)
    let divergence = try divergence(session, dimensions: model.field.sampleShape.count)
    let likelihood = try FlowLikelihood(
      model.field, divergence: divergence, method: .adaptive(rtol: rtol, atol: atol),
      epsilon: epsilon)
    let job = LikelihoodJob(
      session: session, model: model, likelihood: likelihood, strata: strata, pilots: pilots,
      key: key)

    let data = try model.samples(of: source, atMost: count)
    let otherData = try other.map { try model.samples(of: $0, atMost: count) }
    if otherData != nil, data.count < 2 || (otherData?.count ?? 0) < 2 {
      throw CommandError.usage(
        "--against compares two sets of samples; expected 2 samples or more in each")
    }
    if model.run?.parametrization == "x0" {
      session.remark(
        "the network of this run gives x0, whose errors its scores have over σ²: log densities may be far off, by what the budget says; networks that give gaussian, edm or v have better ones"
      )
    }
    var report = try job.report(on: data)
    if let out {
      let nats = report.nats
      try NPY.write(Tensor<Double>([nats.count], nats), to: out)
      report.add("out", .string(out), line: "nats a sample: \(out)")
    }
    if let latents, let states = report.latents {
      try NPY.write(states, to: latents)
      report.add("latents", .string(latents), line: "latents: \(latents)")
    }
    if let other = otherData {
      try job.add(
        other, named: arguments.text("--against") ?? "", writingTo: otherOut, to: &report)
    }
    try session.finish(.object(report.members), report.lines.joined(separator: "\n"))
  }

  private static func divergence(
    _ session: Session, dimensions: Int
  ) throws -> Divergence {
    let arguments = session.arguments
    let isSmall = dimensions <= exactDimensions
    let estimating = ["--probes", "--distribution"].first(where: arguments.has)
    let kind =
      arguments.text("--divergence") ?? (isSmall && estimating == nil ? "exact" : "hutchinson")
    if isSmall, let estimating, !arguments.has("--divergence") {
      session.remark(
        "\(estimating) asks for the hutchinson divergence, an estimate; without it this is exact, the default for samples of up to \(exactDimensions) numbers"
      )
    }
    let probes = try arguments.integer("--probes", atLeast: 1, atMost: 1 << 16)
    let sketch = try arguments.integer("--sketch", atLeast: 1, atMost: 1 << 16)
    let distribution = arguments.text("--distribution") ?? "rademacher"
    func refuse(_ options: [String], with needed: String) throws {
      for option in options where arguments.has(option) {
        throw CommandError.usage("\(option) goes with --divergence \(needed); found \(kind)")
      }
    }
    switch kind {
    case "exact":
      try refuse(["--probes", "--distribution"], with: "hutchinson")
      try refuse(["--sketch"], with: "hutch++")
      return .exact
    case "hutchinson":
      try refuse(["--sketch"], with: "hutch++")
      guard let distribution = Divergence.Probe(rawValue: distribution) else {
        throw CommandError.usage(
          "--distribution is \(distribution); expected rademacher, gaussian or sphere")
      }
      return .hutchinson(distribution, probes: probes ?? 1)
    case "hutch++":
      try refuse(["--distribution"], with: "hutchinson")
      return .hutchPlusPlus(sketch: sketch ?? 4, probes: probes ?? 4)
    default:
      throw CommandError.usage(
        "--divergence is \(kind); expected exact, hutchinson or hutch++")
    }
  }
}
