// swift-tools-version: 6.1
import PackageDescription

/// One target a room; the arrows are the table in README.md, and a test holds them to it.
func room(_ tower: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(tower)/\(name)")
}

/// The tests of one room.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies,
    path: "Tests/\(name)Tests")
}

let package = Package(
  name: "ScoreSDE",
  platforms: [.macOS(.v15)],
  targets: [
    room("Engine", "CScoreKernels"),
    tests("CScoreKernels"),
  ],
  cLanguageStandard: .c17
)
