import ScoreProcesses
import ScoreTensors
import ScoreTraining
import Testing

/// A model of DDPM's chain is trained on its integer steps.
@Suite struct ChainTrainingTests {
  @Test func timesAreThoseOfTheSteps() throws {
    let chain = try DDPMChain.linear(steps: 50, from: 1e-3, to: 0.3)
    let loss = try ScoreMatchingLoss(process: chain, weighting: .noise, times: .uniform)
    // Each step for the same share of draws, in strata.
    let found = (0..<500).map { chain.step(nearest: loss.time(at: (Double($0) + 0.5) / 500)) }
    for step in 0..<50 { #expect(found.filter { $0 == step }.count == 10) }
    for u in [0, 0.37, 0.999, 1] {
      let t = loss.time(at: u)
      #expect(t == chain.time(ofStep: chain.step(nearest: t)) && loss.weight(at: t) == 1)
    }
    let plain = try ScoreMatchingLoss(
      process: try VariancePreserving(), weighting: .noise, times: .uniform)
    #expect(plain.time(at: 0) == 1e-5 && plain.time(at: 1) == 1)
  }
}
