/// Images of 7 × 9 pixels written by Pillow 13, in base64.
enum PNGFixture {
  /// Grey: `(31 x + 17 y) % 256`.
  static let gray = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJCAAAAADbM2l/AAAAFUlEQVR4nGNkkJeXl5eXZxKEAHJpAKrbBITWY27JAA\
    AAAElFTkSuQmCC
    """

  /// RGB: `(30 x + y) % 256`, `(x + 25 y) % 256`, `5 x y % 256`.
  static let rgb = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJCAIAAABxOqH0AAAAMUlEQVR42mNkYGCQY0RHLIySDIyMrGgILsqFjJBF+e\
    EITVQEgjBFJRkZJbGKypEiCgC4TgSlBKSf5AAAAABJRU5ErkJggg==
    """

  /// RGB as above, opacity as the grey image.
  static let rgba = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJCAYAAAD+WDajAAAAP0lEQVR4nGNkYGBgkGNkkMeGWRglGQQZGVmxYiRJLg\
    yMJsmPgrFIisAxDklJQUZGSXyScvL4JHHqlGdklBMEAKUmCTN112UUAAAAAElFTkSuQmCC
    """

  /// Grey as above, opacity `255 −` it.
  static let la = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJCAQAAABUUf4oAAAAFUlEQVR4nGNk+C//EAGZBN8jQ7pxAYcjPxGwP/iYAA\
    AAAElFTkSuQmCC
    """

  /// The grey image modulo 5 through the palette `(40 i, 255 − 30 i, 9 i²)`, four bits a pixel.
  static let palette = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJBAMAAAAMdiuQAAAAD1BMVEUA/wAo4QlQwyR4pVGgh5C4Lt5/AAAANUlEQV\
    R4nGNkVJK9wKgse0mOwUHIhIFByIRRgUXprJIsA6OyAwOjsuxFfhbZS0q8jEJKPBcAr54IGkNi+T8AAAAASUVORK5C\
    YII=
    """

  /// The grey image modulo 2, one bit a pixel.
  static let one = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJAQAAAADWIwsOAAAADklEQVR4nGMIYVjFgIIBJr4ETTi5owoAAAAASUVORK\
    5CYII=
    """

  /// Sixteen bits a channel.
  static let sixteen = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJEAAAAACLo7U8AAAAE0lEQVR4nGNkYJBHAkyCKIBuXAB7dgj2pfzB8AAAAA\
    BJRU5ErkJggg==
    """
}
