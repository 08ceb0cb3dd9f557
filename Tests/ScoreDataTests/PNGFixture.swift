/// Images of 7 × 9 pixels written by Pillow 13, and interlaced ones by `Tests/Scripts/picture_fixtures.py`, in base64.
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

  /// The RGB image, interlaced.
  static let interlaced = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJCAIAAAEGPZFiAAAAn0lEQVR42l2MMQrCQBRE//x8QdK4hID4kQ0SCQGxWSwXT2CR0lr2EHsIezvxOBHxTu4\
    mnfBgYN4wICJejoQoOV+QQFEGeKbcSOglxGL/8OfTHezIcz2TFE12SANYJJNhdiU7y84V1WXVaNvoUXLHNinq3v3tE5/fEdiQxeKPPJkO6umjTzfsfC\
    FXMloZXRvdGt0Z7YweJG9RMmqGZbQzP1g6Gl1c1IRoAAAAAElFTkSuQmCC
    """

  /// The grey image modulo 2, one bit a pixel, interlaced.
  static let interlacedOne = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJAQAAAAGhJDuYAAAAIUlEQVR42mNkYGJgBGMQyQxhPwCyClgYGB4wrgKyQlkYACSzA1Ri3LzMAAAAAElFTkS\
    uQmCC
    """

  /// A grey pixel of level 77, interlaced.
  static let interlacedPixel = """
    iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAFNeavDAAAACklEQVR42mP0BQAAUQBPUfPhHgAAAABJRU5ErkJggg==
    """

  /// Sixteen bits: `9000 x + 700 y` and opacity `65535 − 8000 y`, interlaced.
  static let sixteenAndOpacity = """
    iVBORw0KGgoAAAANSUhEUgAAAAcAAAAJEAQAAAFzxhL9AAAAtElEQVR42mNkYPj/n0n0ARsDY88CIEsMxOL60PS/dwEDA6NbwP//PUAGE/eHZgYQZjY\
    RONLg43GIgZG14mC9WwADgzsQg2i4EhhmVNb4/98NJstacagBhNmAmFnqhNIBtScPHdRSHjqwgGWAStiAmMGSg/V/fQTr/6MrWP8zMu15sF9Zg4FBBY\
    iV0TATG9QwVjQMtoBzktACkYCHDiAsCsIXIBjEZwHrBBoBwqwVQKwBwSA+APfYUzEXZZvJAAAAAElFTkSuQmCC
    """
}
