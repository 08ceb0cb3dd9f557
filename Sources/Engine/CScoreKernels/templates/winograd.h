// 3 x 3 convolutions of stride 1 by minimal filtering, F(4x4, 3x3) (Winograd 1980; Lavin & Gray 2016).
//
// A tile of 4 x 4 outputs needs 6 x 6 inputs. With V = B' d B, U = G g G' and M[f] = V[f] U[f] summed over channels for each of
// the 36 points f, the outputs are A' M A: 36 products where the sum itself takes 144. The points of interpolation are 0,
// +-2/3, +-3/2 and infinity: a product of 1 keeps the numbers near one, and the error, against which the usual 0, +-1, +-2
// and infinity lose more than twice as much, is about twice the plain sum's.
//
//   for a block of tiles: V [36][tiles][channels]  ->  M [36][tiles][columns] by tiles of gemm_tile.h  ->  outputs
//
// The filter gradient is the transposed map: dU[f] = sum over tiles of V[f]' (A dy A')[f], dw = G' dU G. Its units are
// input channels, FILTER_UNIT each: whoever takes some transforms those of x, and all of dy.

#define TILE_N F(TILE_N)
#define N F(native)
#define LN F(NATIVE)
#define POINTS 36
// A block's V and M take about this many bytes, so that they stay in the second-level cache.
#define BLOCK_BYTES 262144
#define FILTER_UNIT 16
// Entries from the end of one point's to the next one's. At multiples of a large power of 2 all points would share a few sets of the
// first-level cache.
#define APART 16

#define PA ((T)(2.0 / 3.0))  // the points
#define PB ((T)1.5)
#define PA2 ((T)(4.0 / 9.0))
#define PB2 ((T)2.25)
#define PA3 ((T)(8.0 / 27.0))
#define PB3 ((T)3.375)
#define PS ((T)(97.0 / 36.0))                   // a^2 + b^2
#define NA ((T)(1.0 / (2.0 * 4.0 / 9.0 * (4.0 / 9.0 - 2.25))))  // 1 over the product of differences to the other points
#define NB ((T)(1.0 / (2.0 * 2.25 * (2.25 - 4.0 / 9.0))))

// Whether these kernels take a shape: Float, where the transforms cost less than they save.
SK_INLINE int F(is_winograd)(const sk_convolution *s) {
  return SK_IS_F32 && SK_HAS_FMA && s->kernel_height == 3 && s->kernel_width == 3 && s->stride == 1 && s->spread == 1 &&
         s->channels >= 16 && s->out_channels >= 16 && s->out_height > 0 && s->out_width > 0 && s->out_height != 1 &&
         s->out_width != 1;
}

SK_INLINE int64_t F(winograd_padded)(int64_t channels) { return (channels + TILE_N - 1) / TILE_N * TILE_N; }
SK_INLINE int64_t F(winograd_tiles)(const sk_convolution *s) { return ((s->out_height + 3) / 4) * ((s->out_width + 3) / 4); }

static int64_t F(winograd_block)(const sk_convolution *s, int64_t bytes) {
  const int64_t entries = F(winograd_padded)(s->channels) + F(winograd_padded)(s->out_channels);
  const int64_t block = bytes / (POINTS * entries * (int64_t)sizeof(T));
  return SK_MAX_OF(SK_GEMM_ROWS, block / SK_GEMM_ROWS * SK_GEMM_ROWS);
}

// Tiles of a block of a filter gradient: more where its sums, read and written once a block, do not fit beside V and M anyhow.
static int64_t F(winograd_filter_block)(const sk_convolution *s) {
  const int64_t sums = F(winograd_padded)(s->channels) * F(winograd_padded)(s->out_channels);
  return F(winograd_block)(s, POINTS * sums * (int64_t)sizeof(T) > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES);
}

static size_t F(winograd_packed_count)(const sk_convolution *s) {
  return (size_t)(POINTS * s->channels * F(winograd_padded)(s->out_channels));
}

static size_t F(winograd_scratch)(const sk_convolution *s) {
  const int64_t in = F(winograd_padded)(s->channels), out = F(winograd_padded)(s->out_channels);
  return (size_t)(POINTS * (F(winograd_filter_block)(s) * (in + out) + in * out + 3 * APART) + SK_MAX_OF(in, out)) * sizeof(T);
}

