import ScoreModels
import ScoreNetworks
import ScoreProcesses
import ScoreTensors

extension ScoreModel {
  /// A model whose every trained parameter is drawn anew, so that no layer starts at 0.
  convenience init(
    drawn configuration: ModelConfiguration, process: any LinearProcess, threads: Int = 1
  ) throws {
    let parameters = configuration.parameters.map {
      $0.isTrained ? Parameter($0.name, $0.shape, .normal(deviation: 0.3)) : $0
    }
    try self.init(
      configuration, process: process,
      parameters: Parameters(drawing: parameters, key: RandomKey(5)),
      pool: ThreadPool(threads: threads))
  }
}
