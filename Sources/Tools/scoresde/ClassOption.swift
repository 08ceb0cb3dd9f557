import Foundation
import ScoreSDE

/// What `--class` asks for of a run: classes by number or by name, or each sample's own.
struct ClassOption {
  /// The classes that are asked for, in their order.
  let labels: [Int]
  /// Where each sample's own class comes from: `data` or a file; nil where samples have none of their own.
  let source: String?

  /// - Parameters:
  ///   - text: what the option says, if it is given.
  ///   - takesSeveral: whether it may be several classes, or a file of them.
  ///   - takesRows: whether it may be `data`, for the classes that samples come with, or a file of one a sample.
  /// - Throws: where it is none of what it may be, or can be taken in two ways.
  init(
    _ text: String?, of run: String, _ names: ClassNames, takesSeveral: Bool, takesRows: Bool
  ) throws {
    let takesFiles = takesSeveral || takesRows
    guard let text else {
      (labels, source) = ([], nil)
      return
    }
    if text == "data", takesRows {
      (labels, source) = ([], text)
      return
    }
    let items = Self.items(text, names)
    let unknown = items.first { $0.labels.isEmpty }
    // A file of a class's name has a place too, as ./cat.
    let isSource = DataSource.isThere(text)
    if unknown != nil || items.isEmpty, text != "data", takesFiles, isSource {
      (labels, source) = ([], text)
      return
    }
    if text == "data", unknown != nil {
      throw CommandError.usage(
        "--class is data, each sample's own class, which likelihood and calibrate take; expected classes by number\(names.names == nil ? "" : " or name")\(takesFiles ? ", or a file of one a row" : "")"
      )
    }
    let labels = items.flatMap(\.labels)
    if names.names != nil {
      guard !items.isEmpty else {
        throw CommandError.usage("--class is \(text), where a quote is not closed")
      }
      if let unknown {
        throw CommandError.usage(
          "--class is \(text), but the run \(run) has no class “\(unknown.text)”\(names.nearMiss(of: unknown.text))\(takesFiles ? ", and there is no such file" : ""); known are \(names.list)"
        )
      }
      for item in items { try Self.check(item, of: run, names) }
    }
    let unnamed =
      names.names == nil && text.contains(where: \.isLetter)
      ? ", but the classes of the run \(run) have no names" : ""
    guard takesSeveral || labels.count == 1 else {
      let others = takesRows ? ", data for that of each sample, or a file of one a sample" : ""
      throw CommandError.usage(
        "--class is \(text)\(unnamed); expected one class, \(names.names == nil ? "a whole number from 0 on, such as 3" : "by number or name")\(others)"
      )
    }
    guard !labels.isEmpty, unknown == nil, Set(labels).count == labels.count else {
      throw CommandError.usage(
        names.names == nil
          ? "--class is \(text)\(unnamed); expected different whole numbers from 0 on, such as 3, 0,1,7 or 0-9, or a file of one a row"
          : "--class is \(text), which has a class twice; expected different ones")
    }
    (self.labels, source) = (labels, nil)
  }

  /// What stands between commas, and the classes that it asks for: several of a range; none where it is no number and no name.
  private struct Item {
    let text: String
    let isNumbers: Bool
    let labels: [Int]
  }

  /// Nothing where a quote is not closed.
  private static func items(_ text: String, _ names: ClassNames) -> [Item] {
    guard names.names != nil else {
      return [Item(text: text, isNumbers: true, labels: ClassNames.numbers(text) ?? [])]
    }
    return (CSV.items(text) ?? []).map { item in
      let numbers = item.isQuoted ? nil : ClassNames.numbers(item.text)
      return Item(
        text: item.text, isNumbers: numbers != nil,
        labels: numbers ?? names.labels(called: item.text))
    }
  }

  /// Refuses numbers that are names of other classes, and names of several.
  private static func check(_ item: Item, of run: String, _ names: ClassNames) throws {
    guard item.isNumbers else {
      guard item.labels.count == 1 else {
        throw CommandError.usage(
          "--class has \(item.text), and \(item.labels.count) classes of the run \(run) are called so; expected one of the numbers \(item.labels.map(String.init).joined(separator: ", "))"
        )
      }
      return
    }
    guard let (number, label) = names.mistakable(item.labels), let all = names.names else { return }
    let called = "class \(label) is called “\(all[label])”"
    let name = "'\(ClassNames.spelled(all[label]))'"
    let other = number.flatMap { number in
      all.indices.contains(number)
        ? ", and class \(number) “\(all[number])”; expected a name, \(name) or '\(ClassNames.spelled(all[number]))'"
        : nil
    }
    throw CommandError.usage(
      "--class has \(item.text), but in the run \(run) \(called)\(other ?? "; expected \(name) for that")"
    )
  }
}
