import ScoreProcesses
import ScoreTensors

/// What `scheduler_config.json` says: the process that a network was trained on, what the network gives, and how it is sampled from.
///
/// Process and network hang on the first two; clipping, variance and spacing are the published sampler's alone.
public struct PublishedScheduler: Sendable {
  /// The scheduler's class in diffusers; DDPM's where the file says none.
  public let name: String
  /// The process: DDPM's chain, or the VE SDE.
  public let process: any LinearProcess
  /// How many steps the chain has, or the published sampler takes.
  public let steps: Int
  /// The signal-to-noise ratio of the VE sampler's corrector, and how often it corrects at each step; nil of chains.
  public let corrector: (snr: Double, steps: Int)?
  /// The largest |x̂₀| that it lets stand; nil clips nothing.
  public let clip: Double?
  /// The quantile and the largest threshold of its dynamic thresholding; nil where it has none.
  public let threshold: (quantile: Double, limit: Double)?
  /// Which variance the noise of its steps has, in its words.
  public let variance: String
  /// How fewer steps are spread over the chain, in its words, where it says it.
  public let spacing: String?
  /// Whether DDIM's last step leads to the data, and not to the chain's first noise.
  public let endsAtData: Bool
  /// What a chain's network gives; nil of the VE SDE's, which gives σ times the score.
  private let prediction: Preconditioning?

  /// What a class takes for what the file leaves out.
  private struct Family {
    var betas = (first: 1e-4, last: 0.02)
    /// Whether it clips; nil where it never does.
    var clips: Bool?
    var thresholds = false
  }

  /// The class that samples from the VE SDE.
  private static let varianceExploding = "ScoreSdeVeScheduler"

  /// The classes that sample from DDPM's chain; those of other processes are not read.
  private static func family(_ name: String) -> Family? {
    switch name.replacing("Scheduler", with: "") {
    case "DDPM", "DDPMParallel", "DDIM", "DDIMParallel": Family(clips: true, thresholds: true)
    case "RePaint": Family(clips: true)
    case "DPMSolverMultistep", "DPMSolverSinglestep", "DEISMultistep", "UniPCMultistep", "SASolver":
      Family(thresholds: true)
    case "PNDM", "LMSDiscrete", "EulerDiscrete", "EulerAncestralDiscrete": Family()
    case "HeunDiscrete": Family(betas: (8.5e-4, 0.012), clips: false)
    case "KDPM2Discrete", "KDPM2AncestralDiscrete", "DPMSolverSDE": Family(betas: (8.5e-4, 0.012))
    default: nil
    }
  }

  /// - Throws: `FileError` where the process or what the network gives is none that is known.
  init(_ object: PublishedObject) throws(FileError) {
    name = try object.text("_class_name") ?? "DDPMScheduler"
    if name == Self.varianceExploding {
      process = try Self.varianceExploding(object)
      (steps, corrector) = try Self.sampler(object)
      (clip, threshold, variance, spacing, endsAtData) = (nil, nil, "none", nil, true)
      prediction = nil
      return
    }
    guard name.hasSuffix("Scheduler"), let family = Self.family(name) else {
      throw object.failure(
        "_class_name", name,
        "a scheduler of DDPM's chain, such as DDPMScheduler or DDIMScheduler, or ScoreSdeVeScheduler"
      )
    }
    let chain = try Self.chain(object, family)
    (process, steps, corrector) = (chain, chain.count, nil)
    prediction = try Self.prediction(object)
    let range = try object.number("clip_sample_range") ?? 1
    let clips = try object.flag("clip_sample")
    clip = family.clips.map { clips ?? $0 } == true ? range : nil
    let quantile = try object.number("dynamic_thresholding_ratio") ?? 0.995
    let limit = try object.number("sample_max_value") ?? 1
    let thresholds = try object.flag("thresholding")
    threshold = family.thresholds && thresholds == true ? (quantile, limit) : nil
    variance = try object.text("variance_type") ?? "fixed_small"
    spacing = try object.text("timestep_spacing")
    endsAtData = try object.flag("set_alpha_to_one") ?? true
  }

  /// Whether the noise of its steps has variances that the network gives.
  public var learnsVariances: Bool { ["learned", "learned_range"].contains(variance) }

