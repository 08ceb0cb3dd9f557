import ScoreTensors
import Testing

/// Names that were probably meant.
@Suite struct NearMissTests {
  @Test(arguments: [
    ("", "", 0), ("vp", "", 2), ("model", "model", 0), ("modle", "model", 1), ("modl", "model", 1),
    ("mode", "model", 1), ("mpdel", "model", 1), ("ledom", "model", 4), ("kitten", "sitting", 3),
  ])
  func distancesAreTheFewestChanges(_ a: String, _ b: String, _ expected: Int) {
    #expect(NearMiss.distance(Array(a), Array(b)) == expected)
    #expect(NearMiss.distance(Array(b), Array(a)) == expected)
  }

  @Test func oneNameThatIsClearlyNearestIsMeant() {
    let options = ["--model", "--sde", "--seed", "--steps", "--out"]
    for (typed, meant) in [
      ("--modle", "--model"), ("-model", "--model"), ("--Model", "--model"), ("--sed", nil),
      ("--sd", "--sde"), ("--step", "--steps"), ("--epsilon", nil), ("--", nil), ("", nil),
    ] {
      #expect(NearMiss.name(for: typed, among: options) == meant, "\(typed)")
    }
    #expect(NearMiss.name(for: "v", among: ["vp", "ve"]) == nil)
    #expect(NearMiss.name(for: "VP", among: ["vp", "ve"]) == "vp")
    #expect(NearMiss.name(for: "x", among: ["a"]) == nil)
    #expect(
      NearMiss.name(for: "dpmsolver++", among: ["dpm-solver", "dpm-solver++"]) == "dpm-solver++")
    #expect(NearMiss.hint(for: "warp", among: options) == "")
    #expect(NearMiss.hint(for: "--stpes", among: options) == " (did you mean --steps?)")
  }
}