// B' x: six entries to six.
SK_INLINE void F(winograd_in)(N x0, N x1, N x2, N x3, N x4, N x5, N y[6]) {
  const N even_a = FMA((N)(-PB2), x2, x4), odd_a = FMA((N)PA, x3, (N)(-PB) * x1);
  const N even_b = FMA((N)(-PA2), x2, x4), odd_b = FMA((N)PB, x3, (N)(-PA) * x1);
  y[0] = FMA((N)(-PS), x2, x0 + x4);
  y[1] = even_a + odd_a;
  y[2] = even_a - odd_a;
  y[3] = even_b + odd_b;
  y[4] = even_b - odd_b;
  y[5] = FMA((N)(-PS), x3, x1 + x5);
}

// A' m: six entries to four.
SK_INLINE void F(winograd_out)(N m0, N m1, N m2, N m3, N m4, N m5, N y[4]) {
  const N even_a = m1 + m2, odd_a = m1 - m2, even_b = m3 + m4, odd_b = m3 - m4;
  y[0] = m0 + (even_a + even_b);
  y[1] = FMA((N)PA, odd_a, (N)PB * odd_b);
  y[2] = FMA((N)PA2, even_a, (N)PB2 * even_b);
  y[3] = FMA((N)PA3, odd_a, FMA((N)PB3, odd_b, m5));
}

// A y: four entries to six.
SK_INLINE void F(winograd_spread)(N y0, N y1, N y2, N y3, N m[6]) {
  const N even_a = FMA((N)PA2, y2, y0), odd_a = FMA((N)PA3, y3, (N)PA * y1);
  const N even_b = FMA((N)PB2, y2, y0), odd_b = FMA((N)PB3, y3, (N)PB * y1);
  m[0] = y0;
  m[1] = even_a + odd_a;
  m[2] = even_a - odd_a;
  m[3] = even_b + odd_b;
  m[4] = even_b - odd_b;
  m[5] = y3;
}

// G g: three entries to six.
SK_INLINE void F(winograd_filter)(N g0, N g1, N g2, N u[6]) {
  const N even_a = (N)NA * FMA((N)PA2, g2, g0), odd_a = (N)(NA * PA) * g1;
  const N even_b = (N)NB * FMA((N)PB2, g2, g0), odd_b = (N)(NB * PB) * g1;
  u[0] = g0;
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = g2;
}

// G' u: six entries to three.
SK_INLINE void F(winograd_filter_back)(N u0, N u1, N u2, N u3, N u4, N u5, N g[3]) {
  const N even_a = (N)NA * (u1 + u2), odd_a = (N)NA * (u1 - u2), even_b = (N)NB * (u3 + u4), odd_b = (N)NB * (u3 - u4);
  g[0] = u0 + (even_a + even_b);
  g[1] = FMA((N)PA, odd_a, (N)PB * odd_b);
  g[2] = FMA((N)PA2, even_a, FMA((N)PB2, even_b, u5));
}

// U in panels: [36][columns / TILE_N][channels][TILE_N]. Some channels at a time, as the points lie far apart in memory: a line
// is written once, and beside the one before.
static void F(winograd_pack)(const sk_convolution *s, const T *w, int flipped, T *packed) {
  enum { SOME = 8 * TILE_N };
  const int64_t columns = F(winograd_padded)(s->out_channels), channels = s->channels, out = s->out_channels;
  T g[9][SOME] __attribute__((aligned(64))), u[POINTS][SOME] __attribute__((aligned(64)));
  for (int64_t j = 0; j < columns; j += TILE_N)
    for (int64_t p = 0; p < channels; p += 8) {
      const int64_t count = SK_MIN_OF(8, channels - p), valid = SK_MIN_OF(TILE_N, out - j);
      for (int64_t tap = 0; tap < 9; ++tap) {
        if (flipped) F(pack_strip)(valid, TILE_N, count, w + ((8 - tap) * out + j) * channels + p, channels, 1, g[tap]);
        else F(pack_strip)(valid, TILE_N, count, w + (tap * channels + p) * out + j, 1, out, g[tap]);
      }
      for (int64_t l = 0; l < count * TILE_N; l += LN) {
        N half[3][6], line[6];
        for (int b = 0; b < 3; ++b)
          F(winograd_filter)(F(load_native)(g[b] + l), F(load_native)(g[3 + b] + l), F(load_native)(g[6 + b] + l), half[b]);
        for (int a = 0; a < 6; ++a) {
          F(winograd_filter)(half[0][a], half[1][a], half[2][a], line);
          for (int b = 0; b < 6; ++b) F(store_native)(u[a * 6 + b] + l, line[b]);
        }
      }
      for (int f = 0; f < POINTS; ++f)
        memcpy(packed + (f * columns + j) * channels + p * TILE_N, u[f], (size_t)(count * TILE_N) * sizeof(T));
    }
}

