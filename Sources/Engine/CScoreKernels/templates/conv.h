// Convolutions as matrix products that are never written out.
//
// A strip of the image is copied with its padding (and the zeros between spread pixels), so that the kernel_width pixels under
// one row of the filter are one run of kernel_width * channels entries. A tile of output pixels of one row is then a product
// of such runs, stride * channels apart, with the filter's packed panels: one call of a tile (gemm_tile.h) for each row of the filter,
// the sums carried from one to the next. Each output is one chain of multiply-adds in the order (a, b, p).
//
// The filter gradient is the transposed product: runs as columns of A, the pixels of a strip as the summed index. Its sums run
// over rows of pixels in order; rows of the filter are its units. 3 x 3 filters with enough channels are winograd.h's, those to
// very few channels conv_narrow.h's.

#define TILE_N F(TILE_N)

// Bytes of a copied strip, so that it stays in the second-level cache with what it is multiplied by.
#define STRIP_BYTES 131072

// Columns, and rows under one row of output, of the padded image.
SK_INLINE int64_t F(conv_padded_width)(const sk_convolution *s) { return (s->out_width - 1) * s->stride + s->kernel_width; }
SK_INLINE int64_t F(conv_strip_height)(const sk_convolution *s, int64_t rows) {
  return (rows - 1) * s->stride + s->kernel_height;
}

// Rows of output in a strip.
static int64_t F(conv_strip_rows)(const sk_convolution *s) {
  const int64_t row = F(conv_padded_width)(s) * s->channels * (int64_t)sizeof(T);
  const int64_t padded = SK_MAX_OF(s->kernel_height, STRIP_BYTES / SK_MAX_OF(row, 1));
  return SK_MIN_OF(s->out_height, (padded - s->kernel_height) / s->stride + 1);
}

SK_INLINE int64_t F(conv_panels)(const sk_convolution *s) { return (s->out_channels + TILE_N - 1) / TILE_N; }
SK_INLINE int64_t F(conv_depth)(const sk_convolution *s) { return s->kernel_height * s->kernel_width * s->channels; }
SK_INLINE int64_t F(conv_aligned)(int64_t entries) { return (entries + 15) / 16 * 16; }

static int64_t F(conv_strip_entries)(const sk_convolution *s) {
  return F(conv_aligned)(F(conv_strip_height)(s, F(conv_strip_rows)(s)) * F(conv_padded_width)(s) * s->channels);
}

static size_t F(conv_packed_count)(const sk_convolution *s) {
  if (F(is_winograd)(s)) return F(winograd_packed_count)(s);
  return (size_t)(F(conv_panels)(s) * TILE_N * F(conv_depth)(s));
}

static size_t F(conv_scratch)(const sk_convolution *s) {
  if (F(is_winograd)(s)) return F(winograd_scratch)(s);
  if (s->out_height <= 0 || s->out_width <= 0) return 64;
  const int64_t columns = F(conv_panels)(s) * TILE_N;
  const int64_t entries = F(conv_strip_entries)(s) + F(conv_strip_rows)(s) * s->out_width * columns +
                          F(conv_depth)(s) * columns + 64;
  return (size_t)entries * sizeof(T);
}

// One panel of the filter, kernel rows and columns in order: [kernel_height * kernel_width * channels][TILE_N].
static void F(conv_pack_panel)(const sk_convolution *s, const T *w, int flipped, int64_t panel, T *packed) {
  const int64_t taps = s->kernel_height * s->kernel_width, j = panel * TILE_N;
  const int64_t valid = SK_MIN_OF(TILE_N, s->out_channels - j);
  for (int64_t tap = 0; tap < taps; ++tap, packed += s->channels * TILE_N) {
    if (flipped) {
      const T *from = w + ((taps - 1 - tap) * s->out_channels + j) * s->channels;
      F(pack_strip)(valid, TILE_N, s->channels, from, s->channels, 1, packed);
    } else {
      F(pack_strip)(valid, TILE_N, s->channels, w + tap * s->channels * s->out_channels + j, 1, s->out_channels, packed);
    }
  }
}

static void F(conv_pack)(const sk_convolution *s, const T *w, int flipped, T *packed) {
  if (F(is_winograd)(s)) {
    F(winograd_pack)(s, w, flipped, packed);
    return;
  }
  if (F(is_narrow)(s)) {
    F(narrow_pack)(s, w, flipped, packed);
    return;
  }
  for (int64_t panel = 0; panel < F(conv_panels)(s); ++panel)
    F(conv_pack_panel)(s, w, flipped, panel, packed + panel * F(conv_depth)(s) * TILE_N);
}

