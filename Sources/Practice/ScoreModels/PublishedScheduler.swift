import ScoreProcesses
import ScoreTensors

/// What `scheduler_config.json` says: the chain that a network was trained on, what the network gives, and how it is sampled from.
///
/// Chain and network hang on the first two; clipping, variance and spacing are the published sampler's alone.
public struct PublishedScheduler: Sendable {
  /// The scheduler's class in diffusers; DDPM's where the file says none.
  public let name: String
  /// The chain.
  public let process: DDPMChain
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
  /// What the network gives.
  let preconditioning: Preconditioning

  /// What a class takes for what the file leaves out.
  private struct Family {
    var betas = (first: 1e-4, last: 0.02)
    /// Whether it clips; nil where it never does.
    var clips: Bool?
    var thresholds = false
  }

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

  /// - Throws: `FileError` where the chain or what the network gives is none that is known.
  init(_ object: PublishedObject) throws(FileError) {
    name = try object.text("_class_name") ?? "DDPMScheduler"
    guard name.hasSuffix("Scheduler"), let family = Self.family(name) else {
      throw object.failure(
        "_class_name", name, "a scheduler of DDPM's chain, such as DDPMScheduler or DDIMScheduler")
    }
    process = try Self.chain(object, family)
    preconditioning = try Self.preconditioning(object)
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

  private static func preconditioning(
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
