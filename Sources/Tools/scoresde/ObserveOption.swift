import Foundation
import ScoreSDE

/// `--observe`: samples given observations of them, in the data's own units.
enum ObserveOption {
  /// Fields of samples given numbers that a map takes of them.
  private struct Posteriors<Scalar: TensorScalar> {
    let units: DataUnits
    /// The most conjugate gradients at an evaluation, where it is said.
    let iterations: Int?
    /// Of the noise of each number, as the model sees it.
    private let deviations: [Double]
    private let coarse: GaussianOracle<Double>?

    /// - Parameters:
    ///   - isGiven: whether samples are under covariates.
    ///   - noise: the deviation of the numbers' noise in the data's units; nil is that of rounding.
    init(
      _ model: LoadedModel<Scalar>, isGiven: Bool, _ map: ObservedMap, noise: Double?,
      iterations: Int? = nil
    ) throws {
      let units = try DataUnits(model, map)
      let exact = ObserveOption.exactPlaces(of: model, map)
      deviations = units.modelDeviations(
        map.noises.enumerated().map { place, own in
          exact.contains(place) ? 0 : noise ?? units.rounding * own
        })
      // Of what is said, in its own units: the model's are no one's.
      if let noise, deviations.contains(where: { !Scalar($0 * $0).isFinite }) {
        throw CommandError.usage(
          "--observe-noise is \(noise), so large beside the data that its square is no finite number; expected a smaller one"
        )
      }
      self.units = units
      coarse = try model.coarse(isGiven: isGiven)
      self.iterations = iterations
    }

    /// Refuses numbers that no sample has: some that are products of rows of a matrix that hang together, without noise.
    func checkAgreement(of observations: [[Double]], in path: String) throws {
      let count = deviations.count
      let all = try units.observation([Bool](repeating: true, count: count))
      let rows = try all.adjoint(
        Tensor([count, count], (0..<count * count).map { $0 / count == $0 % count ? 1 : 0 }))
      for (place, numbers) in observations.enumerated() {
        // Gram and Schmidt, with the numbers beside the rows.
        var basis: [(row: [Double], value: Double)] = []
        let values = units.modelValues(numbers)
        for entry in 0..<count where !numbers[entry].isNaN && deviations[entry] == 0 {
          var (row, value) = (rows.row(entry), values[entry])
          let size = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
          for known in basis {
            let part = zip(row, known.row).reduce(0) { $0 + $1.0 * $1.1 }
            for j in row.indices { row[j] -= part * known.row[j] }
            value -= part * known.value
          }
          let rest = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
          // As matrices and numbers in float32 round.
          if rest > 1e-5 * size {
            basis.append((row.map { $0 / rest }, value / rest))
          } else if abs(value) > 1e-4 * max(1, abs(values[entry])) {
            throw CommandError.failure(
              "\(path)\(observations.count > 1 ? ", observation \(place)" : ""): number \(entry + 1) is \(Spec.text(numbers[entry])), which those before it leave no sample with, as its row of the matrix is a sum of theirs; expected numbers that go together, or --observe-noise"
            )
          }
        }
      }
    }

    /// - Parameter rows: numbers in the data's units, NaN where nothing is known: one row for all samples, or one each.
    func field(
      _ prior: any DifferentiableScoreField<Scalar>, given rows: [[Double]]
    ) throws -> PosteriorField<Scalar> {
      let known = rows[0].indices.map { entry in rows.contains { !$0[entry].isNaN } }
      func chosen(_ values: [Double]) -> [Double] {
        values.indices.filter { known[$0] }.map { values[$0] }
      }
      let observed = rows.map { chosen(units.modelValues($0)).map { Scalar($0) } }
      return try PosteriorField(
        prior, of: try units.observation(known),
        observed: Tensor([observed.count, observed[0].count], observed.flatMap { $0 }),
        noiseDeviations: chosen(deviations), coarse: coarse, iterations: iterations)
    }
  }

