import ScoreTensors

extension Grouping {
  /// The epilogue that a convolution takes in: one bias, shared or an image's own, and one sum into memory.
  mutating func addEpilogue(ofConvolution product: Int) {
    var all = [product]
    var epilogue = Epilogue(sum: product)
    let shape = graph.shape(product)
    while let sum = soleUse(of: epilogue.sum), case .binary(.add) = graph[sum].operation,
      groupOf[sum] < 0, isFixed[sum] == isFixed[product]
    {
      let inputs = graph[sum].inputs
      let other = inputs[0] == epilogue.sum ? inputs[1] : inputs[0]
      if other == epilogue.sum { break }
      if epilogue.bias == nil, isImageBias(other, shape) {
        epilogue.bias = other
      } else if epilogue.accumulates == nil, mayAccumulate(other, product, sum) {
        epilogue.accumulates = other
      } else {
        break
      }
      epilogue.sum = sum
      all.append(sum)
    }
    addGroup(all, epilogue)
  }

  /// Whether a value adds one number a channel, the same for all pixels of an image.
  private func isImageBias(_ id: Int, _ shape: Shape) -> Bool {
    let source = graph.broadcastSource(id) ?? id
    let extents = graph.shape(source).extents
    guard graph.constant(source) == nil, extents[1] == 1, extents[2] == 1,
      extents[3] == shape[3]
    else { return false }
    return graph.broadcastSource(id) != nil || shape.count == shape[3]
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
