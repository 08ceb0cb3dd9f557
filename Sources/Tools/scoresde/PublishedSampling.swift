import ScoreSDE

/// How a published model is sampled from elsewhere, in the options of `sample`.
extension PublishedScheduler {
  /// The options that sample as the scheduler does, and whether they take its steps exactly; nil where there are none.
  func sampling(_ scale: DataScale) -> (options: String, isExact: Bool)? {
    guard let (solver, isExact) = solver, let clip = clipping(scale) else { return nil }
    return (["--solver \(solver)", clip].filter { !$0.isEmpty }.joined(separator: " "), isExact)
  }

  /// What is said of it on import, of a run in a folder.
  func remark(_ scale: DataScale, run: String) -> String {
    guard let (options, isExact) = sampling(scale) else {
      return
        "it is published with the sampler of \(name), which sample has not; another will do, such as --solver dpm-solver++"
    }
    var text =
      "sample --model \(run) \(options) draws \(isExact ? "as" : "much as") its \(name) does"
    if isExact, let spacing, spacing != "linspace" {
      text += "; fewer --steps are spread from the first to the last, and its own are \(spacing)"
    }
    return text
  }

  /// The solver with its steps: of the chain's own sampler all of them, and of others as many as one asks for.
  private var solver: (text: String, isExact: Bool)? {
    switch name {
    case "DDPMScheduler", "DDPMParallelScheduler":
      let variances = [
        "fixed_small": "", "fixed_small_log": "", "fixed_large": "variance=forward,",
      ]
      return (learnsVariances ? "" : variances[variance]).map {
        ("ancestral:\($0)grid=reference --steps \(steps)", !learnsVariances)
      }
    // With all steps, the last of which leads to the data unless told otherwise. Its noise is that before x̂₀ is clipped.
    case "DDIMScheduler", "DDIMParallelScheduler":
      return (
        "ddim:grid=uniform,denoise=\(endsAtData ? "tweedie" : "none") --steps \(steps - 1)",
        clip == nil && threshold == nil
      )
    // One size of correction is that of each sample here, and of a whole batch there.
    case "ScoreSdeVeScheduler":
      return corrector.map { snr, corrections in
        let solver =
          corrections == 0
          ? "reverse-diffusion:"
          : "pc:snr=\(Spec.text(snr)),corrector-steps=\(corrections),shrinkage=0,"
        return ("\(solver)grid=reference --steps \(steps)", corrections == 0)
      }
    case "EulerDiscreteScheduler": return ("ddim", false)
    case "EulerAncestralDiscreteScheduler": return ("ancestral", false)
    case "HeunDiscreteScheduler": return ("heun", false)
    case "DPMSolverMultistepScheduler": return ("dpm-solver++", false)
    case "DPMSolverSinglestepScheduler": return ("dpm-solver++:method=2s", false)
    case "DEISMultistepScheduler": return ("deis", false)
    case "UniPCMultistepScheduler": return ("unipc", false)
    default: return nil
    }
  }

  /// `--clip` as it clips, empty where it does not; nil where there is no such range.
  private func clipping(_ scale: DataScale) -> String? {
    if let threshold, threshold.limit != 1 {
      guard threshold.limit > 1, threshold.quantile > 0.5, threshold.quantile <= 1 else {
        return nil
      }
      return
        "--clip data,quantile=\(Spec.text(threshold.quantile)),limit=\(Spec.text(threshold.limit))"
    }
    // Thresholds of at most 1 are the range itself, whatever it clips to else.
    guard let end = threshold == nil ? clip : 1 else { return "" }
    if end == 1 { return "--clip data" }
    guard end > 0, end.isFinite else { return nil }
    let ends = [-end, end].map { Spec.text(($0 - scale.offset) / scale.factor) }
    return "--clip \(ends.joined(separator: ","))"
  }
}

extension PublishedModel {
  /// Refuses a folder with a published model, which only `import` takes.
  static func refuse(_ path: String, as option: String) throws {
    guard isFolder(path) else { return }
    throw CommandError.usage(
      "\(option) is \(path), a model as it is published; scoresde import \(path) --out RUN makes a run of it"
    )
  }
}
