// Sums of scaled vectors, strided copies, and the optimiser's step: loops that the compiler vectorises, since
// each entry is computed alone. Fused multiply-adds are written out, so scalar remainders have the bits of the lanes.

// Where out is an operand, the compiler's own check for overlap would choose its scalar loop; but each turn replaces only the
// entry that it has read. Operands that overlap in part are not allowed.
#define SK_EACH(count) \
  _Pragma("clang loop vectorize(assume_safety)") for (int64_t i = 0; i < (count); ++i)

static void F(combine)(int64_t n, T a, const T *x, T b, const T *y, T c, const T *z, T *out) {
  if (y && z)
    SK_EACH(n) out[i] = FMA(c, z[i], FMA(b, y[i], a * x[i]));
  else if (y)
    SK_EACH(n) out[i] = FMA(b, y[i], a * x[i]);
  else if (z)
    SK_EACH(n) out[i] = FMA(c, z[i], a * x[i]);
  else
    SK_EACH(n) out[i] = a * x[i];
}

static void F(combine_rows)(int64_t rows, int64_t columns, const T *a, const T *x, const T *b, const T *y, const T *c,
                            const T *z, T *out) {
  if (columns >= F(WIDE)) {
    for (int64_t r = 0; r < rows; ++r) {
      int64_t at = r * columns;
      F(combine)(columns, a[r], x + at, y ? b[r] : 0, y ? y + at : NULL, z ? c[r] : 0, z ? z + at : NULL, out + at);
    }
    return;
  }
  // Short rows: spread the coefficients over several rows, then treat those as one.
  enum { SPAN = 512 };
  T ea[SPAN], eb[SPAN], ec[SPAN];
  if (columns < 1) return;
  for (int64_t r = 0, chunk; r < rows; r += chunk) {
    chunk = SK_MIN_OF(SPAN / columns, rows - r);
    const int64_t count = chunk * columns, at = r * columns;
    for (int64_t i = 0; i < chunk; ++i)
      for (int64_t j = 0; j < columns; ++j) {
        ea[i * columns + j] = a[r + i];
        eb[i * columns + j] = y ? b[r + i] : 0;
        ec[i * columns + j] = z ? c[r + i] : 0;
      }
    const T *px = x + at, *py = y ? y + at : NULL, *pz = z ? z + at : NULL;
    T *to = out + at;
    if (py && pz)
      SK_EACH(count) to[i] = FMA(ec[i], pz[i], FMA(eb[i], py[i], ea[i] * px[i]));
    else if (py)
      SK_EACH(count) to[i] = FMA(eb[i], py[i], ea[i] * px[i]);
    else if (pz)
      SK_EACH(count) to[i] = FMA(ec[i], pz[i], ea[i] * px[i]);
    else
      SK_EACH(count) to[i] = ea[i] * px[i];
  }
}

#undef SK_EACH

// rows x columns entries from src[i * src_row + j] to dst[i + j * dst_column]: a transposition.
static void F(transpose)(int64_t rows, int64_t columns, const T *src, int64_t src_row, T *dst, int64_t dst_column) {
  int64_t i = 0;
  for (; i + 4 <= rows; i += 4) {
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) {
      F(quad) x[4];
      for (int q = 0; q < 4; ++q) x[q] = F(load_quad)(src + (i + q) * src_row + j);
      F(transpose_quads)(x);
      for (int q = 0; q < 4; ++q) F(store_quad)(dst + i + (j + q) * dst_column, x[q]);
    }
    for (; j < columns; ++j)
      for (int q = 0; q < 4; ++q) dst[i + q + j * dst_column] = src[(i + q) * src_row + j];
  }
  for (; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) dst[i + j * dst_column] = src[i * src_row + j];
}

