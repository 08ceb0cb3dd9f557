import ScoreTensors

/// How a filter is laid over images: row `u` of an image meets row `r` of the result at row `a` of the filter where
///
/// ```
/// u · spread = r · stride + a − top          and likewise for columns, with `left`
/// ```
///
/// Images and results change places in the ``adjoint(height:width:)``, so that gradients are convolutions again.
package struct ConvolutionWindow: Hashable, Sendable {
  /// Rows and columns of the image from one pixel of the result to the next.
  package var stride = 1
  /// Rows and columns of the padded image from one pixel of the image to the next, with zeros between.
  package var spread = 1
  /// Rows of zeros above the image.
  package var top = 0
  /// Columns of zeros left of the image.
  package var left = 0

  /// Whether each pixel of the result is a product of the same pixel of the image with a matrix.
  package func isPointwise(image: Shape, result: Shape, filter: Shape) -> Bool {
    self == ConvolutionWindow() && filter[0] == 1 && filter[1] == 1 && image[1] == result[1]
      && image[2] == result[2]
  }

  /// The window of the input gradient under a filter of `height × width`.
  package func adjoint(height: Int, width: Int) -> ConvolutionWindow {
    ConvolutionWindow(
      stride: spread, spread: stride, top: height - 1 - top, left: width - 1 - left)
  }

  /// The row of the image that row `a` of the filter meets for row `r` of the result, where there is one.
  package func source(_ r: Int, _ a: Int, before: Int, extent: Int) -> Int? {
    let at = r * stride + a - before
    guard at >= 0, at % spread == 0, at / spread < extent else { return nil }
    return at / spread
  }
}

/// The constants of a group normalisation.
package struct GroupNormalization: Hashable, Sendable {
  /// Groups of neighbouring channels that share a mean and a variance.
  package var groups: Int
  /// What is added to the variance.
  package var epsilon: Double
  /// Whether SiLU follows.
  package var silu: Bool

  /// Which gradient of a group normalisation.
  package enum Variable: Int, Hashable, Sendable, CaseIterable {
    case input, scale, shift
  }
}