// Rows first ..< first + count of the padded image.
static void F(conv_copy_strip)(const sk_convolution *s, const T *x, int64_t first, int64_t count, T *out) {
  const int64_t width = F(conv_padded_width)(s), channels = s->channels, row = width * channels;
  for (int64_t q = first; q < first + count; ++q, out += row) {
    const int64_t up = q - s->top, u = up / s->spread;
    if (up < 0 || up % s->spread || u >= s->height) {
      memset(out, 0, (size_t)row * sizeof(T));
      continue;
    }
    const T *from = x + u * s->width * channels;
    if (s->spread == 1) {
      const int64_t begin = SK_MIN_OF(SK_MAX_OF(s->left, 0), width), skipped = SK_MAX_OF(-s->left, 0);
      const int64_t end = SK_MAX_OF(begin, SK_MIN_OF(width, s->left + s->width));
      memset(out, 0, (size_t)(begin * channels) * sizeof(T));
      memcpy(out + begin * channels, from + skipped * channels, (size_t)((end - begin) * channels) * sizeof(T));
      memset(out + end * channels, 0, (size_t)((width - end) * channels) * sizeof(T));
    } else {
      for (int64_t c = 0; c < width; ++c) {
        const int64_t across = c - s->left, v = across / s->spread;
        if (across < 0 || across % s->spread || v >= s->width) memset(out + c * channels, 0, (size_t)channels * sizeof(T));
        else memcpy(out + c * channels, from + v * channels, (size_t)channels * sizeof(T));
      }
    }
  }
}

// Rows r0 ..< r1 of one image of output from a copied strip.
static void F(conv_strip)(const sk_convolution *s, int64_t r0, int64_t r1, const T *strip, const T *packed,
                          const F(target) *image) {
  const int64_t run = s->kernel_width * s->channels, row = F(conv_padded_width)(s) * s->channels;
  const int64_t step = s->stride * s->channels;
  T waiting[F(MOST_ENTRIES)] __attribute__((aligned(64)));
  for (int64_t j = 0; j < s->out_channels; j += TILE_N) {
    const int64_t count = SK_MIN_OF(TILE_N, s->out_channels - j);
    int64_t width;
    const F(tile_function) *functions = F(tiles_for)(count, &width);
    const int64_t most = width < TILE_N ? F(MOST_ROWS) : SK_GEMM_ROWS;
    const T *panel = packed + j / TILE_N * F(conv_depth)(s) * TILE_N;
    for (int64_t r = r0; r < r1; ++r) {
      F(target) line = *image;
      line.c += r * s->out_width * s->out_channels;
      for (int64_t i = 0, rows; i < s->out_width; i += rows) {
        rows = F(tile_rows)(s->out_width - i, most);
        for (int64_t a = 0; a < s->kernel_height; ++a) {
          F(tile) t = {.k = run, .b = panel + a * run * TILE_N, .step = TILE_N, .row = step, .column = 1};
          t.a = strip + ((r - r0) * s->stride + a) * row + i * step;
          if (a > 0) {
            t.from = waiting;
            t.from_row = width;
          }
          if (a + 1 < s->kernel_height) {
            t.to = waiting;
            t.to_row = width;
            functions[rows](&t);
          } else {
            F(make_tile)(&line, &t, functions[rows], i, rows, j, width, count);
          }
        }
      }
    }
  }
}

static void F(conv_packed)(const sk_convolution *s, int64_t begin, int64_t end, const T *x, const T *packed, T *y,
                           int beta, const T *bias, int64_t bias_stride, void *scratch) {
  const int64_t in = s->height * s->width * s->channels, out = s->out_height * s->out_width * s->out_channels;
  if (begin >= end || out == 0) return;
  if (F(is_winograd)(s)) {
    F(winograd)(s, begin, end, x, packed, y, beta, bias, bias_stride, scratch);
    return;
  }
  const int64_t rows = F(conv_strip_rows)(s);
  for (int64_t i = begin; i < end; ++i) {
    const F(target) image = {y + i * out, NULL, s->out_channels, bias ? bias + i * bias_stride : NULL, beta, SK_IDENTITY};
    for (int64_t r0 = 0, r1; r0 < s->out_height; r0 = r1) {
      r1 = SK_MIN_OF(s->out_height, r0 + rows);
      F(conv_copy_strip)(s, x + i * in, r0 * s->stride, F(conv_strip_height)(s, r1 - r0), scratch);
      if (F(is_narrow)(s)) F(narrow_strip)(s, r0, r1, scratch, F(conv_padded_width)(s) * s->channels, packed, &image);
      else F(conv_strip)(s, r0, r1, scratch, packed, &image);
    }
  }
}

