import ScoreAutodiff
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

/// Everything about a model but its parameters: what they mean, and the formula they go into.
public struct ModelConfiguration: Sendable, Equatable {
  /// The shape of one sample.
  public var sampleShape: Shape
  /// The network.
  public var network: NetworkSpec
  /// How its output becomes ε̂.
  public var preconditioning: Preconditioning
  /// How many classes of samples the model can be asked for, 0 where it knows of none.
  public var classes: Int
  /// How many numbers samples are conditioned on, their covariates; 0 where there are none.
  public var covariates: Int

  public init(
    sampleShape: Shape, network: NetworkSpec, preconditioning: Preconditioning, classes: Int = 0,
    covariates: Int = 0
  ) {
    self.sampleShape = sampleShape
    self.network = network
    self.preconditioning = preconditioning
    self.classes = classes
    self.covariates = covariates
  }

  /// The number of entries of one sample.
  public var dimensions: Int { sampleShape.count }

  /// The most classes: each is a column of a row's condition.
  package static let mostClasses = 4096
  /// The most covariates, which are as many columns.
  package static let mostCovariates = 1 << 18

  /// The most entries of a sample.
  package static let mostEntries = 1 << 24

  /// Checks that the network takes samples of this shape; anything else that is asked of the model leans on it.
  /// - Throws: `ProcessError` that says what the network takes, which moments of data there are, or how many entries, classes and
  ///   covariates there may be.
  public func check() throws(ProcessError) {
    guard (1...Self.mostEntries).contains(dimensions) else {
      throw ProcessError(
        "the model's samples have shape \(sampleShape); expected from 1 to \(Self.mostEntries) entries"
      )
    }
    try network.check(sampleShape)
    try preconditioning.check()
    guard (0...Self.mostClasses).contains(classes) else {
      throw ProcessError(
        "the model has \(classes) classes; expected from 0 to \(Self.mostClasses)")
    }
    guard (0...Self.mostCovariates).contains(covariates) else {
      throw ProcessError(
        "the model has \(covariates) covariates; expected from 0 to \(Self.mostCovariates)")
    }
    try network.check(covariates: covariates, beside: sampleShape)
    if !network.isBuiltIn { try checkOwnNetwork() }
  }

  /// The parameters, in the order of files and optimisers.
  public var parameters: [Parameter] {
    let features = network.features == .fourier ? fourier.parameters : []
    return features + function.parameters
  }

  private var fourier: FourierFeatures {
    FourierFeatures("time", frequencies: network.frequencies, scale: network.scale)
  }

  var function: any Network {
    network.network(sampleShape, given: columns - Self.timeColumns, classes: classes)
  }

  /// What the names of inputs begin with that are no parameters.
  static let inputPrefix = "batch: "

  /// An input that is none of the parameters, whatever these are called.
  package static func input(_ name: String, _ shape: Shape) -> Formula {
    .input(inputPrefix + name, shape)
  }

  /// The entries of a sample's largest intermediate value, to which chunks of samples are cut.
  package var largestValue: Int {
    let x = Self.input("x", [1, dimensions])
    var largest = dimensions
    // What the sample has a part in; parameters are larger, and one for all samples.
    var own: Set<ObjectIdentifier> = []
    for formula in Formula.topological([noise(x, columns: Self.input("columns", [1, columns]))])
    where formula.inputName == x.inputName
      || formula.inputs.contains(where: { own.contains(ObjectIdentifier($0.node)) })
    {
      own.insert(ObjectIdentifier(formula.node))
      largest = max(largest, formula.shape.count)
    }
    return largest
  }

  /// Numbers of its time that the formula needs: condition, shift, input scale, skip, output scale.
  private static let timeColumns = 5

  /// Numbers that the formula needs beside each row: five of its time, one a class, and where there are covariates one each
  /// and one for all of them.
  package var columns: Int {
    Self.timeColumns + classes + (covariates > 0 ? 1 + covariates : 0)
  }

