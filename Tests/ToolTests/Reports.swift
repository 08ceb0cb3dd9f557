/// The keys that scripts lean on. A key that is renamed or missing is an error of decoding.
enum Reports {
  struct Mean: Decodable {
    var mean: Double
    var standardError: Double
  }

  struct Value: Decodable, Equatable {
    var value: Double
    var standardError: Double
  }

  struct Sample: Decodable {
    var count: Int
    var shape: [Int]
    var solver: String
    var nfe: Double
    var seconds: Double
    var out: String
    var trajectory: String?
    var times: [Double]?
    var particles: Particles?

    struct Particles: Decodable {
      var particles, sets, resamplings, ancestors, lost: Int
      var leastEffectiveSize: Double
      var logEvidence: Evidence
    }

    struct Evidence: Decodable {
      var value: Double
      var standardError: Double?
    }
  }

  struct Likelihood: Decodable {
    var count: Int
    var dimensions: Int
    var divergence: String
    var nfe: Double
    var seconds: Double
    var epsilon: Double
    var logDensity: Mean
    var bitsPerDimension: Mean?
    var correctedLogDensity: Mean
    var correctedBitsPerDimension: Mean?
    var variationalBound: Mean?
    var variationalBoundBitsPerDimension: Mean?
    var errorBudget: Budget
    var against: Against?

    struct Budget: Decodable {
      var solver, truncation, priorMismatch: Double
      var estimation, probes, widenedProbes, total, correctedTotal: Double?
    }

    struct Against: Decodable {
      var data: String
      var count: Int
      var logDensity: Mean
      var areaUnderROC: Value
      var out: String?
    }
  }

  struct Train: Decodable {
    var steps: Int
    var loss: Double
    var parameters: Int
    var seconds: Double
    var validation: Validation?
    var out: String
  }

  struct Validation: Decodable, Equatable {
    var data: String
    var step, leastStep: Int
    var loss, trainingLoss, gap, rise: Value
    var learntByHeart: Bool
  }

  struct Bench: Decodable {
    var workloads: [Workload]

    struct Workload: Decodable {
      var workload: String
      var median, least, greatest: Double
      var threads: Int
      var kernels: String

      enum CodingKeys: String, CodingKey {
        case workload, threads, kernels
        case median = "median_ms"
        case least = "min_ms"
        case greatest = "max_ms"
      }
    }
  }

  struct Demo: Decodable {
    var bitsPerDimension: Mean
    var baselineBitsPerDimension: Mean
    var solvers: [Solver]
    var out: String

    struct Solver: Decodable {
      var solver: String
      var nfe, seconds, distance: Double
    }
  }

  struct Verify: Decodable {
    var checks: Int
    var failed: Int
    var failures: [Failure]

    struct Failure: Decodable {
      var process, subject, quantity: String
    }
  }

  struct Study: Decodable {
    var model, reference, out: String
    var count, remaining: Int
    var epsilon: Double?
    var processes: [Process]
    var curves: [Curve]
    var leftOut: [Omission]

    struct Process: Decodable, Equatable {
      var sde: String
      var epsilon: Double
      var floor: Value
    }

    struct Omission: Decodable {
      var sde, solver, grid, reason: String
      var budget: Int?
      var tolerance: Double?
    }

    struct Curve: Decodable, Equatable {
      var sde, solver, grid: String
      var points: [Point]
    }

    struct Point: Decodable, Equatable {
      var budget: Int?
      var tolerance: Double?
      var nfe: Double
      var error: Value?
      var distance: Value
    }
  }

  struct Run: Decodable {
    var sde, network, data, scalar, parametrization, standardization, loss: String
    var sampleShape: [Int]
    var stepsAskedFor, stepsDone, batchSize: Int
    var parameters: Int?
    var lastLoss: Double?
    var columns: [String]?
    var validationData: String?
    var validation: Validation?
  }

  struct Numbers: Decodable {
    var samples: Int
    var sampleShape: [Int]
    var mean, standardDeviation, least, greatest: Double
    var levels, classes: Int?
    var suggestedSigmaMax: Suggestion
    var columns: [Column]?

    struct Column: Decodable {
      var name: String?
      var mean, standardDeviation, least, greatest: Double
    }

    struct Suggestion: Decodable {
      var value: Double
      var reason: String
    }
  }

  struct Tensors: Decodable {
    var tensors, entries: Int
    var metadata: [String: String]
    var list: [Entry]

    struct Entry: Decodable {
      var name: String
      var shape: [Int]
      var mean, least, greatest: Double
    }
  }
}
