import Foundation
import ScoreSDE

/// `scoresde sample`: draws samples from a model.
enum SampleCommand: ScalarCommand {
  static let name = "sample"
  static let summary = "draws samples from a trained or an exact model"
  static let options: [Option] =
    [
      .model, .modelProcess, .labels, .givenRows, .guidance, ClipOption.option,
      Option(
        "--solver", "SOLVER",
        "\(SolverSpec.names.joined(separator: ", ")) (default pc, with --from ancestral), or consistency, the only one of models of distill"
      ),
      Option(
        "--steps", "N",
        "steps of the time grid (default 500, 1 of consistency, and 100 of --particles, even in log(sigma/alpha)), spread as suits solver and SDE, or by grid= in SOLVER: \(SolverSpec.grids.joined(separator: ", "))"
      ),
      Option("--rtol", "X", "relative tolerance of an adaptive solver"),
      Option("--atol", "X", "absolute tolerance of an adaptive solver"),
      Option(
        "--count", "N",
        "samples, of each class and each row of --given where there are several (default 64, or all of --from, which are taken in turns where there are fewer, or of --latents)"
      ),
      Option("--batch-size", "N", "samples carried together; changes no sample"),
      .lastTime, .seed,
      Option(
        "--out", "FILE",
        ".npy, .csv of rows, .safetensors, .png of images or .svg of points in the plane and of series, or a new FOLDER/ of pictures, one a file (required)"
      ),
      Option(
        "--trajectory", "FILE",
        "the states on the way too: .npy of all, [steps + 1, count, …], or a picture of some, .svg of single numbers and points in the plane, .png of images; the ends of adaptive-sde"
      ),
      .matrixProducts,
      .observe, .observeAs, .observeNoise,
    ] + ParticleOption.options + Edit<Float>.options + [Latents<Float>.read]

  static func run<Scalar: TensorScalar>(_ session: Session, _ type: Scalar.Type) throws {
    try SamplingJob<Scalar>(session).run()
  }
}
