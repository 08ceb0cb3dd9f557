// Packing: strips of A or B rearranged in the order in which tiles read them.
//
// A strip is `width` rows of op(A), or columns of op(B): out[p * width + w] = in[w * in_w + p * in_p] for w < valid, and 0
// from there to width. One of the two strides is 1. Where in_p is 1 the strip is transposed four by four.

SK_INLINE void F(pack_strip)(int64_t valid, const int64_t width, int64_t k, const T *in, int64_t in_w, int64_t in_p,
                             T *out) {
  if (in_p == 1 && k > 1) {
    for (int64_t p = 0; p < k; p += 4) {
      const int64_t steps = SK_MIN_OF(4, k - p);
      // From the last rows to the first, since four entries are written even where fewer remain: what spills over the
      // end of a step is overwritten by the next step.
      for (int64_t w = (width - 1) / 4 * 4; w >= 0; w -= 4) {
        F(quad) x[4];
        for (int q = 0; q < 4; ++q) {
          const T *from = in + SK_MIN_OF(w + q, SK_MAX_OF(valid - 1, 0)) * in_w + p;
          if (w + q >= valid) x[q] = (F(quad))((T)0);
          else if (steps == 4) x[q] = F(load_quad)(from);
          else for (int64_t s = 0; s < 4; ++s) x[q][s] = s < steps ? from[s] : 0;
        }
        F(transpose_quads)(x);
        for (int64_t s = 0; s < steps; ++s) F(store_quad)(out + (p + s) * width + w, x[s]);
      }
    }
    return;
  }
  for (int64_t p = 0; p < k; ++p) {
    const T *from = in + p * in_p;
    T *to = out + p * width;
    if (in_w == 1 && valid == width) {
      memcpy(to, from, (size_t)width * sizeof(T));
    } else {
      for (int64_t w = 0; w < valid; ++w) to[w] = from[w * in_w];
      for (int64_t w = valid; w < width; ++w) to[w] = 0;
    }
  }
}

// `count` whole strips of `width` at once, where a step's entries of them all lie side by side (in_w is 1). The next step's may lie
// on another page, which the processor does not foresee: they are asked for a few steps ahead. Strips begin `strip` apart.
SK_INLINE void F(pack_strips)(const int64_t count, const int64_t width, int64_t k, const T *in, int64_t in_p, T *out,
                              int64_t strip) {
  for (int64_t p = 0; p < k; ++p, in += in_p, out += width) {
    const T *from = in;
    T *to = out;
    for (int64_t w = 0; w < count * width; w += 64 / (int64_t)sizeof(T)) __builtin_prefetch(in + 8 * in_p + w);
    for (int64_t q = 0; q < count; ++q, from += width, to += strip) memcpy(to, from, (size_t)width * sizeof(T));
  }
}

// Strips of A that are packed at once, and their rows.
enum { F(STRIPS) = 48 / SK_GEMM_ROWS, F(STRIPS_ROWS) = F(STRIPS) * SK_GEMM_ROWS };

// Columns begin ..< end of op(B), k rows of it, as panels of TILE_N columns, each depth x TILE_N, of which the k rows from
// `out` on are written.
static void F(pack_panels)(int64_t begin, int64_t end, int64_t k, const T *b, int64_t ldb, int trans_b, T *out,
                           int64_t depth) {
  enum { PANELS = 4, TOGETHER = PANELS * F(TILE_N) };
  int64_t first = begin;
  for (; !trans_b && end - first >= TOGETHER; first += TOGETHER, out += depth * TOGETHER)
    F(pack_strips)(PANELS, F(TILE_N), k, b + first, ldb, out, depth * F(TILE_N));
  for (int64_t j = first; j < end; j += F(TILE_N), out += depth * F(TILE_N)) {
    int64_t valid = SK_MIN_OF(F(TILE_N), end - j);
    if (trans_b) F(pack_strip)(valid, F(TILE_N), k, b + j * ldb, ldb, 1, out);
    else F(pack_strip)(valid, F(TILE_N), k, b + j, 1, ldb, out);
  }
}

static size_t F(packed_count)(int64_t n, int64_t k) {
  return (size_t)((n + F(TILE_N) - 1) / F(TILE_N) * F(TILE_N) * k);
}

_Static_assert(SK_PACK_ROWS % F(TILE_N) == 0, "parts of a transposed matrix are whole panels");

static void F(pack)(int64_t n, int64_t k, const T *b, int64_t ldb, int trans_b, int64_t begin, int64_t end, T *packed) {
  if (trans_b) F(pack_panels)(begin, end, k, b, ldb, 1, packed + begin * k, k);
  else F(pack_panels)(0, n, end - begin, b + begin * ldb, ldb, 0, packed + begin * F(TILE_N), k);
}
