import ScoreTensors

extension LinearProcess {
  /// A draw from the kernel p(x_t | x_0), from a standard normal draw z.
  ///
  /// ```
  /// x_t = α(t) x₀ + σ(t) z
  /// ```
  ///
  /// z has the shape of x₀; with one time a row, row i is moved to its own time.
  public func perturb<Scalar: TensorScalar>(
    _ data: Tensor<Scalar>, noise: Tensor<Scalar>, at t: Times
  ) -> Tensor<Scalar> {
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
