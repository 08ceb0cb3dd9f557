import ScoreSDE

extension NumberText {
  /// A number of things in words: 1 sample, 2 samples.
  static func counted(_ number: Int, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
  }
}
