import Foundation
import Testing

/// What the tool refuses: the exit status, the sentence, and that nothing is left behind.
@Suite struct RefusalTests {
  /// A use that comes to nothing.
  struct Refusal: CustomTestStringConvertible {
    let words: String
    /// What the sentence must name.
    let names: [String]
    var testDescription: String { words }

    init(_ words: String, _ names: String...) {
      self.words = words
      self.names = names
    }
  }

  /// Good and bad files that the uses below name.
  private static let files: [String: Data] = [
    "points.npy": .npy([-1, 0, 1], shape: [3, 1]), "bytes.npy": Levels.singleFile,
    "huge.npy": .npy([0, 1e200], shape: [2, 1]), "text.npy": .text("hello"),
    "cut.npy": Levels.singleFile.dropLast(), "points.bin": .text(""),
    "ragged.csv": .text("1,2\n3\n"), "nan.csv": .text("1\nnan\n"),
    "half.json": .text(#"{"weights": [1], "means": [[0]]}"#),
    "light.json": .text(#"{"weights": [0.9], "means": [[0]], "covariances": [[[1]]]}"#),
    "seen.npy": .npy([1, .nan], shape: [2]), "none-seen.npy": .npy([.nan, .nan], shape: [2]),
    "many-seen.npy": .npy([Double](repeating: 0, count: 33), shape: [33]),
    "endless.npy": .npy([1, .infinity], shape: [2]),
    "run/run.json": .text("{}"), "folder.npy/file": .text(""),
  ]

  private static let usage: [Refusal] = [
    Refusal("fly", "fly", "sample"),
    Refusal("samle --model gaussian", "samle", "did you mean sample?"),
    Refusal("sample --modle gaussian --out a.npy", "--modle", "(did you mean --model?)", "--out"),
    Refusal("sample -model gaussian --out a.npy", "(did you mean --model?)"),
    Refusal("sample --model gaussian --out a.npy --solver ddmi", "(did you mean ddim?)"),
    Refusal("train --data bytes.npy --out new --network mpl", "(did you mean mlp?)"),
    Refusal("sample --model gaussian --out a.npy --sde vp:bata-min=1", "(did you mean beta-min?)"),
    Refusal("bench gem", "gem", "(did you mean gemm?)"),
    Refusal("train --data moonz --out new", "moonz", "(did you mean moons?)"),
    Refusal("likelihood --model gaussian --data digit:count=5", "(did you mean digits?)"),
    Refusal("sample --model gaussian --from pin-wheel --out a.npy", "(did you mean pinwheel?)"),
    Refusal("inspect moons:nosie=0.2", "nosie", "(did you mean noise?)"),
    Refusal("sample --out a.npy --model", "--model", "MODEL"),
    Refusal("sample --out a.npy --model=", "--model", "MODEL"),
    Refusal("sample --out a.npy", "--model"),
    Refusal("sample --model gaussian", "--out"),
    Refusal(
      "train --data points.npy --out r --standardize rows", "--standardize", "rows", "columns"),
    Refusal("train --data bytes.npy --out r --standardize whole", "bytes.npy", "quantised"),
    Refusal("sample --model gaussian --out a.npy again", "again", "options only"),
    Refusal("sample --model gaussian --model gaussian --out a.npy", "--model", "twice"),
    Refusal("sample --model gaussian --out a.npy --json=1", "--json", "no value"),
    Refusal("sample --model gaussian --out a.npy --count 0", "--count", "0", "from 1"),
    Refusal("sample --model gaussian --out a.npy --count many", "--count", "many", "whole number"),
    Refusal("sample --model gaussian --out a.npy --steps 1e3", "--steps", "1e3", "whole number"),
    Refusal("sample --model gaussian --out a.npy --seed -1", "--seed", "-1", "from 0"),
    Refusal("sample --model gaussian --out a.npy --threads 0", "--threads", "0", "from 1"),
    Refusal("sample --model gaussian --out a.npy --scalar half", "--scalar", "half", "float64"),
    Refusal("sample --model gaussian --out a.npy --epsilon 0", "--epsilon", "0", "above 0"),
    Refusal("sample --model gaussian --out a.npy --epsilon 2", "epsilon", "2", "1"),
    Refusal(
      "sample --model gaussian --sde vp:beta-max=1e19 --solver fitted --steps 5 --out a.npy",
      "log(sigma/alpha)", "2000"),
    Refusal(
      "sample --model gaussian --sde vp:beta-max=1e19 --solver ddim:grid=optimized --steps 5 --out a.npy",
      "log(sigma/alpha)", "2000"),
    Refusal("sample --model gaussian --out a.npy --solver warp", "--solver", "warp", "ddim"),
    Refusal("sample --model gaussian --out a.npy --solver ddim:warp=1", "--solver", "warp", "eta"),
    Refusal("sample --model gaussian --out a.npy --solver ddim --rtol 1", "--solver", "rtol"),
    Refusal("sample --model gaussian --out a.npy --sde warp", "--sde", "warp", "subvp"),
    Refusal("sample --model gaussian --out a.npy --sde vp:warp=1", "--sde", "warp", "beta-min"),
    Refusal("sample --model gaussian --out a.npy --sde vp:beta-max", "beta-max=VALUE"),
    Refusal("sample --model gaussian:std=0 --out a.npy", "--model", "std=0", "above 0"),
    Refusal("sample --model nowhere --out a.npy", "--model", "nowhere", "run folder"),
    Refusal("sample --model gaussian --out a.txt", "--out", "a.txt", ".npy"),
    Refusal("sample --model gaussian --out a.png", "--out", "a.png", "[1]", "[height, width"),
    Refusal("sample --model gaussian --out a.svg", "--out", "a.svg", "[1]", "plane"),
    Refusal("sample --model gaussian --out a.npy --trajectory a.npy", "--trajectory", "a.npy"),
    Refusal("sample --model gaussian --out a.npy --matrix-products bf16", "--matrix-products"),
    Refusal(
      "sample --model gaussian:dim=1000000 --count 2000000000 --out a.npy", "samples", "memory"),
    Refusal(
      "sample --model gaussian:dim=64 --from digits --count 2000000000 --out a.npy", "samples",
      "memory"),
    Refusal(
      "sample --model gaussian --out a.npy --observe-noise 1", "--observe-noise", "--observe"),
    Refusal(
      "sample --model gaussian --out a.npy --observe-as entries", "--observe-as", "--observe"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --observe-as pixels",
      "--observe-as", "pixels", "block-means"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --observe-as entries:size=2",
      "--observe-as", "size", "iterations"),
    Refusal(
      "sample --model gaussian:dim=3 --out a.npy --observe seen.npy --observe-as block-means",
      "--observe-as", "divides 3", "length"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --observe-as entries:iterations=0",
      "--observe-as", "iterations=0"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --observe-noise -1",
      "--observe-noise", "-1", "at least 0"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --observe-noise 1e30",
      "--observe-noise is 1e+30", "square"),
    Refusal(
      "sample --model gaussian --sde ddpm --solver ancestral:grid=reference --steps 2000 --out a.npy",
      "takes 2000 steps of the chain ddpm, which has 1000"),
    Refusal(
      "sample --model gaussian --sde ddpm --solver ancestral:grid=reference --epsilon 0.01 --out a.npy",
      "end at epsilon 0.01", "the first step of the chain ddpm is at t = 0.001"),
    Refusal(
      "sample --model gaussian --sde subvp --solver pc:grid=reference --steps 2 --out a.npy",
      "2 steps, which are too long for subvp", "expected more steps"),
    Refusal(
      "sample --model gaussian --solver pc:grid=reference --steps 9 --out a.npy",
      "9 steps, which are too long for vp", "expected more steps"),
    Refusal(
      "sample --model gaussian:dim=2 --out seen.npy --observe seen.npy", "--out", "--observe"),
    Refusal("sample --model gaussian --out a.npy --particles 9", "--particles", "--observe"),
    Refusal("sample --model gaussian --out a.npy --sets 2", "--sets", "--particles"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --particles 1",
      "--particles is 1", "from 2"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --particles 9 --solver ode",
      "--solver", "--particles", "steps of their own"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --particles 9 --observe-as entries:iterations=8",
      "--observe-as", "iterations", "--particles"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe seen.npy --particles 9 --count 10",
      "--count is 10", "4 sets of 9", "multiple of 4, up to 36"),
    Refusal(
      "sample --model gaussian:dim=1 --out a.npy --observe bytes.npy --particles 9",
      "--particles", "one observation"),
    Refusal(
      "sample --model gaussian:dim=33 --out a.npy --observe many-seen.npy --particles 90",
      "--particles", "33 numbers", "at most 32"),
    Refusal("likelihood --model gaussian --out a.npy", "--data"),
    Refusal("likelihood --model gaussian --data warp --out a.npy", "--data", "warp", "moons"),
    Refusal("likelihood --model gaussian --data moons:warp=1 --out a.npy", "--data", "warp"),
    Refusal("likelihood --model gaussian --data points.npy --rtol 0", "--rtol", "0", "above 0"),
    Refusal("likelihood --model gaussian --data points.npy --divergence no", "--divergence", "no"),
    Refusal(
      "likelihood --model gaussian --data points.npy --divergence exact --probes 2", "--probes",
      "hutchinson"),
    Refusal("likelihood --model gaussian --data points.npy --out points.npy", "--out", "--data"),
    Refusal("likelihood --model gaussian --data points.npy --out a.csv", "--out", "a.csv", ".npy"),
    Refusal("likelihood --model gaussian --data points.npy --epsilon 2 --out a.npy", "epsilon"),
    Refusal(
      "likelihood --model gaussian --count 1 --data points.npy --against points.npy", "--against"),
    Refusal("train --data bytes.npy", "--out"),
    Refusal("train --out new", "--data"),
    Refusal("train --data warp --out new", "--data", "warp"),
    Refusal("train --data bytes.npy --out new --steps 0", "--steps", "0", "from 1"),
    Refusal("train --data bytes.npy --out new --sde warp", "--sde", "warp"),
    Refusal("train --data bytes.npy --out new --network warp", "--network", "warp", "mlp"),
    Refusal("train --data bytes.npy --out new --network unet", "--network", "unet", "[1]"),
    Refusal("train --data bytes.npy --out new --parametrization no", "--parametrization", "no"),
    Refusal("train --data bytes.npy --out new --loss warp", "--loss", "warp", "denoising"),
    Refusal("train --data bytes.npy --out new --loss slice", "slice (did you mean sliced?)"),
    Refusal("train --data bytes.npy --out new --average-decay 2", "--average-decay", "2"),
    Refusal("train --data bytes.npy --out new --batch-size 2000000", "--batch-size", "1048576"),
    Refusal(
      "train --data bytes.npy --out new --noise-level 1 --times uniform", "--times", "--noise-level"
    ),
    Refusal(
      "train --data bytes.npy --out new --noise-level 1 --independent-times", "--independent-times"),
    Refusal("train --data bytes.npy --out run", "--out", "run", "--resume"),
    Refusal("study --model gaussian", "--out"),
    Refusal("study --model gaussian --out new --nfe 0", "--nfe", "0", "from 1"),
    Refusal("study --model gaussian --out new --nfe 5,5", "--nfe", "5,5"),
    Refusal("study --model gaussian --out new --solvers warp", "--solvers", "warp"),
    Refusal("study --model gaussian --out new --grids warp", "--grids", "warp", "karras"),
    Refusal("study --model gaussian --out new --count 2", "--count", "2", "from 3"),
    Refusal("study --model gaussian --out deep/new --epsilon 2 --count 5", "epsilon", "2"),
    Refusal("study --model gaussian --out run", "--out", "run"),
    Refusal("demo --out new --scalar float64", "--scalar", "float32"),
    Refusal("demo --out new --steps 0", "--steps", "0", "from 1"),
    Refusal("demo --out new --sde warp", "--sde", "warp"),
    Refusal("demo --out run", "--out", "run"),
    Refusal("inspect", "run folder"),
    Refusal("inspect warp", "warp", "moons"),
    Refusal("inspect points.npy bytes.npy", "bytes.npy", "one name"),
    Refusal("bench warp", "warp", "gemm"),
    Refusal("bench gemm --repeats 0", "--repeats", "0", "from 1"),
    Refusal("verify --scalar float32", "--scalar", "verify"),
    Refusal("verify all", "all", "options only"),
  ]

  private static let failures: [Refusal] = [
    Refusal("sample --model gaussian --out none/a.npy", "--out", "none"),
    Refusal("sample --model gaussian --out folder.npy", "--out", "folder.npy", "file"),
    Refusal("sample --model folder.npy --out a.npy", "folder.npy", "run.json"),
    Refusal("sample --model run --out a.npy", "run/run.json"),
    Refusal("sample --model mixture:none.json --out a.npy", "none.json"),
    Refusal("sample --model mixture:half.json --out a.npy", "half.json", "covariances"),
    Refusal("sample --model mixture:light.json --out a.npy", "light.json", "0.9", "1"),
    Refusal(
      "sample --model gaussian --solver ode:max-evaluations=9 --out a.npy", "sample 0", "budget"),
    Refusal("sample --model gaussian --out a.npy --observe none.npy", "none.npy"),
    Refusal(
      "sample --model gaussian --out a.npy --observe seen.npy", "seen.npy, observation 1", "nan"),
    Refusal(
      "sample --model gaussian:dim=3 --out a.npy --observe seen.npy", "seen.npy", "[2]", "[3]",
      "[n]"),
    Refusal(
      "sample --model gaussian:dim=3 --out a.npy --observe ragged.csv", "ragged.csv", "line 2"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe none-seen.npy", "none-seen.npy", "nan"),
    Refusal(
      "sample --model gaussian:dim=2 --out a.npy --observe endless.npy", "endless.npy", "entry 1"),
    Refusal("likelihood --model gaussian --data none.npy --out a.npy", "none.npy"),
    Refusal("likelihood --model gaussian --data text.npy --out a.npy", "text.npy", "NUMPY"),
    Refusal("likelihood --model gaussian --data cut.npy --out a.npy", "cut.npy", "64", "63"),
    Refusal("likelihood --model gaussian --data points.bin --out a.npy", "points.bin"),
    Refusal("likelihood --model gaussian --data ragged.csv --out a.npy", "ragged.csv", "line 2"),
    Refusal("likelihood --model gaussian --data nan.csv --out a.npy", "nan.csv", "line 2"),
    Refusal("likelihood --model gaussian --data moons --out a.npy", "moons", "[2]", "[1]"),
    Refusal(
      "likelihood --model gaussian --scalar float64 --data huge.npy --out a.npy", "sample 1"),
    Refusal("train --data none.npy --out new", "none.npy"),
    Refusal("train --data cut.npy --out new", "cut.npy", "64", "63"),
    Refusal("train --data bytes.npy --out points.npy", "points.npy", "file"),
    Refusal(
      "train --data bytes.npy --out deep/new --network mlp:width=16,layers=1 --learning-rate 1e30 --warm-up 0",
      "diverged", "learning rate"),
    // The last step is the one that leaves what is no number.
    Refusal(
      "train --data bytes.npy --out new --network mlp:width=16,layers=1 --learning-rate 1e39 --schedule constant --warm-up 0 --steps 1",
      "diverged", "learning rate"),
    Refusal("train --resume --out new", "new", "run.json"),
    Refusal("train --resume --out run", "run/run.json"),
    Refusal("study --model gaussian --out points.npy --count 5", "points.npy", "file"),
    Refusal("study --model gaussian --out deep/new --solvers heun --nfe 1 --count 5", "--nfe"),
    Refusal("study --model gaussian --out n --solvers heun --nfe 1 --count 5", "--nfe"),
    Refusal("demo --steps 1 --out points.npy", "points.npy", "file"),
    Refusal("inspect none.npy", "none.npy"),
    Refusal("inspect none.safetensors", "none.safetensors"),
    Refusal("inspect text.npy", "text.npy", "NUMPY"),
  ]

  /// Holds that the tool refuses a use by one sentence, and leaves the folder as it was.
  private func check(_ refusal: Refusal, status: Int32) throws {
    let bench = try Workbench(Self.files)
    let before = try bench.contents()
    let outcome = try bench.scoresde(refusal.words + " --quiet")
    #expect(outcome.status == status)
    #expect(outcome.output.isEmpty)
    let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 2 && lines.last == "", "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("scoresde: "))
    for name in refusal.names {
      #expect(outcome.errors.contains(name), "\(outcome.errors)")
    }
    let after = try bench.contents()
    #expect(Set(after.keys).symmetricDifference(before.keys).isEmpty)
    #expect(after == before)
  }

  @Test(arguments: usage) func wrongUsageIsStatus2(_ refusal: Refusal) throws {
    try check(refusal, status: 2)
  }

  @Test(arguments: failures) func dataFilesAndNumbersThatFailAreStatus1(_ refusal: Refusal) throws {
    try check(refusal, status: 1)
  }

  /// A file that is there and cannot be read has the system's reason: for root as well, one that no one can read from its start.
  @Test func filesThatCannotBeReadHaveAReason() throws {
    let bench = try Workbench(["closed.npy": .npy([1], shape: [1, 1])])
    var files: [(String, String)] = []
    #if os(Linux)
      try FileManager.default.createSymbolicLink(
        atPath: bench.path("memory.npy"), withDestinationPath: "/proc/self/mem")
      files.append(("memory.npy", "Input/output error"))
    #endif
    if geteuid() != 0 {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0], ofItemAtPath: bench.path("closed.npy"))
      files.append(("closed.npy", "Permission denied"))
    }
    for (file, reason) in files {
      let outcome = try bench.scoresde("likelihood --model gaussian --data \(file) --quiet")
      #expect(
        outcome.errors == "scoresde: \(file): the file cannot be read: \(reason)\n",
        "\(outcome.errors)")
    }
  }

