import Foundation

/// Checks that drift, diffusion and kernel of a linear process say the same, at about 30 times from the cutoff to T.
///
/// ```
/// α′ = f α,   (σ²)′ = 2 f σ² + g²,   noiseGain = g²/(2σ),   σ > 0,   g² ≥ 0
/// ```
///
/// Derivatives are numerical (central differences, extrapolated), so that a process in plain Double is checked as well;
/// a disagreement of more than 10⁻⁶ of the terms is an error, and so are a kernel too rough to differentiate, an α that
/// does not start at 1, and a prior that is narrower than the noise at T, which fits no data. Jumps of f and g² are let pass where a difference would straddle them. The cost is about 3,000
/// evaluations.
/// - Throws: `ProcessError` that says which formula is off, at which t, and both sides of it.
public func checkConsistency(of process: some LinearProcess) throws(ProcessError) {
  let check = ConsistencyCheck(process)
  try check.limits()
  var undecided = 0
  for t in check.times {
    do {
      if try !check.formulas(at: t) { undecided += 1 }
    } catch {
      // A jump exactly here looks like a derivative halfway between: just beside it there is none.
      guard let isSure = try? check.formulas(at: t * 1.003) else { throw error }
      if !isSure { undecided += 1 }
    }
  }
  guard undecided * 2 <= check.times.count else {
    throw check.error("has a kernel too rough to differentiate; expected smooth α and σ")
  }
}

private struct ConsistencyCheck<Process: LinearProcess> {
  let process: Process
  let times: [Double]

  init(_ process: Process) {
    self.process = process
    let cutoffs = process.cutoffs
    let end = process.endTime
    let first = min(cutoffs.training, cutoffs.sampling, cutoffs.likelihood)
    // Away from the end, so that differences stay inside the time axis.
    let geometric = (0..<14).map { first * pow(0.9 * end / first, Double($0) / 14) }
    // Off the round numbers, where schedules have their kinks.
    let even = (0..<16).map { first + (end - first) * (Double($0) + 0.62) / 16 } + [0.987 * end]
    times = geometric + even
  }

  func error(_ words: String) -> ProcessError {
    ProcessError("the process \"\(process.name)\" \(words)")
  }

  /// End time, cutoffs, prior, and numbers that are finite at every time of use.
  func limits() throws(ProcessError) {
    let (end, cutoffs) = (process.endTime, process.cutoffs)
    guard end > 0, end.isFinite else {
      throw error("has the end time \(end); expected a finite number above 0")
    }
    for (name, cutoff) in [
      ("sampling", cutoffs.sampling), ("training", cutoffs.training),
      ("likelihood", cutoffs.likelihood),
    ] {
      guard cutoff > 0, cutoff < end else {
        throw error("has the \(name) cutoff \(cutoff); expected one between 0 and T = \(end)")
      }
    }
    for t in times + [end] {
      let (marginal, rates) = (process.marginal(at: t), process.rates(at: t))
      guard marginal.logAlpha.isFinite else {
        let remedy =
          t == end && marginal.logAlpha == -.infinity
          ? "; an earlier end time, such as end=\(0.999 * end), stops where it is" : ""
        throw error(
          "has log α = \(marginal.logAlpha) at t = \(t); expected a finite number: α is above 0\(remedy)"
        )
      }
      guard marginal.sigma > 0, marginal.sigma.isFinite else {
        throw error("has σ = \(marginal.sigma) at t = \(t); expected a finite number above 0")
      }
      guard rates.drift.isFinite else {
        throw error("has f = \(rates.drift) at t = \(t); expected a finite number")
      }
      // A difference of two nearly equal terms may round to just below 0.
      let rounding = 1e-12 * abs(rates.drift) * marginal.sigma * marginal.sigma
      guard rates.squaredDiffusion >= -rounding, rates.squaredDiffusion.isFinite else {
        throw error(
          "has g² = \(rates.squaredDiffusion) at t = \(t); expected a finite number of at least 0: the signal-to-noise ratio α/σ must not grow"
        )
      }
    }
    let first = times[0]
    let (start, drift) = (process.marginal(at: first).logAlpha, process.rates(at: first).drift)
    // From a late cutoff nobody sees where α started.
    guard first > 1e-3 * end || abs(start) <= 1e-2 + 10 * first * abs(drift) else {
      throw error(
        "has log α = \(start) at t = \(first); expected α to start at 1, where the data are")
    }
    guard process.priorDeviation > 0, process.priorDeviation.isFinite else {
      throw error(
        "has the prior deviation \(process.priorDeviation); expected a finite number above 0")
    }
    // Data only widen p_T. A hundredth is a ten-thousandth of a nat a dimension.
    let noise = process.marginal(at: end).sigma
    guard process.priorDeviation >= 0.99 * noise else {
      throw error(
        "has the prior deviation \(process.priorDeviation), less than σ = \(noise) at T; expected at least as much, whatever the data"
      )
    }
  }