  /// The fields of samples under conditions given what is observed, each of so many samples of each observation where there are
  /// several; or given nothing, where nothing is. Several observations go with as many rows of files, or each of these has all.
  /// And the nats that the log density of the first
  /// observation has more in the data's units than in the model's.
  ///
  /// Of one observation for `sets` of particles with whole numbers r or texts there is a field for each set, with nats of its own:
  /// each sees them at a point r + u of their bins, and the mean of p(r + u)/q(u) over u of the bins' density q is P(r).
  /// - Throws: where the options or the file make no sense for samples of the model.
  static func fields<Scalar: TensorScalar>(
    of model: LoadedModel<Scalar>, under conditions: [LoadedModel<Scalar>.Condition],
    repeating count: Int, sets: Int?, _ session: Session
  ) throws -> (fields: [any ScoreField<Scalar>], logVolumes: [Double]) {
    let arguments = session.arguments
    guard let path = try text(arguments) else {
      return (
        try model.samplingFields(
          arguments, under: conditions, repeating: count, takingTurns: false),
        [0]
      )
    }
    let spec = try asUsage(of: "--observe-as") {
      try Spec(arguments.text("--observe-as") ?? "entries", kind: "observation")
    }
    let map = try asUsage(of: "--observe-as") {
      try ObservedMap(
        spec, of: model.field.sampleShape, isSeries: model.isSeries, columns: model.columns)
    }
    let iterations = try asUsage(of: "--observe-as") {
      try spec.string("iterations").map { _ in
        try spec.integer("iterations", default: 1, in: .between(1, 1000))
      }
    }
    // The numbers of a matrix have no names.
    let columns = map.kind == "matrix" ? nil : model.columns
    let noise = try noise(arguments)
    let given = model.givenNote?.tableNames ?? []
    let (observations, leavesOut) = try ObservedFile(path).observations(
      of: map.map.shape, as: map.kind, columns: columns,
      texts: model.texts, labels: model.labelColumn, given: given,
      taken: (arguments.has("--class") ? [model.labelColumn].compactMap { $0 } : [])
        + (arguments.has("--given") ? given : []),
      discrete: map.kind == "entries" ? model.discrete : nil, isExact: noise ?? 0 == 0)
    let posteriors = try Posteriors(
      model, isGiven: !model.given.isEmpty, map, noise: noise, iterations: iterations)
    if let remark = try remark(on: observations, map, posteriors.units, model) {
      session.remark(remark)
    }
    if map.kind == "matrix", map.map.shape.count <= 512 {
      try posteriors.checkAgreement(of: observations, in: path)
    }
    if let leavesOut { session.remark(leavesOut) }
    let areTogether = observations.count > 1 && observations.count == model.fileRows
    if observations.count > 1, let rows = model.fileRows {
      session.remark(Self.remark(on: observations.count, beside: rows, of: model))
    }
    let priors = try model.samplingFields(
      arguments, under: conditions, repeating: count, takingTurns: !areTogether
    ).map { field in
      guard let prior = field as? any DifferentiableScoreField<Scalar> else {
        throw CommandError.usage(
          "--observe needs the derivatives of the model, which --matrix-products bf16 has not; expected full"
        )
      }
      return prior
    }
    let volume = posteriors.units.logVolume(observations[0].map { !$0.isNaN })
    if let sets, observations.count == 1, priors.count == 1,
      let spread = try spread(
        observations[0], sets, of: model, map, noise: noise,
        key: RandomKey(arguments.seed).folded("observe"))
    {
      return (
        try spread.rows.map { try posteriors.field(priors[0], given: [$0]) },
        spread.logDensities.map { volume - $0 }
      )
    }
    let rows =
      observations.count == 1
      ? observations : observations.flatMap { [[Double]](repeating: $0, count: count) }
    return (try priors.map { try posteriors.field($0, given: rows) }, [volume])
  }

  /// How several observations go with rows of files.
  private static func remark<Scalar: TensorScalar>(
    on observations: Int, beside rows: Int, of model: LoadedModel<Scalar>
  ) -> String {
    let files = ["--class", "--given"].filter(model.isFile).joined(separator: " and ")
    return observations == rows
      ? "--observe and \(files) have \(rows) rows each, which go together row by row"
      : "--observe has \(observations) rows and \(files) \(rows), so each row of \(files) has samples for all observations"
  }

