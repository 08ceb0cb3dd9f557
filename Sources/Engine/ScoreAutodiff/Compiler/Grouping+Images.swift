import ScoreTensors

extension Grouping {
  /// The epilogue that a convolution takes in: one bias, shared or an image's own, and one sum into memory.
  ///
  /// What is added, and in which order, must not depend on the number of images. So images of one pixel have none: where there
  /// is one image, what it adds looks like what all images share. And a convolution that is a matrix product, whose kernel
  /// adds the bias last, takes a shared bias alone, and no sum after it.
  mutating func addEpilogue(ofConvolution product: Int) {
    var all = [product]
    var epilogue = Epilogue(sum: product)
    let shape = graph.shape(product)
    let isPointwise = isPointwise(product)
    while shape[1] * shape[2] > 1, let sum = soleUse(of: epilogue.sum),
      case .binary(.add) = graph[sum].operation, groupOf[sum] < 0,
      isFixed[sum] == isFixed[product]
    {
      let inputs = graph[sum].inputs
      let other = inputs[0] == epilogue.sum ? inputs[1] : inputs[0]
      if other == epilogue.sum { break }
      if epilogue.bias == nil, isImageBias(other, shape, isShared: isPointwise) {
        epilogue.bias = other
      } else if epilogue.accumulates == nil, epilogue.bias == nil || !isPointwise,
        mayAccumulate(other, product, sum)
      {
        epilogue.accumulates = other
      } else {
        break
      }
      epilogue.sum = sum
      all.append(sum)
    }
    addGroup(all, epilogue)
  }

  private func isPointwise(_ id: Int) -> Bool {
    guard case .convolution(let window, _) = graph[id].operation else { return false }
    let inputs = graph[id].inputs
    return window.isPointwise(
      image: graph.shape(inputs[0]), result: graph.shape(id), filter: graph.shape(inputs[1]))
  }

  /// Whether a value adds one number a channel, the same for all pixels of an image, or of all images.
  private func isImageBias(_ id: Int, _ shape: Shape, isShared: Bool) -> Bool {
    guard let source = graph.broadcastSource(id) else { return false }
    let extents = graph.shape(source).extents
    return graph.constant(source) == nil && (!isShared || extents[0] == 1) && extents[1] == 1
      && extents[2] == 1 && extents[3] == shape[3]
  }

  /// All gradients of one group normalisation, which one kernel makes together.
  func gradientsOfSameNorm(as id: Int) -> [Int] {
    guard case .groupNormGradient(let norm, _) = graph[id].operation,
      let first = graph[id].inputs.first
    else { return [id] }
    return uses[first].filter { use in
      if case .groupNormGradient(norm, _) = graph[use].operation {
        graph[use].inputs == graph[id].inputs
      } else {
        false
      }
    }.sorted()
  }
}