  /// The three formulas at one time; false where a derivative is too uncertain to tell.
  func formulas(at t: Double) throws(ProcessError) -> Bool {
    let (marginal, rates) = (process.marginal(at: t), process.rates(at: t))
    let sigma = marginal.sigma
    let gain = rates.squaredDiffusion / (2 * sigma)
    guard abs(rates.noiseGain - gain) <= 1e-6 * (abs(gain) + abs(rates.drift) * sigma) else {
      throw error(
        "breaks g²/(2σ) = σ′ − f σ, its noiseGain, at t = \(t): the first is \(gain), the other \(rates.noiseGain)"
      )
    }
    let step = 0.25 * min(t, process.endTime - t)
    let alpha = extrapolatedDerivative(at: t, step: step) { process.marginal(at: $0).logAlpha }
    let deviation = extrapolatedDerivative(at: t, step: step) {
      log(process.marginal(at: $0).sigma)
    }
    let grown = rates.drift + gain / sigma
    // What the derivatives are small or large against; over the time t itself, where f is 0.
    let rate = abs(rates.drift) + gain / sigma + 1e-3 / t
    guard alpha.error <= 1e-3 * rate, deviation.error <= 1e-3 * rate else { return false }
    let tolerance = 1e-6 * rate
    guard abs(alpha.value - rates.drift) <= tolerance + 10 * alpha.error else {
      throw error(
        "breaks α′ = f α at t = \(t): f is \(rates.drift), α′/α is \(alpha.value)")
    }
    guard abs(deviation.value - grown) <= tolerance + 10 * deviation.error else {
      let variance = sigma * sigma
      throw error(
        "breaks (σ²)′ = 2 f σ² + g² at t = \(t): 2 f σ² + g² is \(2 * variance * grown), (σ²)′ is \(2 * variance * deviation.value)"
      )
    }
    return true
  }
}

/// The derivative of a function by central differences, extrapolated to step 0, with its error estimate.
///
/// Two runs from different steps must agree: one alone takes a kink or luck for precision. Some 48 evaluations within
/// `step` of t.
func extrapolatedDerivative(
  at t: Double, step: Double, _ function: (Double) -> Double
) -> (value: Double, error: Double) {
  let wide = ridders(at: t, step: step, function)
  let narrow = ridders(at: t, step: step / 27, function)
  let difference = abs(wide.value - narrow.value)
  return (wide.value, max(wide.error, difference.isNaN ? .infinity : difference))
}

// Neville extrapolation in the square of a step that shrinks, best entry of the tableau (Ridders 1982).
private func ridders(
  at t: Double, step: Double, _ function: (Double) -> Double
) -> (value: Double, error: Double) {
  let shrink = 1.6
  var row: [Double] = []
  var best = (value: Double.nan, error: Double.infinity)
  var h = step
  for _ in 0..<12 {
    var next = [(function(t + h) - function(t - h)) / (2 * h)]
    var factor = shrink * shrink
    for (k, previous) in row.enumerated() {
      next.append((factor * next[k] - previous) / (factor - 1))
      let error = max(abs(next[k + 1] - next[k]), abs(next[k + 1] - previous))
      if error <= best.error { best = (next[k + 1], error) }
      factor *= shrink * shrink
    }
    row = next
    h /= shrink
  }
  return best
}