  /// An observation of whole numbers and texts as `sets` observations of points in their bins, and the log densities that these
  /// were drawn by; nil where it is of none, or of none that are seen as they are.
  private static func spread<Scalar: TensorScalar>(
    _ observation: [Double], _ sets: Int, of model: LoadedModel<Scalar>, _ map: ObservedMap,
    noise: Double?, key: RandomKey
  ) throws -> (rows: [[Double]], logDensities: [Double])? {
    guard map.kind == "entries", let discrete = model.discrete else { return nil }
    let exact = exactPlaces(of: model, map)
    let seen = discrete.bins.widths.enumerated().map { place, width in
      !observation[place].isNaN && (exact.contains(place) || noise ?? 0 == 0) ? width : 0
    }
    guard seen.contains(where: { $0 > 0 }) else { return nil }
    let bins = Bins(widths: seen, isPeaked: discrete.bins.isPeaked)
    let ends = Tensor<Double>(
      [sets, observation.count],
      [[Double]](repeating: observation.map { $0.isNaN ? 0 : $0 }, count: sets).flatMap { $0 })
    let points = bins.spread(ends, key: key)
    let rows = (0..<sets).map { set in
      observation.indices.map { place in
        // Numbers are seen from the middles of their bins.
        observation[place].isNaN ? .nan : points.row(set)[place] - seen[place] / 2
      }
    }
    return (rows, bins.logDensity(of: points, above: ends))
  }

  /// The places of observed numbers that are of texts: noise is of numbers, and a text is seen as it is.
  private static func exactPlaces<Scalar: TensorScalar>(
    of model: LoadedModel<Scalar>, _ map: ObservedMap
  ) -> Set<Int> {
    map.kind == "entries" ? Set((model.discrete?.choices ?? []).joined()) : []
  }

  /// The places of the entries that `--observe` of `calibrate` names: columns of the run, or numbers from 1 on of samples that
  /// have none; nil where nothing is observed.
  /// - Throws: where a name or number is none of them or comes twice, and where none is left to draw.
  static func places<Scalar: TensorScalar>(of model: LoadedModel<Scalar>) throws -> [Int]? {
    guard let text = try text(model.session.arguments) else { return nil }
    let count = model.field.sampleShape.count
    let places: [Int]?
    if let columns = model.columns {
      let names = CSV.fields(text).flatMap { $0.contains("") ? nil : $0 }
      places = try names?.flatMap { name in
        let known = TextColumn.together(columns, model.texts)
        let coded = model.texts.first { $0.name == name }?.columns ?? [name]
        let places = coded.compactMap(columns.firstIndex)
        guard places.count == coded.count, known.contains(name) else {
          throw CommandError.usage(
            "--observe has \(CSV.spelled(name)), \(ObservedFile.reason(against: name, known, model.labelColumn, model.givenNote?.tableNames ?? []))"
          )
        }
        return places
      }
    } else {
      places = Arguments.numbers(text, in: 1...count)?.map { $0 - 1 }
    }
    guard let places, Set(places).count == places.count else {
      throw CommandError.usage(
        "--observe is \(text); expected different \(model.columns == nil ? "numbers of a sample's entries from 1 to \(count), such as 1,3 or 1-3" : "columns with commas between, in quotes where they have some")"
      )
    }
    guard places.count < count else {
      throw CommandError.usage(
        "--observe is \(text), all that a sample has; expected one number or more left to draw")
    }
    return places
  }

  /// The field of samples given entries of as many true ones, row i given those of row i.
  /// - Parameters:
  ///   - prior: of samples under what each true one is under.
  ///   - key: of the noise that `--observe-noise` puts on what is seen of a sample.
  static func field<Scalar: TensorScalar>(
    _ prior: any DifferentiableScoreField<Scalar>, of model: LoadedModel<Scalar>,
    seeing places: Set<Int>, in data: Dataset<Scalar>, key: RandomKey
  ) throws -> PosteriorField<Scalar> {
    let noise = try noise(model.session.arguments)
    let map = try ObservedMap(
      Spec("entries", kind: "observation"), of: model.field.sampleShape,
      isSeries: model.isSeries, columns: nil)
    let exact = exactPlaces(of: model, map)
    let numbers: Tensor<Double> = key.folded("observe").normal([data.count, data.dimensions])
    let rows = (0..<data.count).map { row in
      let (sample, noises) = (data.samples.row(row), numbers.row(row))
      var seen = [Double](repeating: .nan, count: data.dimensions)
      for place in places {
        let deviation = exact.contains(place) ? 0 : noise ?? 0
        seen[place] = Double(sample[place]) + deviation * noises[place]
      }
      return seen
    }
    let isGiven = !model.given.isEmpty || data.covariates != nil
    return try Posteriors(
      model, isGiven: isGiven, map, noise: noise
    )
    .field(prior, given: rows)
  }