  /// Checks that it makes use of the variances that a network gives.
  func checkVariances(areLearned: Bool, by network: PublishedObject) throws(FileError) {
    guard areLearned, !learnsVariances else { return }
    throw network.failure(
      "out_channels", "twice in_channels",
      "as many, as the scheduler's variance_type is \(variance), and not learned or learned_range")
  }

  private static func chain(
    _ object: PublishedObject, _ family: Family
  ) throws(FileError) -> DDPMChain {
    let known = ["linear", "scaled_linear", "squaredcos_cap_v2"]
    let schedule = try object.text("beta_schedule") ?? known[0]
    guard known.contains(schedule) else {
      throw object.failure("beta_schedule", schedule, "one of \(known.joined(separator: ", "))")
    }
    try object.expectNothing("trained_betas", "null, and a chain by beta_schedule")
    if try object.flag("rescale_betas_zero_snr") == true {
      throw object.failure(
        "rescale_betas_zero_snr", "true", "false, a chain that has a score at its end")
    }
    try object.expect("use_flow_sigmas", false)
    let count = try object.integer("num_train_timesteps") ?? 1000
    let first = try object.number("beta_start") ?? family.betas.first
    let last = try object.number("beta_end") ?? family.betas.last
    do {
      return schedule == known[2]
        ? try .cosine(steps: count)
        : try .linear(
          steps: count, from: first, to: last, power: schedule == known[1] ? 2 : 1)
    } catch {
      throw object.failure("beta_schedule", schedule, "one that makes a chain: \(error)")
    }
  }

  private static func varianceExploding(
    _ object: PublishedObject
  ) throws(FileError) -> VarianceExploding {
    let least = try object.number("sigma_min") ?? 0.01
    let most = try object.number("sigma_max") ?? 1348
    let epsilon = try object.number("sampling_eps") ?? 1e-5
    guard epsilon > 0, epsilon < 1 else {
      throw object.failure("sampling_eps", Spec.text(epsilon), "a number between 0 and 1")
    }
    do {
      var process = try VarianceExploding(sigmaMin: least, sigmaMax: most)
      process.cutoffs.sampling = epsilon
      return process
    } catch {
      throw object.failure(error)
    }
  }

  /// How many steps the sampler of the VE SDE takes, and what corrects them.
  private static func sampler(
    _ object: PublishedObject
  ) throws(FileError) -> (steps: Int, corrector: (Double, Int)) {
    let steps = try object.integer("num_train_timesteps") ?? 2000
    guard (2...DDPMChain.mostSteps).contains(steps) else {
      throw object.failure(
        "num_train_timesteps", "\(steps)", "from 2 to \(DDPMChain.mostSteps)")
    }
    let snr = try object.number("snr") ?? 0.15
    guard snr > 0, snr.isFinite else {
      throw object.failure("snr", Spec.text(snr), "a number above 0")
    }
    let corrections = try object.integer("correct_steps") ?? 1
    guard (0...10_000).contains(corrections) else {
      throw object.failure("correct_steps", "\(corrections)", "from 0 to 10000")
    }
    return (steps, (snr, corrections))
  }

  /// What a network of this process gives.
  /// - Throws: where the network is one of the other kind of process.
  func preconditioning(
    of unet: PublishedUNet, by network: PublishedObject
  ) throws(FileError) -> Preconditioning {
    let seesNoise = unet.network.condition == .logSigma
    guard seesNoise == (prediction == nil) else {
      throw network.failure(
        "time_embedding_type", seesNoise ? "fourier" : "positional",
        "\(seesNoise ? "positional" : "fourier"), as the scheduler is \(name)")
    }
    // A network that takes numbers from −1 to 1 makes them itself of those from 0 to 1.
    let half = unet.centersImages ? 0.5 : nil
    return prediction ?? .scaledScore(mean: half ?? 0, deviation: half ?? 1)
  }

  /// The range of the data's numbers.
  public var dataRange: ClosedRange<Double> { prediction == nil ? 0...1 : -1...1 }

  private static func prediction(
    _ object: PublishedObject
  ) throws(FileError) -> Preconditioning {
    let prediction = try object.text("prediction_type") ?? "epsilon"
    switch prediction {
    case "epsilon": return .noise
    case "sample": return .denoised
    case "v_prediction": return .velocity
    default:
      throw object.failure("prediction_type", prediction, "epsilon, sample or v_prediction")
    }
  }
}
