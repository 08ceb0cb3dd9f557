import ScoreTensors

/// NumPy's `.npz` files, archives of named arrays: `FILE.npz` where there is one, `FILE.npz:NAME` among several.
enum NPZ {
  /// The file and the array that a text names; nil where it names no such archive.
  static func parts(of text: String) -> (path: String, name: String?)? {
    if text.lowercased().hasSuffix(".npz") { return (text, nil) }
    guard let colon = text.lastIndex(of: ":"), text[..<colon].lowercased().hasSuffix(".npz") else {
      return nil
    }
    return (String(text[..<colon]), String(text[text.index(after: colon)...]))
  }

  /// The bytes of an array as an `.npy` file has them, and where they are, for messages.
  static func array(_ path: String, _ name: String?) throws(DataError) -> (
    bytes: [UInt8], place: String
  ) {
    let archive = try ZipArchive(FileBytes.read(path), path: path)
    let ending = ".npy"
    let arrays = archive.entries.filter { $0.name.hasSuffix(ending) }
    let names = arrays.map { String($0.name.dropLast(ending.count)) }
    guard !arrays.isEmpty else {
      throw DataError(.empty, path, "the archive has no arrays; expected files that end in .npy")
    }
    guard let name = name ?? (names.count == 1 ? names[0] : nil) else {
      throw DataError(
        .wrongShape, path,
        "the archive has the arrays \(names.joined(separator: ", ")); expected one of them to be named, as \(path):\(names[0])"
      )
    }
    guard let place = names.firstIndex(of: name) else {
      throw DataError(
        .missing, path,
        "the archive has no array \(name)\(NearMiss.hint(for: name, among: names)); it has \(names.joined(separator: ", "))"
      )
    }
    return (try archive.content(of: arrays[place]), "\(path):\(name)")
  }
}