  /// What `--observe` says, if it is given.
  private static func text(_ arguments: Arguments) throws -> String? {
    let text = arguments.text("--observe")
    if text == nil, let option = ["--observe-as", "--observe-noise"].first(where: arguments.has) {
      throw CommandError.usage("\(option) needs --observe, which it speaks of")
    }
    return text
  }

  /// What is said of observations far from all that the model's run was trained on.
  private static func remark<Scalar: TensorScalar>(
    on observations: [[Double]], _ map: ObservedMap, _ units: DataUnits,
    _ model: LoadedModel<Scalar>
  ) throws -> String? {
    // Sums and differences of levels are no levels.
    guard map.kind != "matrix" || model.scale == nil else { return nil }
    let known = observations.flatMap { $0.enumerated().filter { !$0.element.isNaN } }
    if map.kind == "entries", let ranges = model.discrete?.ranges,
      let far = known.first(where: { ranges[$0.offset]?.contains($0.element) == false }),
      let range = ranges[far.offset]
    {
      let name = model.columns.map { CSV.spelled($0[far.offset]) } ?? "number \(far.offset + 1)"
      return
        "--observe: \(name) is \(Spec.text(far.element)), where the run's data have \(Spec.text(range.lowerBound)) to \(Spec.text(range.upperBound)), and samples too"
    }
    if let scale = model.scale {
      return scale.remark(on: known.map(\.element), of: "--observe")
    }
    guard model.standardization != nil else {
      return map.kind == "matrix"
        ? nil : model.remark(onRangeOf: known.map(\.element), of: "--observe")
    }
    // Numbers that are seen together deviate as those of the run's data do, which hang together in their own way.
    let usual =
      map.kind == "entries" ? nil : try model.trainingSamples(atMost: 1000).map(units.moments)
    let deviations = observations.flatMap { row in
      units.modelValues(row).enumerated().map { place, value in
        let (mean, deviation) = usual?[place] ?? (0, 1)
        return (offset: place, element: abs(value - mean) / deviation)
      }
    }
    let far = deviations.filter { !$0.element.isNaN }.max { $0.element < $1.element }
    return far.flatMap { far in
      let name =
        (map.kind == "matrix" ? nil : model.columns).map { CSV.spelled($0[far.offset]) }
        ?? "number \(far.offset + 1)"
      return LoadedModel<Scalar>.remark(far.element, on: "--observe: \(name)")
    }
  }

  private static func noise(_ arguments: Arguments) throws -> Double? {
    guard let text = arguments.text("--observe-noise") else { return nil }
    guard let value = Double(text), value >= 0, value.isFinite else {
      throw CommandError.usage("--observe-noise is \(text); expected a finite number of at least 0")
    }
    return value
  }
}

extension Option {
  static let observe = Option(
    "--observe", "FILE",
    "draw samples given these numbers in the data's units, nan where nothing is known: an .npy file of one observation or of several, [n, …], a .csv table of a row each, or a picture or a folder of them; each evaluation costs a pullback an iteration more"
  )
  static let observeColumns = Option(
    "--observe", "COLUMNS",
    "draw the others given these numbers of each true sample: columns with commas between, or numbers from 1 on of samples without names, as 1,3 or 1-32; each evaluation costs up to 4 pullbacks more, or 32 of exact models"
  )
  static let observeAs = Option(
    "--observe-as", "WHAT",
    "entries of a sample (default), or block-means:size=2, means over blocks of pixels or of a series' times, or matrix:FILE, products with the rows of an .npy file [m, …] or a table, in quotes where its name has commas; all take iterations=4, of exact models by default as many as numbers, up to 32"
  )
  static let observeNoise = Option(
    "--observe-noise", "X",
    "deviation of the observed numbers' noise, which calibrate adds to those that it takes of true samples (default: that of rounding to levels, and 0 where data have none)"
  )
}