// Where a tile lies.
typedef struct {
  int64_t image, row, column;  // of the first output
} F(winograd_place);

SK_INLINE F(winograd_place) F(winograd_at)(const sk_convolution *s, int64_t tile) {
  const int64_t across = (s->out_width + 3) / 4, each = F(winograd_tiles)(s);
  return (F(winograd_place)){tile / each, tile % each / across * 4, tile % across * 4};
}

// Where the pixels of a square of an image from (row, column) on lie, and `nothing` for those beside the image.
SK_INLINE void F(winograd_square)(const int size, const T *image, int64_t height, int64_t width, int64_t channels,
                                  int64_t row, int64_t column, const T *nothing, const T **pixels) {
  for (int64_t u = row; u < row + size; ++u)
    for (int64_t v = column; v < column + size; ++v)
      *pixels++ = u < 0 || u >= height || v < 0 || v >= width ? nothing : image + (u * width + v) * channels;
}

// The first `valid` of x to `to`, or added to what is there.
SK_INLINE void F(winograd_store)(T *to, N x, int64_t valid, const int beta) {
  F(store_native_part)(to, beta ? F(load_native_part)(to, valid) + x : x, valid);
}

// V of one tile: 36 rows of `count` entries (rounded up), `apart` entries apart, from as many channels beginning at x.
static void F(winograd_input_tile)(const sk_convolution *s, int64_t count, const T *x, F(winograd_place) at,
                                   const T *nothing, T *v, int64_t apart) {
  const T *pixels[POINTS];
  F(winograd_square)(6, x + at.image * s->height * s->width * s->channels, s->height, s->width, s->channels,
                     at.row - s->top, at.column - s->left, nothing, pixels);
  for (int64_t p = 0; p < count; p += LN) {
    const int64_t valid = SK_MIN_OF(LN, count - p);
    T half[6][6][LN] __attribute__((aligned(64)));
    N d[6], y[6];
    for (int c = 0; c < 6; ++c) {
      for (int r = 0; r < 6; ++r) d[r] = F(load_native_part)(pixels[r * 6 + c] + p, valid);
      F(winograd_in)(d[0], d[1], d[2], d[3], d[4], d[5], y);
      for (int r = 0; r < 6; ++r) F(store_native)(half[r][c], y[r]);
    }
    for (int r = 0; r < 6; ++r) {
      F(winograd_in)(F(load_native)(half[r][0]), F(load_native)(half[r][1]), F(load_native)(half[r][2]),
                     F(load_native)(half[r][3]), F(load_native)(half[r][4]), F(load_native)(half[r][5]), y);
      for (int c = 0; c < 6; ++c) F(store_native)(v + (r * 6 + c) * apart + p, y[c]);
    }
  }
}

