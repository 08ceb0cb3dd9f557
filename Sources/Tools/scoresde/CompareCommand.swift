import Foundation
import ScoreSDE

/// `scoresde compare`: whether two sets of samples are of one distribution.
enum CompareCommand: ScalarCommand {
  static let name = "compare"
  static let summary =
    "tells whether two sets of samples are of one distribution, and whether one copies the other"
  /// The samples that are taken where nothing is said.
  private static let usualCount = 2000
  private static let permutations = 199
  /// The most numbers of a sample that there are tables of, and of which covariances are taken.
  private static let (mostColumns, mostOfFrechet) = (64, 256)
  static let options: [Option] = [
    Option("--data", "DATA", "the samples in question, such as those of a model (required)"),
    Option(
      "--with", "DATA", "samples that they are held to: digits:test, moons, a file (required)"),
    Option(
      "--count", "N",
      "N samples of each, spread evenly over it (default \(usualCount)); time grows as their square, but copies are looked for in all of --with"
    ),
    Option("--seed", "N", "seed of permutations and resampling (default 0)"),
    Option(
      "--out", "FILE.svg|.png",
      "both sets: points in the plane, histograms of columns, or images, which may be .png"),
  ]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    let arguments = session.arguments
    let sources = try ["--data", "--with"].map { option in
      let text = try arguments.required(option)
      try PublishedModel.refuse(text, as: option)
      return try asUsage(of: option) { try DataSource(text) }
    }
    let count =
      try arguments.integer("--count", atLeast: ComparedData<Scalar>.fewest, atMost: 100_000)
      ?? usualCount
    let key = RandomKey(try arguments.seed).folded("compare")
    let out = try session.checkWritable("--out", extensions: ["svg", "png"])
    let compared = try ComparedData<Scalar>(sources[0], with: sources[1], atMost: count)
    let isPicture = out?.hasSuffix(".png") == true
    if let out, isPicture, compared.reference.sampleShape.image == nil {
      throw CommandError.usage(
        "--out is \(out), but samples of shape \(compared.reference.sampleShape) are no images \(Shape.imageForms); use .svg"
      )
    }

    let report = try self.report(on: compared, session, key: key)
    if let out {
      let figure = ComparisonFigure(
        compared, columns: report.columns, isOfImages: isPicture || compared.isImages)
      if isPicture {
        try AtomicFile.write(figure.raster.png, to: out)
      } else {
        try AtomicFile.write(figure.figure.svg, to: out)
      }
    }
    try session.finish(
      .object(report.members + (out.map { [("out", .string($0))] } ?? [])),
      report.text + (out.map { "\nboth sets: \($0)" } ?? ""))
  }

  private static func report<Scalar: TensorScalar>(
    on compared: ComparedData<Scalar>, _ session: Session, key: RandomKey
  ) throws -> ComparisonReport {
    let pool = session.pool
    let (n, m) = compared.counts
    let (d, total) = (compared.dimensions, compared.reference.count)
    let x = compared.standardised(compared.data).rows(0..<n)
    let all = compared.standardised(compared.reference)
    let y = all.rows(0..<m)

    let costs = [
      (n + m) * (n + m) * (d + permutations), m * (n + m) * d, n * (n + m) * d, n * total * d,
      m * total * d,
    ].map(Double.init)
    let bar = session.progress("compare")
    func progress(_ part: Int, _ note: String) -> (Double) -> Void {
      let before = costs[..<part].reduce(0, +)
      let sum = costs.reduce(0, +)
      return { bar.update(min(0.999, (before + $0 * costs[part]) / sum), note) }
    }
    let even = try compared.evenly(x, y)
    let test = Metrics.energyTest(
      even.x, even.y, permutations: permutations, key: key.folded("test"), pool: pool,
      progress: progress(0, "distances and permutations"))
    let precision = Metrics.precision(
      of: x, within: y, pool: pool, progress: progress(1, "precision"))
    let recall = Metrics.precision(of: y, within: x, pool: pool, progress: progress(2, "recall"))
    let nearest = try NearestNeighbours(
      of: x, among: all, count: 2, pool: pool, progress: progress(3, "copies"))
    let own = try NearestNeighbours(
      within: all, ofTheFirst: m, count: 2, pool: pool, progress: progress(4, "copies"))
    let isPicture = session.arguments.text("--out")?.hasSuffix(".png")
    let columns =
      d <= mostColumns || isPicture == false && !compared.isImages
      ? ColumnComparison.all(of: compared, pool: pool, key: key.folded("columns")) : []
    var reason: String?
    if d > mostOfFrechet {
      reason = "left out, as samples have \(d) numbers, more than \(mostOfFrechet)"
    } else if min(n, m) <= d {
      reason = "left out, as it takes more samples of each than the \(d) numbers that they have"
    }
    let frechet = reason == nil ? Metrics.frechetDistance(x, y) : nil
    bar.update(1)
    let isStandardised = compared.reference.standardization != nil
    return ComparisonReport(
      names: (compared.data.name, compared.reference.name), counts: compared.counts,
      totals: (compared.data.count, total), dimensions: d, remarks: compared.remarks,
      isStandardised: isStandardised,
      distance: isStandardised ? Metrics.energyDistance(x, y) : test.distance, test: test,
      frechet: frechet,
      reasonAgainstFrechet: reason, precision: precision, recall: recall,
      copying: Metrics.copying(nearest, own, among: total), identical: nearest.identical,
      columns: columns, listsColumns: d <= mostColumns)
  }
}
