// swift-tools-version: 6.1
import PackageDescription

/// One target a room; the arrows are the table in README.md, and a test holds them to it.
func room(_ tower: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(tower)/\(name)")
}

/// A command.
func tool(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, path: "Sources/Tools/\(name)")
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
    path: "Tests/\(name)Tests")
}

/// The rooms of Swift, which the umbrella exports. What imports the umbrella names them beside it, for a build looks
/// at the modules of direct dependencies alone when it decides what to compile again.
let rooms: [Target.Dependency] = [
  "ScoreTensors", "ScoreAutodiff", "ScoreNetworks", "ScoreProcesses", "ScoreSampling",
  "ScoreLikelihood", "ScoreGuidance", "ScoreModels", "ScoreTraining", "ScoreData", "ScoreMetrics",
  "ScoreFigures",
]

let package = Package(
  name: "ScoreSDE",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "ScoreSDE", targets: ["ScoreSDE"]),
    .executable(name: "scoresde", targets: ["scoresde"]),
    .executable(name: "notebook", targets: ["notebook"]),
  ],
  targets: [
    // Engine: numbers and formulas.
    .target(
      name: "CScoreKernels", path: "Sources/Engine/CScoreKernels",
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    room("Engine", "ScoreTensors", ["CScoreKernels"]),
    room("Engine", "ScoreAutodiff", ["ScoreTensors", "CScoreKernels"]),
    room("Engine", "ScoreNetworks", ["ScoreAutodiff", "ScoreTensors"]),

    // Theory: diffusion on plain tensors.
    room("Theory", "ScoreProcesses", ["ScoreTensors"]),
    room("Theory", "ScoreSampling", ["ScoreProcesses", "ScoreTensors"]),
    room("Theory", "ScoreLikelihood", ["ScoreSampling", "ScoreProcesses", "ScoreTensors"]),
    room("Theory", "ScoreGuidance", ["ScoreSampling", "ScoreProcesses", "ScoreTensors"]),

    // Practice: where the towers meet.
    room(
      "Practice", "ScoreModels",
      ["ScoreNetworks", "ScoreAutodiff", "ScoreProcesses", "ScoreTensors"]),
    room(
      "Practice", "ScoreTraining",
      ["ScoreModels", "ScoreNetworks", "ScoreAutodiff", "ScoreProcesses", "ScoreTensors"]),
    room("Practice", "ScoreData", ["ScoreTensors"]),
    room("Practice", "ScoreMetrics", ["ScoreTensors"]),
    room("Practice", "ScoreFigures"),
    room("Practice", "ScoreSDE", rooms),

    // Tools.
    tool("scoresde", ["ScoreSDE"] + rooms),
    tool("notebook", ["NotebookCore"]),
    room("Tools", "NotebookCore"),

    // Tests, one target a room.
    .testTarget(
      name: "NotebookTests", dependencies: ["NotebookCore"], path: "Tests/NotebookTests"),
    .testTarget(
      name: "ToolTests", dependencies: ["scoresde", "ScoreSDE"] + rooms, path: "Tests/ToolTests"),
    tests("CScoreKernels"),
    tests("ScoreProcesses", ["ScoreTensors"]),
    tests("ScoreTensors"),
    tests("ScoreAutodiff", ["ScoreTensors"]),
    tests("ScoreData", ["ScoreTensors", "ScoreFigures"]),
    tests("ScoreFigures", ["ScoreData"]),
    tests("ScoreMetrics", ["ScoreTensors"]),
    tests("ScoreNetworks", ["ScoreAutodiff", "ScoreTensors"]),
    tests(
      "ScoreModels", ["ScoreNetworks", "ScoreAutodiff", "ScoreProcesses", "ScoreTensors"]),
    tests(
      "ScoreTraining",
      [
        "ScoreAutodiff", "ScoreModels", "ScoreNetworks", "ScoreSampling", "ScoreProcesses",
        "ScoreTensors",
      ]),
    tests("ScoreSampling", ["ScoreProcesses", "ScoreTensors"]),
    tests("ScoreLikelihood", ["ScoreSampling", "ScoreProcesses", "ScoreTensors"]),
    tests(
      "ScoreGuidance", ["ScoreLikelihood", "ScoreSampling", "ScoreProcesses", "ScoreTensors"]),
    .testTarget(
      name: "FifteenMistakesTests",
      dependencies: [
        "ScoreGuidance", "ScoreLikelihood", "ScoreSampling", "ScoreProcesses", "ScoreData",
        "ScoreTensors",
      ],
      path: "Tests/FifteenMistakesTests"),
    .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
    .testTarget(
      name: "AllocationTests",
      dependencies: [
        "AllocationCounter", "ScoreTraining", "ScoreSampling", "ScoreModels", "ScoreNetworks",
        "ScoreProcesses", "ScoreAutodiff", "ScoreTensors",
      ],
      path: "Tests/AllocationTests"),
    .testTarget(
      name: "ArgumentTests", dependencies: ["ScoreSDE"] + rooms, path: "Tests/ArgumentTests"),
    .testTarget(name: "ArchitectureTests", path: "Tests/ArchitectureTests"),
    .testTarget(
      name: "ReadmeTests", dependencies: ["ScoreSDE"] + rooms, path: "Tests/ReadmeTests"),
  ],
  cLanguageStandard: .c17
)