// Outputs of one tile from M.
SK_INLINE void F(winograd_output_tile)(const sk_convolution *s, const T *m, int64_t apart, F(winograd_place) at, T *y,
                                       const int beta, const T *bias) {
  const int64_t channels = s->out_channels, rows = SK_MIN_OF(4, s->out_height - at.row);
  const int64_t columns = SK_MIN_OF(4, s->out_width - at.column), line = s->out_width * channels;
  T *to = y + at.image * s->out_height * line + at.row * line + at.column * channels;
  for (int64_t o = 0; o < channels; o += LN) {
    const int64_t valid = SK_MIN_OF(LN, channels - o);
    T half[4][6][LN] __attribute__((aligned(64)));
    N out[4];
    for (int c = 0; c < 6; ++c) {
      const T *from = m + c * apart + o;
      F(winograd_out)(F(load_native)(from), F(load_native)(from + 6 * apart), F(load_native)(from + 12 * apart),
                      F(load_native)(from + 18 * apart), F(load_native)(from + 24 * apart),
                      F(load_native)(from + 30 * apart), out);
      for (int r = 0; r < 4; ++r) F(store_native)(half[r][c], out[r]);
    }
    const N shift = bias ? F(load_native_part)(bias + o, valid) : (N)((T)0);
    for (int64_t r = 0; r < rows; ++r) {
      F(winograd_out)(F(load_native)(half[r][0]), F(load_native)(half[r][1]), F(load_native)(half[r][2]),
                      F(load_native)(half[r][3]), F(load_native)(half[r][4]), F(load_native)(half[r][5]), out);
      T *entry = to + r * line + o;
#pragma clang loop unroll(full)
      for (int c = 0; c < 4; ++c, entry += channels) {
        if (c >= columns) break;
        F(winograd_store)(entry, out[c] + shift, valid, beta);
      }
    }
  }
}

static void F(winograd)(const sk_convolution *s, int64_t begin, int64_t end, const T *x, const T *packed, T *y, int beta,
                        const T *bias, int64_t bias_stride, void *scratch) {
  const int64_t in = F(winograd_padded)(s->channels), out = F(winograd_padded)(s->out_channels);
  const int64_t block = F(winograd_block)(s, BLOCK_BYTES), each = F(winograd_tiles)(s);
  const int64_t v_apart = block * in + APART, m_apart = block * out + APART;
  T *nothing = scratch, *v = nothing + in, *m = v + POINTS * v_apart;
  memset(nothing, 0, (size_t)in * sizeof(T));
  for (int64_t first = begin * each; first < end * each; first += block) {
    const int64_t count = SK_MIN_OF(block, end * each - first);
    for (int64_t i = 0; i < count; ++i)
      F(winograd_input_tile)(s, s->channels, x, F(winograd_at)(s, first + i), nothing, v + i * in, v_apart);
    for (int f = 0; f < POINTS; ++f)
      for (int64_t j = 0; j < out; j += TILE_N)
        for (int64_t i = 0, rows; i < count; i += rows) {
          rows = F(tile_rows)(count - i, SK_GEMM_ROWS);
          F(tile) t = {.k = s->channels, .row = in, .column = 1, .step = TILE_N, .to_row = out};
          t.a = v + f * v_apart + i * in;
          t.b = packed + (f * out + j) * s->channels;
          t.to = m + f * m_apart + i * out + j;
          F(panel_tiles)[rows](&t);
        }
    for (int64_t i = 0; i < count; ++i) {
      const F(winograd_place) at = F(winograd_at)(s, first + i);
      const T *row = bias ? bias + at.image * bias_stride : NULL;
      if (beta) F(winograd_output_tile)(s, m + i * out, m_apart, at, y, 1, row);
      else F(winograd_output_tile)(s, m + i * out, m_apart, at, y, 0, row);
    }
  }
}

// A dy A' of one tile: 36 rows of out_channels entries (rounded up).
static void F(winograd_gradient_tile)(const sk_convolution *s, const T *dy, F(winograd_place) at, const T *nothing, T *m,
                                      int64_t apart) {
  const int64_t channels = s->out_channels;
  const T *pixels[16];
  F(winograd_square)(4, dy + at.image * s->out_height * s->out_width * channels, s->out_height, s->out_width, channels,
                     at.row, at.column, nothing, pixels);
  for (int64_t o = 0; o < channels; o += LN) {
    const int64_t valid = SK_MIN_OF(LN, channels - o);
    T half[6][4][LN] __attribute__((aligned(64)));
    N out[6], d[4];
    for (int c = 0; c < 4; ++c) {
      for (int r = 0; r < 4; ++r) d[r] = F(load_native_part)(pixels[r * 4 + c] + o, valid);
      F(winograd_spread)(d[0], d[1], d[2], d[3], out);
      for (int r = 0; r < 6; ++r) F(store_native)(half[r][c], out[r]);
    }
    for (int r = 0; r < 6; ++r) {
      F(winograd_spread)(F(load_native)(half[r][0]), F(load_native)(half[r][1]), F(load_native)(half[r][2]),
                         F(load_native)(half[r][3]), out);
      for (int c = 0; c < 6; ++c) F(store_native)(m + (r * 6 + c) * apart + o, out[c]);
    }
  }
}

