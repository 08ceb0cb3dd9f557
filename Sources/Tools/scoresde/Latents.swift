import ScoreSDE

/// `--latents`: where the flow carries samples at the end T, in the model's units, in a file of one row each.
struct Latents<Scalar: TensorScalar> {
  static var written: Option {
    Option(
      "--latents", "FILE.npy",
      "where the flow carries each sample at the end T, [n, …], which sample --latents leads back")
  }
  static var read: Option {
    Option(
      "--latents", "FILE.npy",
      "states at T to start from, [n, …], in the model's units, as likelihood --latents writes them, in place of drawn ones; where --class or --given is a file of as many rows, each goes with its own"
    )
  }

  /// The states, in the model's shape.
  let states: Tensor<Scalar>
  /// Whether each goes with a row of its own of files of classes or of what is given, not with all of them.
  let isRowByRow: Bool

  /// The states that `--latents` names, or nil.
  /// - Parameter rows: of a file of classes or of what is given, where it has several.
  /// - Throws: where the file holds none of the model's shape, or other options start elsewhere.
  init?(_ arguments: Arguments, of shape: Shape, besides rows: Int?, atMost count: Int?) throws {
    guard let path = arguments.text("--latents") else { return nil }
    if let other = ["--from", "--particles"].first(where: arguments.has) {
      throw CommandError.usage(
        "--latents is given with \(other), which starts elsewhere; expected one of the two")
    }
    let all = try NPY.read(path, as: Scalar.self)
    guard all.shape.rank > 1, all.rows > 0, all.shape.rowCount == shape.count else {
      throw CommandError.failure(
        "\(path) has shape \(all.shape); expected [n] followed by \(shape), as samples of the model have"
      )
    }
    isRowByRow = all.rows == rows
    let count = count ?? all.rows
    guard count <= all.rows else {
      throw CommandError.usage(
        "--count is \(count), but \(path) has \(NumberText.counted(all.rows, "state")); expected no more"
      )
    }
    states = all.rows(Array(0..<count)).reshaped(Shape([count] + shape.extents))
  }
}
