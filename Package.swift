// swift-tools-version: 6.1
import PackageDescription

/// One target a room; the arrows are the table in README.md, and a test holds them to it.
func room(_ tower: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, path: "Sources/\(tower)/\(name)")
}

let package = Package(
  name: "ScoreSDE",
  platforms: [.macOS(.v15)],
  targets: [
    room("Engine", "CScoreKernels")
  ],
  cLanguageStandard: .c17
)
