import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// What is asked of a network's sizes and of the samples that it takes.
extension NetworkSpec {
  /// Checks the sizes, and that the network takes samples of a shape.
  /// - Throws: `ProcessError` where a size is below 1 or beyond the most, the scale is no positive number, the groups of a U-Net
  ///   do not divide its channels, or it is asked to take what is no image, or one that it cannot halve.
  package func check(_ sampleShape: Shape) throws(ProcessError) {
    let (widthName, depthName) = Self.keys(architecture)
    for (name, size, most) in [
      (widthName, width, Self.mostWidth), (depthName, depth, Self.mostDepth),
      ("frequencies", frequencies, Self.mostFrequencies),
    ] where size < 1 || size > most {
      throw ProcessError(
        "the \(architecture.name) has \(name) \(size); expected \(size < 1 ? "1 or more" : "at most \(most)")"
      )
    }
    guard scale > 0, scale.isFinite else {
      throw ProcessError(
        "the \(architecture.name) has the scale \(scale); expected a finite number above 0")
    }
    guard condition != .step || (2...DDPMChain.mostSteps).contains(chainSteps) else {
      throw ProcessError(
        "the \(architecture.name) has chain-steps \(chainSteps); expected from 2 to \(DDPMChain.mostSteps)"
      )
    }
    if case .ddpmUNet(let sizes) = architecture {
      try Self.check(sizes)
      return try checkSides(sampleShape, levels: sizes.widths.count, factor: sizes.factor)
    }
    if case .ncsnPlusPlus(let sizes) = architecture {
      try Self.check(sizes)
      return try checkSides(sampleShape, levels: sizes.widths.count, factor: sizes.factor)
    }
    guard architecture.isUNet else { return }
    let name = architecture.name
    guard (1...Self.mostLevels).contains(multipliers.count),
      multipliers.allSatisfy({ (1...64).contains($0) })
    else {
      throw ProcessError(
        "the \(name) has multipliers \(multipliers); expected 1 to \(Self.mostLevels), each from 1 to 64"
      )
    }
    guard groups >= 1, width % groups == 0 else {
      throw ProcessError(
        "the \(name) has \(groups) groups; expected a divisor of its \(width) channels")
    }
    try checkSides(sampleShape, levels: multipliers.count, factor: unet.factor)
  }

  /// The channels of covariates `[height, width, …]` or `[length, …]` beside samples of a shape; nil unless their sides are the
  /// same and the network takes them.
  public func channels(ofGiven given: Shape, beside sampleShape: Shape) -> Int? {
    let image = image(sampleShape)
    let sides = architecture == .unet1D ? [image[1]] : [image[0], image[1]]
    guard architecture.takesGivenImages, image.rank == 3, given.rank >= 2,
      [sides.count, sides.count + 1].contains(given.rank),
      Array(given.extents.prefix(sides.count)) == sides
    else { return nil }
    return given.count / (image[0] * image[1])
  }

  /// Checks that covariates are the image that is given beside each sample, where there is one.
  func check(covariates: Int, beside sampleShape: Shape) throws(ProcessError) {
    guard givenChannels != 0 else { return }
    guard (0...Self.mostWidth).contains(givenChannels), architecture.takesGivenImages else {
      throw ProcessError(
        "the \(architecture.name) has \(Self.givenKey) \(givenChannels); expected \(architecture.takesGivenImages ? "from 0 to \(Self.mostWidth)" : "0, as it takes no images beside samples")"
      )
    }
    let image = image(sampleShape)
    let count = image[0] * image[1] * givenChannels
    guard covariates == count else {
      throw ProcessError(
        "the \(architecture.name) is given images of \(count) numbers, \(image[0]) × \(image[1]) × \(givenChannels), beside samples of shape \(sampleShape), and the model has \(covariates) covariates; expected as many"
      )
    }
  }

  /// Checks that samples are images, or series, of sides that the levels of a U-Net can halve.
  private func checkSides(
    _ sampleShape: Shape, levels: Int, factor: Int
  ) throws(ProcessError) {
    let name = architecture.name
    let image = image(sampleShape)
    let isSeries = architecture == .unet1D
    guard image.rank == 3, image.count > 0 else {
      throw ProcessError(
        "a \(name) takes \(isSeries ? "series of length × channels" : "images of height × width × channels"); the samples have shape \(sampleShape)"
      )
    }
    guard isSeries || image[0] % factor == 0, image[1] % factor == 0 else {
      throw ProcessError(
        "a \(name) of \(levels) levels takes \(isSeries ? "series whose length is a multiple" : "images whose sides are multiples") of \(factor); the samples have shape \(sampleShape)"
      )
    }
  }
}
