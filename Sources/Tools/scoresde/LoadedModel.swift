import Foundation
import ScoreSDE

/// What `--model` names: a run folder or an exact model.
struct LoadedModel<Scalar: TensorScalar> {
  let field: any DifferentiableScoreField<Scalar>
  /// How the data that a trained model saw are quantised.
  let scale: DataScale?
  /// How the data that a trained model saw were standardised.
  let standardization: Standardization?
  /// What is known of the run of a trained model.
  let run: RunDescription?

  /// - Throws: where `--model` or `--sde` make no sense, or the run cannot be read.
  init(_ session: Session) throws {
    let text = try session.arguments.required("--model")
    if text == "gaussian" || text.hasPrefix("gaussian:") {
      let process = try session.process()
      field = try asUsage(of: "--model") { try Self.gaussian(text, process) }
      (scale, standardization, run) = (nil, nil, nil)
    } else if text.hasPrefix("mixture:") {
      let process = try session.process()
      let path = String(text.dropFirst("mixture:".count))
      let parameters = try MixtureParameters(contentsOf: path)
      var oracle: MixtureOracle<Scalar>
      do {
        oracle = try MixtureOracle(process: process, parameters: parameters)
      } catch {
        throw CommandError.failure("\(path): \(error)")
      }
      oracle.pool = session.pool
      field = oracle
      (scale, standardization, run) = (nil, nil, nil)
    } else if FilePlace.exists(text) {
      let folder = RunFolder(text)
      let description = try folder.description()
      if session.arguments.has("--sde") {
        let given = ProcessSpec.text(of: try session.process())
        guard given == description.sde else {
          throw CommandError.usage(
            "--sde is \(given), but the run \(text) was trained with \(description.sde); leave --sde out"
          )
        }
      }
      let model: ScoreModel<Scalar> = try folder.model(pool: session.pool)
      field = model
      run = description
      scale = try DataNote.scale.value(in: description, of: folder)
      standardization = try DataNote.standardization.value(in: description, of: folder)
      if let columns = standardization?.means.count, columns > 1,
        columns != field.sampleShape.count
      {
        throw CommandError.failure(
          "\(folder.descriptionPath): \(columns) columns are standardised, where samples have \(field.sampleShape.count) entries"
        )
      }
    } else {
      throw CommandError.usage(
        "--model is \(text); expected a run folder, gaussian:mean=M,std=S,dim=D or mixture:FILE.json"
      )
    }
  }

  /// The field to sample from, with matrix products as the options ask for.
  /// - Throws: where there are none to round.
  func samplingField(_ arguments: Arguments) throws -> any ScoreField<Scalar> {
    guard try arguments.roundsProducts else { return field }
    guard let model = field as? ScoreModel<Float>,
      let rounded = BFloat16Field(model) as? any ScoreField<Scalar>
    else {
      throw CommandError.usage(
        "--matrix-products is bf16, but an exact model has no matrix products; expected a run folder"
      )
    }
    return rounded
  }

  private static func gaussian(
    _ text: String, _ process: any LinearProcess
  ) throws -> GaussianOracle<Scalar> {
    let spec = try Spec(text, kind: "model")
    try spec.expect(keys: ["mean", "std", "dim"])
    return try GaussianOracle(
      process: process, mean: try spec.number("mean", default: 0),
      deviation: try spec.number("std", default: 1, in: .positive),
      sampleShape: [try spec.integer("dim", default: 1, in: .between(1, 1_048_576))])
  }

  /// At most so many of the samples that the model was trained on, as it saw them; nil where they are not where they were.
  func trainingSamples(atMost most: Int) -> Tensor<Scalar>? {
    guard let run, var data: Dataset<Scalar> = try? DataSource(run.data).load(),
      data.count > 1, run.notes[TrainingJob<Scalar>.fingerprintNote] == data.fingerprint
    else { return nil }
    data.standardization = standardization
    let step = max(1, (data.count + most - 1) / most)
    return data.modelSamples(
      Array(stride(from: 0, to: data.count, by: step)), key: RandomKey(0).folded("end marginal"))
  }

  /// Samples of the model in the data's own units.
  func inDataUnits(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
    guard let scale else { return standardization?.restored(x) ?? x }
    return x.map { Scalar((Double($0) - scale.offset) / scale.factor) }
  }

  /// What a log density in the data's own units has more than in model space, in nats.
  var logVolume: Double {
    let dimensions = field.sampleShape.count
    return scale.map { Double(dimensions) * log(abs($0.factor)) }
      ?? standardization.map { -$0.logVolume(dimensions: dimensions) } ?? 0
  }
}
