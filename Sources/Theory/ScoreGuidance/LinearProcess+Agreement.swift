import ScoreProcesses

extension LinearProcess {
  /// What tells this process from another, as the end of a sentence; nil where ends and kernels are the same.
  ///
  /// Kernels are held to each other at five times, from 0 to T, to a millionth: a process may be written in two ways.
  func difference(from other: any LinearProcess) -> String? {
    guard abs(endTime - other.endTime) <= 1e-9 * endTime else {
      return "\(name) ends at T = \(endTime) and \(other.name) at T = \(other.endTime)"
    }
    for step in 0...4 {
      let t = min(endTime, other.endTime) * Double(step) / 4
      let (here, there) = (marginal(at: t), other.marginal(at: t))
      guard abs(here.logAlpha - there.logAlpha) <= 1e-6,
        abs(here.sigma - there.sigma) <= 1e-6 * max(here.sigma, there.sigma)
      else {
        return
          "at t = \(t) \(name) has α = \(here.alpha), σ = \(here.sigma) and \(other.name) α = \(there.alpha), σ = \(there.sigma)"
      }
    }
    return nil
  }
}