  /// What a class's column is in its own rows.
  var classColumn: Double { Double(classes).squareRoot() }

  /// Writes the columns of `marginal` at `t`, of a class and of covariates to `columns` places.
  ///
  /// A class's column is √classes in its own rows, as in EDM, so that the columns have a mean square of 1, and 0 in others;
  /// rows of no class have 0 in all. Before the covariates stands a 1; where they are not known, given as nil or with a
  /// first of NaN, all of these are 0.
  package func fillColumns<Scalar: TensorScalar>(
    _ marginal: Marginal, at t: Double, label: Int? = nil,
    covariates values: UnsafePointer<Double>? = nil, _ out: UnsafeMutablePointer<Scalar>
  ) {
    let (shift, scale, skip, gain) = preconditioning.columns(marginal)
    var columns = (network.condition(marginal, at: t), shift, scale, skip, gain)
    withUnsafeBytes(of: &columns) { bytes in
      if let base = bytes.assumingMemoryBound(to: Double.self).baseAddress {
        Scalar._round(Self.timeColumns, base, out)
      }
    }
    for place in 0..<classes {
      out[Self.timeColumns + place] = place == label ? Scalar(classColumn) : 0
    }
    guard covariates > 0 else { return }
    let first = Self.timeColumns + classes
    let known = values.flatMap { $0[0].isNaN ? nil : $0 }
    out[first] = known == nil ? 0 : 1
    for place in 0..<covariates { out[first + 1 + place] = Scalar(known?[place] ?? 0) }
  }

  /// What the network takes as its condition, of the columns of rows: features of the time, the class and the covariates.
  func condition(_ columns: Formula) -> Formula {
    let c = columns.slice(axis: 1, 0..<1)
    let features =
      switch network.features {
      case .fourier: fourier(c)
      case .positional, .positionalOpen:
        PositionalFeatures(
          frequencies: network.frequencies, includesLast: network.features == .positional)(c)
      case .plain: c
      }
    guard self.columns > Self.timeColumns else { return features }
    return .concatenated([features] + given(columns, beside: features.shape[1]), axis: 1)
  }

  /// Classes and covariates, as the network takes them beside so many features of the time: one's own as the columns have them,
  /// and built-in ones so that each weighs in its first layer.
  ///
  /// Covariates weigh together as much as the features do, and whether there are any, or a class, four times as much: samples
  /// under nothing are a few of those of training, and have to be told from the others.
  private func given(_ columns: Formula, beside features: Int) -> [Formula] {
    let all = columns.slice(axis: 1, Self.timeColumns..<self.columns)
    guard network.isBuiltIn else { return [all] }
    // The sum of the squares of the features, those of sines and cosines ½ each.
    let weight = network.features == .plain ? 1 : 0.5 * Double(features)
    var parts: [Formula] = []
    if classes > 0 {
      let label = all.slice(axis: 1, 0..<classes)
      let none = 1 - label.sum([1], keepDims: true) / classColumn
      let shift = 2 * (weight / Double(classes)).squareRoot()
      parts.append(network.architecture.hasClassTable ? label : label - shift * none)
    }
    if covariates > 0 {
      let (isKnown, values) = (
        all.slice(axis: 1, classes..<classes + 1),
        all.slice(axis: 1, classes + 1..<classes + 1 + covariates)
      )
      let scale = network.givenChannels > 0 ? 1 : (weight / Double(covariates)).squareRoot()
      parts += [2 * weight.squareRoot() * isKnown, scale * values]
    }
    return parts
  }

  /// ε̂ as a formula of `x`, `[n, dimensions]`, and the columns of its rows, `[n or 1, columns]`.
  package func noise(_ x: Formula, columns: Formula) -> Formula {
    func column(_ index: Int) -> Formula { columns.slice(axis: 1, index..<index + 1) }
    let features = condition(columns)
    let function = function
    if preconditioning == .noise { return function(x * column(2), condition: features) }
    let centred = x - column(1)
    return centred * column(3) + column(4) * function(centred * column(2), condition: features)
  }
}
