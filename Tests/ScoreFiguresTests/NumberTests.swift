import ScoreFigures
import Testing

@Suite struct NumberTests {
  @Test(
    arguments: [
      (3.14159265, 4, "3.142"), (0.000123456, 3, "0.000123"), (0.0000123456, 3, "1.23e-05"),
      (123456, 3, "123456"), (1_234_567, 3, "1.23e+06"), (-0.5, 2, "-0.50"), (0, 4, "0"),
      (99.996, 4, "100.0"), (.nan, 3, "nan"), (-.infinity, 3, "-inf"),
    ] as [(Double, Int, String)])
  func significantDigitsAreKept(value: Double, digits: Int, expected: String) {
    #expect(NumberText.significant(value, digits: digits) == expected)
  }

  @Test(arguments: [
    (2.18432, 0.0123, "2.184 ± 0.012"), (2.18432, 0.5, "2.18 ± 0.50"), (1234.5, 67, "1234 ± 67"),
    (0.000012345, 0.000001, "0.0000123 ± 0.0000010"), (1, 0, "1.00000"),
    (1e12, 3e9, "1.00000e+12 ± 3.0e+09"), (.nan, 1, "nan ± 1.000"),
  ])
  func errorsSayHowManyDigitsCount(value: Double, error: Double, expected: String) {
    #expect(NumberText.plusMinus(value, error) == expected)
  }

  @Test func longNumbersAreGrouped() {
    #expect(NumberText.fixed(-0.00004, decimals: 4) == "0.0000")
    #expect(NumberText.fixed(-0.00006, decimals: 4) == "-0.0001")
    #expect(NumberText.grouped(999) == "999" && NumberText.grouped(1234) == "1234")
    #expect(NumberText.grouped(1_234_567) == "1\u{2009}234\u{2009}567")
    #expect(NumberText.grouped(-12345) == "−12\u{2009}345")
  }
}