static void F(copy_axes)(int rank, const int64_t *size, const int64_t *src_stride, const int64_t *dst_stride,
                         const T *src, T *dst) {
  if (rank == 0) {
    dst[0] = src[0];
  } else if (rank == 1) {
    if (src_stride[0] == 1 && dst_stride[0] == 1)
      memcpy(dst, src, (size_t)size[0] * sizeof(T));
    else
      for (int64_t i = 0; i < size[0]; ++i) dst[i * dst_stride[0]] = src[i * src_stride[0]];
  } else if (rank == 2 && src_stride[1] == 1 && dst_stride[0] == 1) {
    F(transpose)(size[0], size[1], src, src_stride[0], dst, dst_stride[1]);
  } else if (rank == 2 && src_stride[0] == 1 && dst_stride[1] == 1) {
    F(transpose)(size[1], size[0], src, src_stride[1], dst, dst_stride[0]);
  } else {
    for (int64_t i = 0; i < size[0]; ++i)
      F(copy_axes)(rank - 1, size + 1, src_stride + 1, dst_stride + 1, src + i * src_stride[0],
                   dst + i * dst_stride[0]);
  }
}

static void F(copy_strided)(int32_t rank, const int64_t *size, const int64_t *src_stride, const int64_t *dst_stride,
                            int64_t begin, int64_t end, const T *src, T *dst) {
  if (begin >= end) return;
  int64_t n[SK_MAX_RANK], s[SK_MAX_RANK], d[SK_MAX_RANK];
  int merged = 0;
  for (int axis = 0; axis < rank; ++axis) {
    int64_t count = axis == 0 ? end - begin : size[axis];
    if (count == 0) return;
    if (count == 1) continue;
    int last = merged - 1;
    if (last >= 0 && s[last] == count * src_stride[axis] && d[last] == count * dst_stride[axis]) {
      n[last] *= count;
      s[last] = src_stride[axis];
      d[last] = dst_stride[axis];
    } else {
      n[merged] = count;
      s[merged] = src_stride[axis];
      d[merged++] = dst_stride[axis];
    }
  }
  int64_t from = rank > 0 ? begin * src_stride[0] : 0, to = rank > 0 ? begin * dst_stride[0] : 0;
  F(copy_axes)(merged, n, s, d, src + from, dst + to);
}

// Divisions and roots come no faster from registers of 64 bytes than from two of 32, and these overlap better: 0.33 ns an
// entry instead of 0.50 (Zen 4).
#define SK_EACH_QUOTIENT(count) \
  _Pragma("clang loop vectorize_width(32 / sizeof(T)) interleave_count(2)") for (int64_t i = 0; i < (count); ++i)

static void F(adam)(int64_t n, const T *gradient, T scale, T *restrict parameter, T *restrict m, T *restrict v,
                    T *restrict average, T step, T b1, T b2, T inv_sqrt_c2, T eps, T decay) {
  // 1 - b2 is small, so its rounding matters little; it is exact for b2 in 0.5 … 1.
  const T c1 = 1 - b1, c2 = 1 - b2, keep = 1 - decay;
  if (average) {
    SK_EACH_QUOTIENT(n) {
      T g = scale * gradient[i];
      T first = FMA(b1, m[i], c1 * g), second = FMA(b2, v[i], c2 * (g * g));
      T p = parameter[i] - step * first / FMA(__builtin_elementwise_sqrt(second), inv_sqrt_c2, eps);
      m[i] = first;
      v[i] = second;
      parameter[i] = p;
      average[i] = FMA(keep, p - average[i], average[i]);
    }
  } else {
    SK_EACH_QUOTIENT(n) {
      T g = scale * gradient[i];
      T first = FMA(b1, m[i], c1 * g), second = FMA(b2, v[i], c2 * (g * g));
      m[i] = first;
      v[i] = second;
      parameter[i] -= step * first / FMA(__builtin_elementwise_sqrt(second), inv_sqrt_c2, eps);
    }
  }
}

#undef SK_EACH_QUOTIENT
