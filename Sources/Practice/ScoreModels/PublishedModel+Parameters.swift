import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// The weights of a published model.
extension PublishedModel {
  /// Reads the weights.
  /// - Throws: `FileError` where the file is damaged, lacks a tensor, has one too many or one of another shape.
  public func parameters<Scalar: TensorScalar>(
    as type: Scalar.Type = Scalar.self
  ) throws(FileError) -> Parameters<Scalar> {
    let file = try Safetensors<Scalar>(contentsOf: weightsPath)
    let places = Dictionary(
      uniqueKeysWithValues: zip(file.parameters.names, file.parameters.names.indices))
    var used: Set<Int> = []
    var tensors: [Tensor<Scalar>] = []
    let expected = configuration.parameters
    for parameter in expected {
      let names = publishedNames(of: parameter.name)
      guard let name = names.first(where: { places[$0] != nil }), let place = places[name] else {
        throw FileError(
          "\(weightsPath): there is no \(names.joined(separator: " or ")); expected it of the network that \(configPath) describes"
        )
      }
      used.insert(place)
      tensors.append(
        try converted(file.parameters.tensors[place], to: parameter, named: name))
    }
    if let other = file.parameters.names.indices.first(where: { !used.contains($0) }) {
      throw FileError(
        "\(weightsPath): there is a \(file.parameters.names[other]), of which the network that \(configPath) describes has none"
      )
    }
    return Parameters(names: expected.map(\.name), tensors: tensors)
  }

  /// A tensor as our networks have it.
  private func converted<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>, to parameter: Parameter, named name: String
  ) throws(FileError) -> Tensor<Scalar> {
    let published = publishedShape(of: parameter)
    guard tensor.shape == published else {
      throw FileError("\(weightsPath): \(name) has shape \(tensor.shape); expected \(published)")
    }
    // Sums of squares of results are to be finite numbers too.
    let most = Double(Scalar.greatestFiniteMagnitude).squareRoot() / 1e4
    if let bad = tensor.scalars.first(where: { !(abs(Double($0)) <= most) }) {
      throw FileError(
        "\(weightsPath): \(name) has an entry of \(bad.inSentence) in \(Scalar.typeName); expected finite numbers of up to \(Spec.text(most.rounded()))"
      )
    }
    let shape = parameter.shape
    if shape.rank == 4 { return Self.filter(tensor, shape) }
    if parameter.name == Self.classTable {
      return Self.transposed(tensor, times: Scalar(1 / configuration.classColumn))
    }
    if isOutput(parameter) { return Tensor(shape, Array(tensor.scalars.prefix(shape.count))) }
    guard cosinesFirst, parameter.name == "embedding.0.weight" else { return tensor }
    return Self.halvesExchanged(tensor)
  }

  static let classTable = "embedding.classes.weight"

  /// Whether a parameter is of the last layer, which may give variances after the means.
  private func isOutput(_ parameter: Parameter) -> Bool { parameter.name.hasPrefix("output.") }

  /// The shape that a parameter has in files: filters have their results first, tables a row a class.
  private func publishedShape(of parameter: Parameter) -> Shape {
    var extents = parameter.shape.extents
    if extents.count == 4 { extents = [extents[3], extents[2], extents[0], extents[1]] }
    if parameter.name == Self.classTable { extents.reverse() }
    if hasLearnedVariances, isOutput(parameter) { extents[0] *= 2 }
    return Shape(extents)
  }

  /// A filter `[rows, columns, inputs, results]` of the first results of a published one.
  private static func filter<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>, _ shape: Shape
  ) -> Tensor<Scalar> {
    let (results, inputs, taps) = (shape[3], shape[2], shape[0] * shape[1])
    return tensor.withUnsafeBuffer { from in
      Tensor(shape) { out in
        for tap in 0..<taps {
          for input in 0..<inputs {
            for result in 0..<results {
              out[(tap * inputs + input) * results + result] =
                from[(result * inputs + input) * taps + tap]
            }
          }
        }
      }
    }
  }

  private static func transposed<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>, times factor: Scalar
  ) -> Tensor<Scalar> {
    let (rows, width) = (tensor.shape[0], tensor.shape[1])
    return tensor.withUnsafeBuffer { from in
      Tensor([width, rows]) { out in
        for row in 0..<rows {
          for column in 0..<width {
            out[column * rows + row] = factor * from[row * width + column]
          }
        }
      }
    }
  }

  /// The weights of features of which cosines come first, for features with sines first.
  private static func halvesExchanged<Scalar: TensorScalar>(
    _ tensor: Tensor<Scalar>
  ) -> Tensor<Scalar> {
    let (rows, width) = (tensor.shape[0], tensor.shape[1])
    return tensor.withUnsafeBuffer { from in
      Tensor(tensor.shape) { out in
        for row in 0..<rows {
          for column in 0..<width {
            out[row * width + column] = from[row * width + (column + width / 2) % width]
          }
        }
      }
    }
  }
}
