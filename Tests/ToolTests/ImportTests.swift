import Foundation
import ScoreSDE
import Testing

/// Runs that `import` makes of published models, and what is done with them.
@Suite struct ImportTests {
  private struct Report: Decodable {
    var parameters: Int
    var shape: [Int]
    var sde: String
    var network: String
    var scheduler: String
    var sampling: String?
    var classes: Int?
    var out: String
  }

  /// Under a constant ε̂ = b the flow has x_s = α_s/α_t x_t + (σ_s − α_s σ_t/α_t) b.
  @Test(arguments: [Float(0), 0.25])
  func samplesAreThoseOfTheNetwork(noise: Float) throws {
    let bench = try Workbench(PublishedFolder.files(noise: noise))
    let report: Report = try bench.report("import published --out run")
    #expect(report.shape == [2, 4, 1] && report.out == "run")
    #expect(report.sde == "ddpm:steps=1000,beta-start=0.0001,beta-end=0.02,power=1")
    #expect(report.network.hasPrefix("ddpm-unet:channels=2,"))
    let count = 500
    let drawn: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 3 --count \(count) --out x.npy")
    #expect(drawn.shape == [count, 2, 4, 1])
    let chain = try DDPMChain.linear()
    let (first, last) = (chain.marginal(at: 0.001), chain.marginal(at: 1))
    let scale = first.alpha / last.alpha
    let shift = (first.sigma - scale * last.sigma) * Double(noise)
    let numbers = try bench.numbers("x.npy")
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
    // A level b is at (2 b + 1)/255 − 1 − 1/255, the middle of its bin. Five standard errors, a false alarm of 6e-7 each.
    let error = 5 / Double(numbers.count).squareRoot()
    let deviation = 127.5 * scale
    #expect(abs(mean - 127.5 * (shift + 1) - 0.5) < error * deviation, "\(mean)")
    #expect(abs(square.squareRoot() / deviation - 1) < error / 2.0.squareRoot(), "\(square)")
  }

