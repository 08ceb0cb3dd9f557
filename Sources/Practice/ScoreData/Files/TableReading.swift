/// How a table as text is read: which of its columns, and what stands for a number that is not there.
public struct TableReading: Hashable, Sendable {
  /// What becomes of fields that are missing.
  public enum Missing: Hashable, Sendable {
    /// They are errors.
    case refused
    /// They are NaN. A field is missing where it is empty, `nan` or `NA`, but for the latter two in columns whose texts they may
    /// be.
    case kept
    /// Their rows are left out. A field is missing where it is empty, `nan` or `NA`.
    case dropped
  }

  /// The columns that are read, in this order: names, or numbers from 1 on; nil for all.
  public var columns: [String]?
  /// The columns whose fields are texts whatever they are, as those of codes; names, or numbers from 1 on.
  public var texts: [String]
  /// What becomes of fields that are missing, in the columns that are read.
  public var missing: Missing
  /// The columns that hold texts where a table has them, as those do which a model knows.
  package var knownTexts: [String] = []
  /// Those of them among whose texts neither `nan` nor `NA` is.
  package var textsWithoutNA: [String] = []
  /// The columns that are read where a table has some of them and `columns` says nothing, as those are which a model knows.
  package var knownColumns: [String]?

  /// Creates a reading: by itself of all columns, each of numbers or of texts as its first field says.
  public init(columns: [String]? = nil, texts: [String] = [], missing: Missing = .refused) {
    (self.columns, self.texts, self.missing) = (columns, texts, missing)
  }
}
