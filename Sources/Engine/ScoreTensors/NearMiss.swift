/// The known name that was probably meant by one that is not known.
package enum NearMiss {
  /// ` (did you mean NAME?)` where one of the known names is clearly nearest, else nothing.
  package static func hint(for typed: String, among known: [String]) -> String {
    name(for: typed, among: known).map { " (did you mean \($0)?)" } ?? ""
  }

  /// The one name that is nearest, if it is near: at most a third of its letters, and one in short names, are other.
  ///
  /// Dashes before a name and the case of letters do not count.
  package static func name(for typed: String, among known: [String]) -> String? {
    let word = letters(typed)
    let near = known.compactMap { name in
      let letters = letters(name)
      let distance = distance(word, letters)
      return distance <= max(1, letters.count / 3) && distance < letters.count
        ? (name: name, distance: distance) : nil
    }
    guard let least = near.map(\.distance).min() else { return nil }
    let nearest = near.filter { $0.distance == least }
    return nearest.count == 1 ? nearest[0].name : nil
  }

  private static func letters(_ name: String) -> [Character] {
    Array(name.lowercased().drop { $0 == "-" })
  }

  /// How many letters are to be put in, left out, changed, or changed with their neighbour, to make one word of another (optimal
  /// string alignment).
  package static func distance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [Array(0...b.count)]
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var least = min(rows[i][j + 1] + 1, row[j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          least = min(least, rows[i - 1][j - 1] + 1)
        }
        row.append(least)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