  @Test func whatIsImportedIsSaid() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0))
    let _: Report = try bench.report("import published --out run")
    let text = try bench.scoresde("inspect run").output
    #expect(text.contains("levels") && text.contains("imported from") && text.contains("published"))
    #expect(!text.contains("learning rate") && !text.contains("steps done"))
    // Of 17 levels from −1 to 1, as many are 2/16 apart.
    let _: Report = try bench.report("import published --out other --levels 17")
    let run = String(decoding: try bench.data("other/run.json"), as: UTF8.self)
    #expect(run.contains(#"\"factor\":0.125,\"levels\":17,\"offset\":-1.0625"#), "\(run)")
    // Levels count as such, so that likelihoods are in bits per dimension as well.
    let images = Data.npy(bytes: (0..<24).map { UInt8($0 * 10) }, shape: [3, 2, 4])
    try bench.write(images, to: "data.npy")
    let scored: Reports.Likelihood = try bench.report(
      "likelihood --model run --data data.npy --rtol 1e-3 --strata 0")
    #expect(scored.bitsPerDimension != nil && scored.epsilon == 0.001)
  }

  /// Of schedulers: the options that sample as they do.
  @Test(arguments: [
    (
      #""clip_sample_range": 1.0"#,
      "--solver ancestral:grid=reference --steps 1000 --clip data"
    ),
    (
      #""variance_type": "fixed_large", "clip_sample": false"#,
      "--solver ancestral:variance=forward,grid=reference --steps 1000"
    ),
    (
      #""clip_sample_range": 2"#,
      "--solver ancestral:grid=reference --steps 1000 --clip -127,383"
    ),
    (
      #""thresholding": true"#,
      "--solver ancestral:grid=reference --steps 1000 --clip data"
    ),
    (
      #""thresholding": true, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 4"#,
      "--solver ancestral:grid=reference --steps 1000 --clip data,quantile=0.9,limit=4"
    ),
    (
      #""_class_name": "UniPCMultistepScheduler", "clip_sample": true"#, "--solver unipc"
    ),
    (
      #""_class_name": "DDIMScheduler""#,
      "--solver ddim:grid=uniform,denoise=tweedie --steps 999 --clip data"
    ),
    (
      #""_class_name": "DDIMScheduler", "clip_sample": false, "set_alpha_to_one": false"#,
      "--solver ddim:grid=uniform,denoise=none --steps 999"
    ),
    (
      #""_class_name": "DDIMScheduler", "thresholding": true, "sample_max_value": 3"#,
      "--solver ddim:grid=uniform,denoise=tweedie --steps 999 --clip data,quantile=0.995,limit=3"
    ),
    (
      #""variance_type": "learned""#,
      "--solver ancestral:grid=reference --steps 1000 --clip data"
    ),
    (#""_class_name": "PNDMScheduler""#, nil),
  ])
  func theSamplerOfASchedulerIsTold(_ members: String, _ options: String?) throws {
    let chain =
      #"{"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, "num_train_timesteps": 1000, "#
      + members + "}"
    var files = PublishedFolder.files(noise: 0)
    files["published/scheduler_config.json"] = .text(chain)
    let bench = try Workbench(files)
    let report: Report = try bench.report("import published --out run")
    #expect(report.sampling == options)
    let told = try bench.scoresde("import published --out other")
    guard let options else {
      #expect(told.output.contains("which sample has not"))
      return
    }
    // DDIM goes on with the noise before x̂₀ is clipped, as no clipped field does.
    let isExact =
      options.contains("ancestral") && !members.contains("learned")
      || options.hasSuffix("denoise=none --steps 999")
    #expect(
      told.output.contains("sample --model other \(options) draws \(isExact ? "as" : "much as")"))
    // What is told runs, here in fewer steps.
    let words = options.split(separator: " ").map(String.init)
    let fewer = words.map { Int($0) == nil ? $0 : "5" }.joined(separator: " ")
    let drawn = try bench.scoresde("sample --model run \(fewer) --count 2 --out x.npy")
    #expect(drawn.status == 0, "\(drawn.errors)")
  }

  /// Each class by itself is all that a published model knows, until it is trained on.
  @Test func classesAreAskedForByTheirNumbers() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0.25, classes: 3))
    let report: Report = try bench.report("import published --out run")
    #expect(report.classes == 3)
    let told = try bench.scoresde("import published --out again").output
    #expect(told.contains("it knows the classes 0 to 2, each by itself"), "\(told)")
    let draw = "--solver ddim --steps 3 --count 4 --out x.npy"
    let drawn: Reports.Sample = try bench.report("sample --model run --class 0-2 \(draw)")
    #expect(drawn.shape == [12, 2, 4, 1])
    for (words, status, expected) in [
      ("--class 3", 2, "expected one from 0 to 2"),
      ("--class 1 --guidance 2", 2, "which knows each class by itself and not all together"),
      ("", 0, "run was imported with its classes alone"),
    ] {
      let outcome = try bench.scoresde("sample --model run \(draw) \(words)")
      #expect(outcome.status == Int32(status) && outcome.errors.contains(expected), "\(outcome)")
    }
    let images = Data.npy(bytes: (0..<24).map { UInt8($0 * 10) }, shape: [3, 2, 4])
    try bench.write(images, to: "data.npy")
    try bench.write(.npy([2, 0, 1], shape: [3]), to: "labels.npy")
    let scored: Reports.Likelihood = try bench.report(
      "likelihood --model run --data data.npy --class labels.npy --rtol 1e-3 --strata 0")
    #expect(scored.bitsPerDimension != nil)
    let _: Reports.Train = try bench.report(
      "train --start run --data data.npy --labels labels.npy --steps 3 --batch-size 2 --out trained"
    )
    let led = try bench.scoresde("sample --model trained --class 1 --guidance 2 \(draw)")
    #expect(led.status == 0 && !led.errors.contains("alone"), "\(led.errors)")
  }

  /// The first half of what such a network gives is its prediction.
  @Test func variancesAreLeftUnused() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0.25, hasVariances: true))
    let told = try bench.scoresde("import published --out run").output
    #expect(told.contains("the variances that it gives beside its prediction are left unused"))
    #expect(told.contains("draws much as its DDPMScheduler does"))
    let plain = try Workbench(PublishedFolder.files(noise: 0.25))
    let _: Report = try plain.report("import published --out run")
    let draws = try [bench, plain].map { bench in
      let _: Reports.Sample = try bench.report(
        "sample --model run --solver ddim --steps 3 --count 4 --out x.npy")
      return try bench.numbers("x.npy")
    }
    #expect(draws[0] == draws[1])
  }

  /// Under a constant σ ∇log p = b the flow of the VE SDE has x_s = x_t + (σ_t − σ_s) b, of images from 0 to 1.
  @Test func samplesOfTheVarianceExplodingSDEAreThoseOfTheNetwork() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0.25, seesNoise: true))
    let report: Report = try bench.report("import published --out run")
    #expect(report.sde == "ve:sigma-min=0.01,sigma-max=2" && report.shape == [2, 4, 1])
    #expect(report.network.hasPrefix("ncsnpp:channels=4,"))
    let solver = "pc:snr=0.075,corrector-steps=1,shrinkage=0,grid=reference"
    #expect(report.sampling == "--solver \(solver) --steps 1000")
    let count = 500
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver ddim --steps 3 --count \(count) --out x.npy")
    let numbers = try bench.numbers("x.npy")
    let mean = numbers.reduce(0, +) / Double(numbers.count)
    let square = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
    // Five standard errors, as above; a level b is at (2 b + 1)/510 − 1/510.
    let error = 5 / Double(numbers.count).squareRoot()
    let deviation = 255 * 2.0
    #expect(abs(mean - 255 * (2 - 0.01) * 0.25 - 0.5) < error * deviation, "\(mean)")
    #expect(abs(square.squareRoot() / deviation - 1) < error / 2.0.squareRoot(), "\(square)")
    let _: Reports.Sample = try bench.report(
      "sample --model run --solver \(solver) --steps 5 --count 4 --out y.npy")

    let images = Data.npy(bytes: (0..<24).map { UInt8($0 * 10) }, shape: [3, 2, 4])
    try bench.write(images, to: "data.npy")
    let scored: Reports.Likelihood = try bench.report(
      "likelihood --model run --data data.npy --rtol 1e-3 --strata 0")
    #expect(scored.bitsPerDimension != nil && scored.epsilon == 1e-5)
    let options = "--data data.npy --steps 3 --batch-size 2"
    let _: Reports.Train = try bench.report("train --start run \(options) --out trained")
    let _: Reports.Train = try bench.report("train --resume --out trained --steps 5")
    let network = "ncsnpp:channels=4-8,blocks=1,attention=0-1"
    let _: Reports.Train = try bench.report(
      "train --network \(network) --sde ve --parametrization scaled-score \(options) --out new")
    let drawn: Reports.Sample = try bench.report(
      "sample --model new --solver ddim --steps 3 --count 2 --out z.npy")
    #expect(drawn.shape == [2, 2, 4, 1])
  }

  @Test func sidesThatAreNotPublishedAreGiven() throws {
    var files = PublishedFolder.files(noise: 0)
    let config = String(decoding: files["published/config.json"] ?? Data(), as: UTF8.self)
    files["published/config.json"] = .text(
      config.replacingOccurrences(of: "[2, 4]", with: "null"))
    let bench = try Workbench(files)
    let without = try bench.scoresde("import published --out run")
    #expect(without.status == 1 && without.errors.contains("--size HEIGHTxWIDTH"))
    let report: Report = try bench.report("import published --size 3x5 --out run")
    #expect(report.shape == [3, 5, 1])
    for size in ["3", "3x", "3x5x", "0x5", "axb"] {
      let outcome = try bench.scoresde("import published --size \(size) --out other")
      #expect(outcome.status == 2 && outcome.errors.contains("--size is \(size)"))
    }
  }

  @Test func foldersThatArePublishedAreSentToImport() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0))
    for words in [
      "inspect published", "sample --model published --out x.npy",
      "compare --data published --with moons", "compare --data moons --with published",
      "train --start published --data digits --out other",
    ] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status == 2, "\(outcome.errors)")
      #expect(outcome.errors.contains("scoresde import published --out RUN"), "\(outcome.errors)")
    }
  }

  @Test func aRunWithoutWeightsIsToBeImportedAnew() throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0))
    let _: Report = try bench.report("import published --out run")
    try bench.remove("run/checkpoint.safetensors")
    for words in [
      "sample --model run --out x.npy", "train --resume --out run",
      "train --start run --data digits --out other",
    ] {
      let outcome = try bench.scoresde(words)
      #expect(outcome.status == 1, "\(outcome.errors)")
      #expect(outcome.errors.contains("scoresde import published --out RUN, with another folder"))
    }
  }

  @Test(arguments: [
    ("import", ["import needs a folder"]), ("import published", ["--out"]),
    ("import nowhere --out other", ["nowhere", "no such folder"]),
    ("import published --out published --steps 3", ["--steps"]),
    ("train --out run --resume", ["was imported from published", "--start run"]),
  ])
  func refusals(_ words: String, _ expected: [String]) throws {
    let bench = try Workbench(PublishedFolder.files(noise: 0))
    let _: Report = try bench.report("import published --out run")
    let again = try bench.scoresde("import published --out run")
    #expect(again.status == 2 && again.errors.contains("run.json would be overwritten"))
    let outcome = try bench.scoresde(words)
    #expect(outcome.status != 0 && outcome.output.isEmpty)
    for part in expected { #expect(outcome.errors.contains(part), "\(outcome.errors)") }
  }

  @Test func whatCannotBeReadLeavesNothing() throws {
    var files = PublishedFolder.files(noise: 0)
    files["published/diffusion_pytorch_model.safetensors"]?.removeLast()
    let bench = try Workbench(files)
    let outcome = try bench.scoresde("import published --out a/run")
    #expect(outcome.status == 1 && outcome.errors.contains("safetensors"))
    #expect(throws: (any Error).self) { try bench.data("a/run/run.json") }
  }
}
