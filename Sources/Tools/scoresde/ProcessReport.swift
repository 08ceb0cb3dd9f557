import Foundation
import ScoreSDE

/// What a process does to data: its kernel and rates over time, as a table, JSON and a figure.
struct ProcessReport {
  let process: any LinearProcess

  /// Whether most of log(α/σ) passes in the first twentieth of the time, as where σ = t: times are spread by ratios then.
  private var isEarly: Bool {
    let (first, end) = (process.cutoffs.sampling, process.endTime)
    let levels = [first, first + (end - first) / 20, end].map {
      process.marginal(at: $0).halfLogSNR
    }
    return abs(levels[1] - levels[0]) > 0.5 * abs(levels[2] - levels[0])
  }

  /// Times from where sampling stops to T, so many more than one.
  private func times(_ count: Int) -> [Double] {
    let (first, end) = (process.cutoffs.sampling, process.endTime)
    return (0...count).map {
      let part = Double($0) / Double(count)
      if $0 == count { return end }
      return isEarly ? first * pow(end / first, part) : first + (end - first) * part
    }
  }

  /// The times of the table: where sampling stops, and ten even ones to T, or as many by ratios.
  private var times: [Double] {
    isEarly
      ? times(10)
      : [process.cutoffs.sampling] + (1...10).map { process.endTime * Double($0) / 10 }
  }

  /// What is off, in nats a number, where data of mean 0 and deviation 1 are at T and the prior stands for them: the
  /// divergence of N(0, α² + σ²) from N(0, s²).
  var priorMismatch: Double {
    let end = process.marginal(at: process.endTime)
    let excess =
      (end.alpha * end.alpha + end.sigma * end.sigma)
      / (process.priorDeviation * process.priorDeviation) - 1
    return 0.5 * (excess - log1p(excess))
  }

  var facts: [Fact] {
    let cutoffs = process.cutoffs
    return [
      Fact("sde", ProcessSpec.text(of: process)), Fact("end time", process.endTime),
      Fact("sampling epsilon", cutoffs.sampling), Fact("training epsilon", cutoffs.training),
      Fact("likelihood epsilon", cutoffs.likelihood),
      Fact("prior deviation", process.priorDeviation), Fact("prior mismatch", priorMismatch),
    ]
  }

  var notes: [String] {
    [
      "The prior mismatch is that of data of mean 0 and deviation 1, in nats a number; they are \(NumberText.significant(exp(process.marginal(at: process.endTime).halfLogSNR), digits: 3)) times as large as the noise at T, and \(NumberText.significant(exp(process.marginal(at: process.cutoffs.sampling).halfLogSNR), digits: 3)) times where sampling stops."
    ]
  }

  var table: Table {
    Table(
      columns: ["t", "alpha", "sigma", "log(alpha/sigma)", "f", "g^2"],
      rows: times.map { t in numbers(at: t).map { NumberText.significant($0.value, digits: 4) } })
  }

  var json: JSON {
    .array(times.map { t in .object(numbers(at: t).map { ($0.key, .number($0.value)) }) })
  }

  private func numbers(at t: Double) -> [(key: String, value: Double)] {
    let (kernel, rates) = (process.marginal(at: t), process.rates(at: t))
    return [
      ("t", t), ("alpha", kernel.alpha), ("sigma", kernel.sigma),
      ("halfLogSNR", kernel.halfLogSNR), ("drift", rates.drift),
      ("squaredDiffusion", rates.squaredDiffusion),
    ]
  }

  /// α and σ, log(α/σ), and g², against t.
  var figure: Panels {
    let times = times(200)
    let kernels = times.map { process.marginal(at: $0) }
    let squared = times.map { process.rates(at: $0).squaredDiffusion }
    let positive = squared.filter { $0 > 0 }
    func isWide(_ values: [Double]) -> Bool {
      (values.max() ?? 1) > 200 * max(values.min() ?? 1, 1e-300) && (values.max() ?? 0) > 10
    }
    func plot(_ title: String, _ isLog: Bool, _ marks: [Mark]) -> Plot {
      Plot(
        title, x: Axis("t", scale: isEarly ? .log : .linear),
        y: Axis(scale: isLog ? .log : .linear), width: 360, height: 280, marks)
    }
    let sigmas = kernels.map(\.sigma)
    return Panels(
      [
        plot(
          "Kernel", isWide(sigmas),
          [
            .line(x: times, y: kernels.map(\.alpha), label: "α", color: .series[0]),
            .line(x: times, y: sigmas, label: "σ", color: .series[1]),
          ]),
        plot(
          "log(α/σ)", false,
          [.line(x: times, y: kernels.map(\.halfLogSNR), color: .series[0])]),
        plot(
          "g²", positive.count == squared.count && isWide(positive),
          [.line(x: times, y: squared, color: .series[0])]),
      ], summary: "The kernel and the rates of \(ProcessSpec.text(of: process))")
  }
}
