/// Streams written by zlib 1.2 and Python, in base64.
enum StreamFixture {
  /// The bytes `(i² / 7) % 23 + i / 300` for i below 3000, in dynamic Huffman codes.
  static let dynamic = """
    eNrNlYeVxCAQQx0wOZmMw17/XZ54SxE7Behp+NKwLMu67QcTyp5pPYQJy6HOhZpEdDpM4Sexqyoyy6IWs3uW9R7kFh\
    RJlm/JyWNN3khGtiWnGE5MiCkvG2HSeChKlzZuE1Fhk2HXmfndLFNwteTkxRxJk2TocqpjCUZA8bRKsGPf1mXMrxhc\
    g6ZrtJJuOTgtOSVwOGbbCeVSu5A3Km1cqQ4rs/kwmdoqwuE2XVVRVU89EtUe9ZGd2LNXkMO+/NjXMhxi4K+s+8GxMh\
    SVz7tw+dBxV5HMjafg5o4gqqXZHNmyHzK4maarbgBCo2yOFUuL41s0DEwU20v0ZjCGwzE7GYSNj2VnCkCYiRt3hdrC\
    XJORgslXby48iRQvSTk15LCvoGSrwyEG/upGqMDKUNRnIdKXmZm58e8YJNyEilDXiWQK2m6a6QDCkuqeV8eqFztSDS\
    aak4qWDMZwOIYcgzA6UgnXAIJI78JX5ir3XSUGJl+9ufCMTEXpajCQi6Mlx96GQwz8NdQOHYn1hwxS0odDDPx1pHqc\
    hXYIGxtC3SaSKegu2+0FIDzr6xTN83ZKglSDCe5MQ0sGYzgcc9BBGB2BnEFiEGkiz8Z9E+elM0dovnpz4RmZhtK1aC\
    E3zhb/IYOTSEemOw4h7eMqINLXcIiBvwupHmehU5zBjlD3iWQK+ttd7gYQUcwdZD9FD+pAqsEEd6ajJYMxHI6hbBBG\
    RyBnkRh07lChi7PLcJsiEJqv3lz4hwyq+NgqweTxt3/OqTeJXMj0hUPIrnEVEOl7OMTA341Uj7NwMZzBC6G+JpK58R\
    RkSVb7RHUFeUVNkWqEBnfmQksGYzgcw/ggjI5AziEx6BzV8ZLh+iGD1iOCN0oMIIg0M+lW8dbpdU2ByXs+5xum3iRy\
    I9M3DiG/6/dzf4ZDDPw937+9QvEsN0J9z8zMjacgz6q5N+k7qjsZhtohNLgzN1oyGMPhGC4G4Z8xiBo/COF4QjgcI+\
    QgjAg+KDGAINLc5kenx+SP7xpMPuENnzj1JpEHmX5wCMXTvp/7Oxxi4O/9/u0NiqE+CPUzMzM3noKi6O4/2TxJP9ly\
    1A6h+SGDAGKu86/YN5u3OIFUgwlq/CKEgzEcjpFqEEZHXpQYQBBp4cpr8mvL33kZMPmLn/iX5sKTyItMv7jU8u3fz/\
    0zHGLg7/P92zsUY3vRundmZm48BX/H4D/ksLCx
    """

  /// The first 200 of them, stored.
  static let stored = """
    eAEByAA3/wAAAAECAwUHCQsOERQBBQkNEgAFCxEABg0UBAwUBQ0WCBEEDgELFgoVChYLAA0DEAcVDAMSCgISCwQUDg\
    gCFA8KBQEUEA0KBwQCABUUExIREREREhMUFQACBAcKDRAUAQUKDxQCCA4UBAsSAgoSAwwVBxADDQALFgoVChYLAQ4E\
    EQgWDQUUDAQUDQYAEQsFABINCQUBFBEOCwkHBQMCAQAAAAAAAQIDBQcJCw4RFAEFCQ0SAAULEQAGDRQEDBQFDRYIEQ\
    QOAQsWMo4IDw==
    """

  /// An IDX file of 6 × 4 × 4 bytes `7 i % 256`.
  static let gzip = """
    H4sIAAAAAAACA2Ng4GBmYGBgA2IWMGbnE5VR1jK0sHfzDYlOyiwor2vtmTxr4Yr12/YeOX3p5oPn777+YeYSlJBX0z\
    WxdvIMCI9LzSmuauzonzZ3yepNOw8cP3f1zuNXH3/8Z+MVkVbSNDC3c/UJjkrMyC+rbemeNBMAZccbpHAAAAA=
    """

  /// The same in two members, the first with a file name.
  static let gzipOfTwo = """
    H4sICAAAAAAC/25hbWUtaW4taGVhZGVyLmlkeABjYOBgZmBgYANiFjBm5xOVUdYytLB38w2JTsosKK9r7Zk8a+GK9d\
    v2Hjl96eaD5wCAPirSMgAAAB+LCAAAAAAAAgMBPgDB/+71/AMKERgfJi00O0JJUFdeZWxzeoGIj5adpKuyucDHztXc\
    4+rx+P8GDRQbIikwNz5FTFNaYWhvdn2Ei5KZIOgI2T4AAAA=
    """
}
