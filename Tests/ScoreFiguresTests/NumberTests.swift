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

  @Test func whatIsNoNumberHasNoSign() {
    #expect(NumberText.fixed(-.nan, decimals: 2) == "nan")
    #expect(NumberText.fixed(-.infinity, decimals: 2) == "-inf")
  }

  @Test(arguments: [
    (2.18432, 0.0123, "2.184 ± 0.012"), (2.18432, 0.5, "2.18 ± 0.50"), (1234.5, 67, "1234 ± 67"),
    (0.000012345, 0.000001, "0.0000123 ± 0.0000010"), (.nan, 1, "nan ± 1.000"),
    // Very small and large ones have one power, which is that of the larger.
    (1e12, 3e9, "1.0000e+12 ± 0.0030e+12"), (1.47552e-7, 3.9e-8, "1.48e-07 ± 0.39e-07"),
    (-3e-9, 2e-8, "-0.3e-08 ± 2.0e-08"), (0, 3.2e-16, "0.0e-16 ± 3.2e-16"),
    // What has no error has the digits that it takes, if they are few.
    (1, 0, "1"), (3.7, 0, "3.7"), (Double(Float(3.7)), 0, "3.7"), (1013.25, 0, "1013.25"),
    (1.0 / 3, 0, "0.333"), (3.7, 1e-15, "3.7"), (0.123456789, .nan, "0.123 ± nan"),
  ])
  func errorsSayHowManyDigitsCount(value: Double, error: Double, expected: String) {
    #expect(NumberText.plusMinus(value, error) == expected)
  }

  @Test func columnsHaveOneNotationAndLineUp() {
    let plain = [(0.2412, 0.0063), nil, (12, 0), (-0.0000432, 0.0000073)] as [(Double, Double)?]
    #expect(
      NumberText.plusMinusColumn(plain) == [
        "    0.2412 ± 0.0063   ", "         –            ", "        12            ",
        "-0.0000432 ± 0.0000073",
      ])
    // Where one takes a power of ten, all have one.
    #expect(
      NumberText.plusMinusColumn(plain + [(1.543e-5, 9.2e-7)]) == [
        "2.412e-01 ± 0.063e-01", "        –            ", " 1.20e+01            ",
        "-4.32e-05 ± 0.73e-05 ", "1.543e-05 ± 0.092e-05",
      ])
    #expect(NumberText.plusMinusColumn([(0, 0), (3, 0), nil]) == ["0", "3", "–"])
    #expect(NumberText.plusMinusColumn([nil, nil]) == ["–", "–"])
    #expect(
      NumberText.plusMinusColumn([(0, 0), (1.2e-9, 1.1e-10)])
        == ["       0           ", "1.20e-09 ± 0.11e-09"])
    // A value that is rounded up to the next power of ten has that.
    #expect(
      NumberText.plusMinusColumn([(0.99996, 0.0063), (0, 1e-9)])[0] == "1.0000e+00 ± 0.0063e+00")
  }

  @Test(
    arguments: [
      (30, "30"), (0.05, "0.05"), (1.5e-5, "1.5e-05"), (0, "0"), (12.345, "12.35"),
      (100, "100"), (2e7, "2e+07"), (.nan, "nan"),
    ] as [(Double, String)])
  func zerosAtTheEndAreTrimmed(value: Double, expected: String) {
    #expect(NumberText.trimmed(value) == expected)
  }

  @Test func longNumbersAreGrouped() {
    #expect(NumberText.fixed(-0.00004, decimals: 4) == "0.0000")
    #expect(NumberText.fixed(-0.00006, decimals: 4) == "-0.0001")
    #expect(NumberText.grouped(999) == "999" && NumberText.grouped(1234) == "1234")
    #expect(NumberText.grouped(1_234_567) == "1\u{2009}234\u{2009}567")
    #expect(NumberText.grouped(-12345) == "−12\u{2009}345")
  }
}
