import Foundation
import ScoreSDE

/// The parsed options of one command line.
struct Arguments {
  private let command: String
  private var values: [String: String] = [:]
  /// The arguments that are not options.
  private(set) var positional: [String] = []

  /// Parses `words` against the options that the command takes.
  init(_ words: [String], command: String, options known: [Option], positional limit: Int) throws {
    self.command = command
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.hasPrefix("-"), word.count > 1 else {
        guard positional.count < limit else {
          throw CommandError.usage(
            "\(command) takes \(limit == 0 ? "options only" : limit == 1 ? "one name" : "at most \(limit) names"), found \(word)"
          )
        }
        positional.append(word)
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      guard let option = known.first(where: { $0.name == parts[0] }) else {
        let names = known.map(\.name)
        throw CommandError.usage(
          "unknown option \(parts[0]) of \(command)\(NearMiss.hint(for: parts[0], among: names)); it takes \(names.joined(separator: ", "))"
        )
      }
      guard values[option.name] == nil else {
        throw CommandError.usage("\(option.name) is given twice")
      }
      if option.value == nil {
        guard parts.count == 1 else { throw CommandError.usage("\(option.name) takes no value") }
        values[option.name] = ""
      } else if parts.count == 2 {
        values[option.name] = parts[1]
      } else {
        guard let value = rest.popFirst(), !value.hasPrefix("--") else {
          throw CommandError.usage("\(option.name) expects a value: \(option.value ?? "")")
        }
        values[option.name] = value
      }
      guard option.value == nil || values[option.name] != "" else {
        throw CommandError.usage(
          "\(option.name) is given nothing; expected a value: \(option.value ?? "")")
      }
    }
  }

  /// Gives options other values.
  mutating func replace(_ others: [String: String]) {
    values.merge(others) { $1 }
  }

  /// Whether an option was given.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The text of an option, or nil where it was not given.
  func text(_ name: String) -> String? { values[name] }

  /// The text of an option that must be given.
  func required(_ name: String) throws -> String {
    guard let value = values[name] else {
      throw CommandError.usage("\(command) needs \(name)")
    }
    return value
  }

  /// The whole number that an option gives, or nil where it was not given.
  func integer(
    _ name: String, atLeast minimum: Int, atMost maximum: Int = 2_000_000_000
  ) throws -> Int? {
    guard let text = values[name] else { return nil }
    guard let value = Int(text), minimum <= value, value <= maximum else {
      throw CommandError.usage(
        "\(name) is \(text); expected a whole number from \(minimum) to \(maximum)")
    }
    return value
  }

  /// The positive finite number that an option gives, or nil where it was not given.
  func positive(_ name: String) throws -> Double? {
    guard let text = values[name] else { return nil }
    guard let value = Double(text), value > 0, value.isFinite else {
      throw CommandError.usage("\(name) is \(text); expected a finite number above 0")
    }
    return value
  }

  /// The seed, 0 by default.
  var seed: UInt64 {
    get throws {
      guard let text = values["--seed"] else { return 0 }
      guard let seed = UInt64(text) else {
        throw CommandError.usage("--seed is \(text); expected a whole number from 0 to 2^64 - 1")
      }
      return seed
    }
  }

  /// The number of threads.
  var threads: Int {
    get throws {
      try integer("--threads", atLeast: 1, atMost: 1024)
        ?? min(1024, ProcessInfo.processInfo.activeProcessorCount)
    }
  }

  /// Different whole numbers in a range, in their order, as 3, 0,1,7 or 0-9; nil where a text is none.
  static func numbers(_ text: String, in range: ClosedRange<Int>) -> [Int]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let ranges = parts.compactMap { part -> ClosedRange<Int>? in
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
        range.contains(first), first <= last, range.contains(last)
      else { return nil }
      return first...last
    }
    // As many as there may be at the most, so that a long text takes no memory.
    guard ranges.count == parts.count, ranges.reduce(0, { $0 + $1.count }) <= range.count else {
      return nil
    }
    let numbers = ranges.flatMap { Array($0) }
    return Set(numbers).count == numbers.count ? numbers : nil
  }

  /// The largest scale of guidance. At 10 samples of one of two moons lay up to 4 of the data's deviations out, at 100 up to 14:
  /// what is larger is a slip. The library takes any.
  static let mostGuidance = 100.0

  /// The scale of guidance, or nil where none is asked for.
  var guidance: Double? {
    get throws { try Self.guidance(values["--guidance"]) }
  }

  /// The scale of guidance that a text gives.
  static func guidance(_ text: String?) throws -> Double? {
    guard let text else { return nil }
    guard let scale = Double(text), 0 <= scale, scale <= mostGuidance else {
      throw CommandError.usage(
        "--guidance is \(text); expected a number from 0 to \(Int(mostGuidance)), beyond which samples are far from all data"
      )
    }
    return scale
  }

  /// Whether `--matrix-products` asks for operands rounded to bfloat16.
  var roundsProducts: Bool {
    get throws {
      switch values["--matrix-products"] {
      case nil, "full": return false
      case "bf16":
        if try !isDouble { return true }
        throw CommandError.usage("--matrix-products is bf16, but --scalar is float64")
      case .some(let other):
        throw CommandError.usage("--matrix-products is \(other); expected full or bf16")
      }
    }
  }

  /// Whether `--scalar` asks for Double.
  var isDouble: Bool {
    get throws {
      switch values["--scalar"] {
      case nil, "float32": return false
      case "float64": return true
      case .some(let other):
        throw CommandError.usage("--scalar is \(other); expected float32 or float64")
      }
    }
  }
}
