import ScoreProcesses
import Testing

/// Processes as text, both ways.
@Suite struct ProcessSpecTests {
  @Test(arguments: [
    ("vp", "vp:beta-min=0.1,beta-max=20"),
    ("vp:beta-max=10,beta-min=0.5", "vp:beta-min=0.5,beta-max=10"),
    ("subvp:beta-max=30.5", "subvp:beta-min=0.1,beta-max=30.5"),
    ("ve:sigma-max=1e3", "ve:sigma-min=0.01,sigma-max=1000"),
  ])
  func writesTheCanonicalText(_ text: String, _ canonical: String) throws {
    let process = try ProcessSpec.process(text)
    #expect(ProcessSpec.text(of: process) == canonical)
    let again = try ProcessSpec.process(canonical)
    #expect(again.name == process.name && again.marginal(at: 0.3) == process.marginal(at: 0.3))
  }

  @Test(arguments: [
    ("vpp", "there is no SDE \"vpp\"; known are vp, subvp, ve"),
    ("vp:beta=1", "the SDE vp has no parameter \"beta\"; known are beta-min, beta-max"),
    ("vp:beta-max=x", "the SDE vp has beta-max=x; expected a number that is finite"),
    (
      "subvp:beta-min=3,beta-max=2",
      "the sub-VP process has beta-min 3.0 and beta-max 2.0; expected 0 <= beta-min <= beta-max, finite, and beta-max > 0"
    ),
    (
      "ve:sigma-min=50",
      "the VE process has sigma-min 50.0 and sigma-max 50.0; expected 0 < sigma-min < sigma-max, finite"
    ),
  ])
  func saysWhatIsWrong(_ text: String, _ sentence: String) {
    do {
      _ = try ProcessSpec.process(text)
      Issue.record("\(text) was read")
    } catch { #expect("\(error)" == sentence) }
  }
}