// Adds one strip's products to the sums of rows a0 ..< a1 of the filter, [a1 - a0][kernel_width * channels][columns].
static void F(conv_filter_strip)(const sk_convolution *s, int64_t a0, int64_t a1, int64_t rows, const T *strip, const T *dy,
                                 T *sums) {
  const int64_t run = s->kernel_width * s->channels, row = F(conv_padded_width)(s) * s->channels;
  const int64_t columns = F(conv_panels)(s) * TILE_N;
  for (int64_t a = a0; a < a1; ++a)
    for (int64_t j = 0; j < columns; j += TILE_N)
      for (int64_t i = 0, height; i < run; i += height) {
        height = F(tile_rows)(run - i, SK_GEMM_ROWS);
        T *sum = sums + ((a - a0) * run + i) * columns + j;
        for (int64_t r = 0; r < rows; ++r) {
          F(tile) t = {.k = s->out_width, .row = 1, .column = s->stride * s->channels, .step = TILE_N};
          t.a = strip + (r * s->stride + a) * row + i;
          t.b = dy + (j * rows + r * TILE_N) * s->out_width;
          t.from = t.to = sum;
          t.from_row = t.to_row = columns;
          F(panel_tiles)[height](&t);
        }
      }
}

static int64_t F(conv_filter_units)(const sk_convolution *s) {
  return F(is_winograd)(s) ? F(winograd_filter_units)(s) : s->kernel_height;
}

static void F(conv_filter_gradient)(const sk_convolution *s, int64_t begin, int64_t end, int64_t images, const T *x,
                                    const T *dy, T *dw, int beta, void *scratch) {
  const int64_t in = s->height * s->width * s->channels, line = s->out_width * s->out_channels;
  if (F(is_winograd)(s)) {
    if (begin < end) F(winograd_filter_gradient)(s, begin, end, images, x, dy, dw, beta, scratch);
    return;
  }
  const int64_t run = s->kernel_width * s->channels, depth = (end - begin) * run, columns = F(conv_panels)(s) * TILE_N;
  if (depth <= 0 || s->out_channels == 0) return;
  dw += begin * run * s->out_channels;
  if (s->out_height <= 0 || line <= 0 || images <= 0) {
    for (int64_t i = 0; !beta && i < depth * s->out_channels; ++i) dw[i] = 0;
    return;
  }
  const int64_t rows = F(conv_strip_rows)(s);
  const int narrow = F(has_narrow_gradient)(s);
  T *strip = scratch, *sums = strip + F(conv_strip_entries)(s), *panels = sums + depth * columns;
  memset(sums, 0, (size_t)(depth * columns) * sizeof(T));
  for (int64_t i = 0; i < images; ++i)
    for (int64_t r0 = 0, r1; r0 < s->out_height; r0 = r1) {
      r1 = SK_MIN_OF(s->out_height, r0 + rows);
      F(conv_copy_strip)(s, x + i * in, r0 * s->stride, F(conv_strip_height)(s, r1 - r0), strip);
      if (narrow) {
        F(narrow_filter_strip)(s, begin, end, r1 - r0, strip, F(conv_padded_width)(s) * s->channels,
                               dy + (i * s->out_height + r0) * line, sums);
        continue;
      }
      const int64_t pixels = (r1 - r0) * s->out_width;
      F(pack_panels)(0, s->out_channels, pixels, dy + (i * s->out_height + r0) * line, s->out_channels, 0, panels, pixels);
      F(conv_filter_strip)(s, begin, end, r1 - r0, strip, panels, sums);
    }
  for (int64_t d = 0; d < depth; ++d)
    for (int64_t o = 0; o < s->out_channels; ++o) {
      const T sum = narrow ? sums[(d / run * s->out_channels + o) * run + d % run] : sums[d * columns + o];
      T *to = dw + d * s->out_channels + o;
      *to = (beta ? *to : 0) + sum;
    }
}

#undef STRIP_BYTES
#undef TILE_N
