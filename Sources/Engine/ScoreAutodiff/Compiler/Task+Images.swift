import CScoreKernels

/// A convolution of images `source` with the packed filter in a buffer.
struct ConvolutionTask {
  var shape: sk_convolution
  var source: (buffer: Int, offset: Int)
  var filter: Int
  var out: Int
  var accumulates = false
  /// Numbers a channel, and the step from one image's to the next's.
  var bias: (buffer: Int, offset: Int, stride: Int)?
}

/// A filter put into the order in which the kernels read it.
struct FilterPackTask {
  var shape: sk_convolution
  var flipped: Bool
  var source: (buffer: Int, offset: Int)
  var out: Int
}

struct FilterGradientTask {
  var shape: sk_convolution
  var images: Int
  var source: (buffer: Int, offset: Int)
  var gradient: (buffer: Int, offset: Int)
  var out: Int
}

/// A group normalisation, or the gradients of one where there is a gradient.
struct GroupNormTask {
  var images: Int
  var pixels: Int
  var channels: Int
  var norm: GroupNormalization
  var source: (buffer: Int, offset: Int)
  var scale: (buffer: Int, offset: Int)
  var shift: (buffer: Int, offset: Int)
  var out: Int?
  /// What comes back to the result.
  var gradient: (buffer: Int, offset: Int)?
  var scaleGradient: Int?
  var shiftGradient: Int?

  /// Whether it adds over the images, and so has groups as units.
  var sumsImages: Bool { scaleGradient != nil || shiftGradient != nil }
}