  @Test func theVersionIsPrinted() throws {
    let outcome = try Workbench().scoresde("--version")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.wholeMatch(of: /scoresde [0-9]+\.[0-9]+\.[0-9]+\n/) != nil)
    #expect(try Workbench().scoresde("--help").output.contains("scoresde --version"))
  }

  /// The page of the commands names each option of each.
  @Test(arguments: [
    "demo", "train", "distill", "import", "sample", "likelihood", "calibrate", "compare", "study",
    "verify", "bench", "inspect",
  ]) func thePageHasAllOptions(of command: String) throws {
    let page = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../Sources/Tools/README.md"), encoding: .utf8)
    let options = try Workbench().scoresde("\(command) --help").output
      .matches(of: /\n  (--[a-z-]+)/).map(\.1)
    #expect(options.contains("--json"))
    for option in options where option != "--help" {
      #expect(try page.contains(Regex("\(option)(?![a-z-])")), "\(option)")
    }
  }

  @Test func withoutACommandTheCommandsAreListed() throws {
    let bench = try Workbench()
    let outcome = try bench.scoresde("")
    #expect(outcome.status == 2 && outcome.output.isEmpty)
    let help = try bench.scoresde("--help")
    #expect(help.status == 0 && help.errors.isEmpty && help.output == outcome.errors)
    for command in [
      "demo", "train", "sample", "likelihood", "compare", "verify", "study", "bench", "inspect",
    ] {
      #expect(help.output.contains("\n  \(command) "))
      let own = try bench.scoresde("\(command) --help")
      #expect(own.status == 0 && own.output.hasPrefix("scoresde \(command): "))
      #expect(own.output.contains("\n  --json "))
    }
  }
}
