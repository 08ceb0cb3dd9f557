import ScoreTensors

extension LinearProcess {
  private func checkTimes(_ t: Times, rows: Int) {
    // Times that formulas give may be off by their rounding.
    func check(_ t: Double) {
      precondition(
        t >= 0 && t <= endTime * (1 + 1e-9), "data are perturbed to t = \(t), not in 0…\(endTime)")
    }
    switch t {
    case .shared(let t): check(t)
    case .perSample(let times):
      precondition(times.count == rows, "\(rows) rows are perturbed to \(times.count) times")
      for t in times { check(t) }
    }
  }

  /// A draw from the kernel p(x_t | x_0), from a standard normal draw z.
  ///
  /// ```
  /// x_t = α(t) x₀ + σ(t) z
  /// ```
  ///
  /// z has the shape of x₀; with one time a row, row i is moved to its own time. Times are from 0 to T.
  public func perturb<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, noise: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar> {
    checkTimes(t, rows: data.rows)
    switch t {
    case .shared(let t):
      let kernel = marginal(at: t)
      return .combined(Scalar(kernel.alpha), data, Scalar(kernel.sigma), noise)
    case .perSample(let times):
      let kernels = times.map { marginal(at: $0) }
      return .combinedRows(
        kernels.map { Scalar($0.alpha) }, data, kernels.map { Scalar($0.sigma) }, noise)
    }
  }

  /// A draw from the kernel p(x_t | x_0) under a key; row i depends on (key, the sample that row i is) alone.
  public func perturb<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, at t: Times, key: RandomKey,
    samples: SampleIndices = .consecutive(first: 0)
  ) -> Tensor<Scalar> {
    perturb(data, noise: key.normal(data.shape, of: Scalar.self, samples: samples), at: t)
  }
}