SK_INLINE int64_t F(winograd_filter_units)(const sk_convolution *s) { return (s->channels + FILTER_UNIT - 1) / FILTER_UNIT; }

static void F(winograd_filter_gradient)(const sk_convolution *s, int64_t begin, int64_t end, int64_t images, const T *x,
                                        const T *dy, T *dw, int beta, void *scratch) {
  const int64_t p0 = begin * FILTER_UNIT, p1 = SK_MIN_OF(s->channels, end * FILTER_UNIT);
  const int64_t in = F(winograd_padded)(p1 - p0), out = F(winograd_padded)(s->out_channels);
  const int64_t block = F(winograd_filter_block)(s), tiles = images * F(winograd_tiles)(s);
  const int64_t v_apart = block * in + APART, m_apart = block * out + APART, sums_apart = in * out + APART;
  T *nothing = scratch, *v = nothing + SK_MAX_OF(in, out), *m = v + POINTS * v_apart, *sums = m + POINTS * m_apart;
  memset(nothing, 0, (size_t)SK_MAX_OF(in, out) * sizeof(T));
  if (tiles == 0) memset(sums, 0, (size_t)(POINTS * sums_apart) * sizeof(T));
  for (int64_t first = 0; first < tiles; first += block) {
    const int64_t count = SK_MIN_OF(block, tiles - first);
    for (int64_t i = 0; i < count; ++i) {
      F(winograd_input_tile)(s, p1 - p0, x + p0, F(winograd_at)(s, first + i), nothing, v + i * in, v_apart);
      F(winograd_gradient_tile)(s, dy, F(winograd_at)(s, first + i), nothing, m + i * out, m_apart);
    }
    for (int f = 0; f < POINTS; ++f)
      for (int64_t j = 0; j < out; j += TILE_N)
        for (int64_t i = 0, rows; i < p1 - p0; i += rows) {
          rows = F(tile_rows)(p1 - p0 - i, SK_GEMM_ROWS);
          F(tile) t = {.k = count, .row = 1, .column = in, .step = out, .from_row = out, .to_row = out};
          t.a = v + f * v_apart + i;
          t.b = m + f * m_apart + j;
          t.to = sums + f * sums_apart + i * out + j;
          if (first > 0) t.from = t.to;
          F(panel_tiles)[rows](&t);
        }
  }
  for (int64_t p = p0; p < p1; ++p)
    for (int64_t o = 0; o < s->out_channels; o += LN) {
      const int64_t valid = SK_MIN_OF(LN, s->out_channels - o);
      const T *from = sums + (p - p0) * out + o;
      N half[3][6], g[3];
      for (int c = 0; c < 6; ++c, from += sums_apart) {
        F(winograd_filter_back)(F(load_native)(from), F(load_native)(from + 6 * sums_apart),
                                F(load_native)(from + 12 * sums_apart), F(load_native)(from + 18 * sums_apart),
                                F(load_native)(from + 24 * sums_apart), F(load_native)(from + 30 * sums_apart), g);
        for (int a = 0; a < 3; ++a) half[a][c] = g[a];
      }
      for (int a = 0; a < 3; ++a) {
        F(winograd_filter_back)(half[a][0], half[a][1], half[a][2], half[a][3], half[a][4], half[a][5], g);
        for (int b = 0; b < 3; ++b)
          F(winograd_store)(dw + ((a * 3 + b) * s->channels + p) * s->out_channels + o, g[b], valid, beta);
      }
    }
}

#undef TILE_N
#undef N
#undef LN
#undef POINTS
#undef BLOCK_BYTES
#undef FILTER_UNIT
#undef APART
#undef PA
#undef PB
#undef PA2
#undef PB2
#undef PA3
#undef PB3
#undef PS
#undef NA
#undef NB
