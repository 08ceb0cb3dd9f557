// Convolutions to one, two or three channels, such as the last one of an image network.
//
// Tiles of so few columns would leave most lanes idle. Here lanes run along the pixels under one row of the filter instead: an
// output is a product of runs, its lanes folded in the end; the filter gradient has entries of the run as columns. Which
// convolutions go this way is the same for every target, as the order of their sums is another one.

#define W F(wide)
#define WIDE F(WIDE)
#define TILE_N F(TILE_N)

SK_INLINE int F(is_narrow)(const sk_convolution *s) {
  const int64_t run = s->kernel_width * s->channels;
  return s->out_channels <= 3 && run > 0 && run % WIDE == 0;
}

// The gradient takes whole panels of columns, without which it is a product of tiles like any other, to the same bits.
SK_INLINE int F(has_narrow_gradient)(const sk_convolution *s) {
  return F(is_narrow)(s) && s->kernel_width * s->channels % TILE_N == 0;
}

// The filter as [out_channels][kernel_height][kernel_width * channels].
static void F(narrow_pack)(const sk_convolution *s, const T *w, int flipped, T *packed) {
  const int64_t taps = s->kernel_height * s->kernel_width;
  for (int64_t o = 0; o < s->out_channels; ++o)
    for (int64_t tap = 0; tap < taps; ++tap)
      for (int64_t p = 0; p < s->channels; ++p)
        *packed++ = flipped ? w[((taps - 1 - tap) * s->out_channels + o) * s->channels + p]
                            : w[(tap * s->channels + p) * s->out_channels + o];
}

// `pixels` outputs of one channel, a row's worth apart by `step` in the strip and `apart` in y.
SK_INLINE void F(narrow_outputs)(const int pixels, int64_t height, int64_t row, int64_t run, int64_t step, const T *strip,
                                 const T *filter, T *y, int64_t apart, int beta, T bias) {
  W sum[4];
#pragma clang loop unroll(full)
  for (int i = 0; i < pixels; ++i) sum[i] = (W)((T)0);
  for (int64_t a = 0; a < height; ++a, strip += row)
    for (int64_t m = 0; m < run; m += WIDE, filter += WIDE) {
      const W factor = F(load_wide)(filter);
#pragma clang loop unroll(full)
      for (int i = 0; i < pixels; ++i) sum[i] = FMA(F(load_wide)(strip + i * step + m), factor, sum[i]);
    }
#pragma clang loop unroll(full)
  for (int i = 0; i < pixels; ++i) y[i * apart] = (beta ? F(fold_lanes)(sum[i]) + y[i * apart] : F(fold_lanes)(sum[i])) + bias;
}

// Rows r0 ..< r1 of one image of output from a copied strip, `row` entries a row.
static void F(narrow_strip)(const sk_convolution *s, int64_t r0, int64_t r1, const T *strip, int64_t row, const T *packed,
                            const F(target) *image) {
  const int64_t run = s->kernel_width * s->channels, step = s->stride * s->channels, out = s->out_channels;
  for (int64_t r = r0; r < r1; ++r)
    for (int64_t o = 0; o < out; ++o) {
      const T *from = strip + (r - r0) * s->stride * row, *filter = packed + o * s->kernel_height * run;
      const T bias = image->bias ? image->bias[o] : (T)0;
      T *y = image->c + r * s->out_width * out + o;
      int64_t c = 0;
      for (; c + 4 <= s->out_width; c += 4)
        F(narrow_outputs)(4, s->kernel_height, row, run, step, from + c * step, filter, y + c * out, out, image->beta, bias);
      for (; c < s->out_width; ++c)
        F(narrow_outputs)(1, s->kernel_height, row, run, step, from + c * step, filter, y + c * out, out, image->beta, bias);
    }
}

// Adds one strip's products to the sums of rows a0 ..< a1 of the filter, [a1 - a0][out_channels][run], dy as it lies.
static void F(narrow_filter_strip)(const sk_convolution *s, int64_t a0, int64_t a1, int64_t rows, const T *strip,
                                   int64_t row, const T *dy, T *sums) {
  const int64_t run = s->kernel_width * s->channels, out = s->out_channels;
  for (int64_t a = a0; a < a1; ++a)
    for (int64_t m = 0, width; m < run; m += width) {
      const int64_t several = (5 - out) * TILE_N;
      const int whole = run - m >= several;
      width = whole ? several : TILE_N;
      for (int64_t r = 0; r < rows; ++r) {
        F(tile) t = {.k = s->out_width, .row = 1, .column = out, .step = s->stride * s->channels, .panel = TILE_N};
        t.a = dy + r * s->out_width * out;
        t.b = strip + (r * s->stride + a) * row + m;
        t.from = t.to = sums + (a - a0) * out * run + m;
        t.from_row = t.to_row = run;
        if (whole) F(several_tiles)[out](&t);
        else F(panel_tiles)[out](&t);
      }
    }
}

#undef W
#undef WIDE
#undef TILE_N
