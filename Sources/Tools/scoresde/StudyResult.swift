import ScoreSDE

extension Study {
  /// One solver on one grid at one cost.
  struct Point: Decodable {
    /// The NFE that was asked for; nil for an adaptive solver, whose tolerance sets its own.
    var budget: Int?
    /// The relative and absolute tolerance of an adaptive solver.
    var tolerance: Double?
    /// The NFE that it took, the mean over samples.
    var evaluations: Double
    /// The root mean square difference from the fine solve; nil for solvers with noise.
    var error: Estimate?
    /// The energy distance to the reference set.
    var distance: Estimate

    private enum CodingKeys: String, CodingKey {
      case budget, tolerance, error, distance
      case evaluations = "nfe"
    }
  }

  /// The points of one solver on one grid under one process, by NFE.
  struct Curve: Decodable {
    /// The process, as text.
    var sde: String
    var solver: String
    /// The grid: `adaptive` for a solver that chooses its steps by tolerance, `own` for one that takes none of the named grids.
    var grid: String
    var points: [Point] = []

    func isOf(_ job: Job) -> Bool {
      sde == job.sde && solver == job.solver && grid == job.grid
    }
  }

  /// What a study asked for and could not have, and why.
  struct Omission: Decodable {
    var sde: String
    var solver: String
    var grid: String
    var budget: Int?
    var tolerance: Double?
    var reason: String
  }

  /// What is known of a process beside its curves.
  struct Process: Decodable {
    var sde: String
    /// The distance of as many exact or finely solved samples to the reference set: what no solver can beat but by luck.
    var floor: Estimate
  }

  /// What a study found, or a study that is on its way has found so far.
  struct Result: Decodable {
    var curves: [Curve] = []
    var omissions: [Omission] = []
    /// How many runs are still to be measured.
    var remaining = 0
    /// What the distances are to.
    var reference: String
    var processes: [Process]

    private enum CodingKeys: String, CodingKey {
      case curves, remaining, reference, processes
      case omissions = "leftOut"
    }

    init(reference: String, processes: [Process]) {
      (self.reference, self.processes) = (reference, processes)
    }

    /// Adds a point to the curve of a job.
    mutating func add(_ point: Point, of job: Job) {
      let place = curves.firstIndex { $0.isOf(job) }
      if place == nil {
        curves.append(Curve(sde: job.sde, solver: job.solver, grid: job.grid))
      }
      let last = place ?? curves.count - 1
      curves[last].points.append(point)
      curves[last].points.sort { $0.evaluations < $1.evaluations }
    }

    /// Adds what an earlier study knew of a run, a point or why there is none.
    /// - Returns: whether it knew anything.
    mutating func add(_ run: Run, of job: Job, from earlier: Result) -> Bool {
      let point = earlier.curves.first { $0.isOf(job) }?
        .points.first { $0.budget == run.budget && $0.tolerance == run.tolerance }
      if let point {
        add(point, of: job)
        return true
      }
      let omission = earlier.omissions.first {
        $0.sde == job.sde && $0.solver == job.solver && $0.grid == job.grid
          && $0.budget == run.budget && $0.tolerance == run.tolerance
      }
      if let omission { omissions.append(omission) }
      return omission != nil
    }
  }
}
