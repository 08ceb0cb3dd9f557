// Group normalisation (Wu & He 2018, equations 1 to 4) with scale, shift and SiLU, and its gradient.
//
//   y = act(scale (x - mean) r + shift),   r = 1 / sqrt(var + eps)
//
// An image is read three times (mean, variance, result), or four (and the sums of the gradient), while it lies in the cache.
// Channels are lanes. Sums over pixels go in runs of RUN, so that the error grows with the run and with the number of runs, and
// never depend on the target or on the other images. A pixel's channels lie `row` entries from the next one's: some of the
// groups can be taken as an image of their own.

#define V F(vec)
#define LANES F(LANES)
#define RUN 32

// Each group's sum of its channels' numbers, times `factor`, repeated for its channels, in place.
SK_INLINE void F(norm_fold)(int64_t channels, int64_t groups, T factor, T *x) {
  const int64_t size = channels / groups;
  for (int64_t g = 0; g < groups; ++g) {
    T sum = 0;
    for (int64_t c = 0; c < size; ++c) sum += x[g * size + c];
    sum *= factor;
    for (int64_t c = 0; c < size; ++c) x[g * size + c] = sum;
  }
}

// CALL(vectors, some) for all channels, from c on each time: two vectors where they are whole, as what lies side by side is best read
// together, or one of which `some` entries count.
#define EACH_CHANNEL(CALL)                                                                                             \
  for (int64_t c = 0, step; c < channels; c += step) {                                                                 \
    const int64_t left = channels - c;                                                                                 \
    step = left >= 2 * LANES ? 2 * LANES : LANES;                                                                      \
    if (left >= 2 * LANES) CALL(2, LANES);                                                                             \
    else CALL(1, left);                                                                                                \
  }
#define EACH_VECTOR _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; ++v)

// Sums over pixels of x, or of (x - center)^2 where there is a center.
SK_INLINE void F(norm_total)(const int vectors, const int64_t some, int64_t pixels, int64_t row, const T *x,
                             const T *center, T *out) {
  V total[2], middle[2], sum[2];
  EACH_VECTOR total[v] = (V)((T)0);
  if (center) EACH_VECTOR middle[v] = F(load_part)(center + v * LANES, some);
  for (int64_t p = 0; p < pixels;) {
    EACH_VECTOR sum[v] = (V)((T)0);
    for (const int64_t stop = SK_MIN_OF(pixels, p + RUN); p < stop; ++p)
      EACH_VECTOR {
        const V entry = F(load_part)(x + p * row + v * LANES, some);
        sum[v] = center ? FMA(entry - middle[v], entry - middle[v], sum[v]) : sum[v] + entry;
      }
    EACH_VECTOR total[v] += sum[v];
  }
  EACH_VECTOR F(store_part)(out + v * LANES, total[v], some);
}

// mean[c] and r[c] of the groups of one image.
static void F(norm_moments)(int64_t pixels, int64_t row, int64_t channels, int64_t groups, T eps, const T *x, T *mean,
                            T *r) {
  const T factor = (T)1 / (T)(pixels * (channels / groups));
#define MEAN(vectors, some) F(norm_total)(vectors, some, pixels, row, x + c, NULL, mean + c)
#define VARIANCE(vectors, some) F(norm_total)(vectors, some, pixels, row, x + c, mean + c, r + c)
  EACH_CHANNEL(MEAN)
  F(norm_fold)(channels, groups, factor, mean);
  EACH_CHANNEL(VARIANCE)
  F(norm_fold)(channels, groups, factor, r);
  for (int64_t c = 0; c < channels; ++c) r[c] = (T)1 / (T)sqrt((double)(r[c] + eps));
}

// act((x - center) factor + shift).
SK_INLINE void F(norm_apply)(const int vectors, const int64_t some, int64_t pixels, int64_t row, const T *x,
                             const T *center, const T *factor, const T *shift, const int silu, T *y) {
  for (int64_t p = 0; p < pixels; ++p, x += row, y += row)
    EACH_VECTOR {
      const int64_t c = v * LANES;
      const V d = F(load_part)(x + c, some) - F(load_part)(center + c, some);
      const V value = FMA(d, F(load_part)(factor + c, some), F(load_part)(shift + c, some));
      F(store_part)(y + c, silu ? F(silu)(value) : value, some);
    }
}

static void F(group_norm)(int64_t begin, int64_t end, int64_t pixels, int64_t channels, int64_t groups, T eps, const T *x,
                          const T *scale, const T *shift, int silu, T *y, void *scratch) {
  T *mean = scratch, *factor = mean + channels;
  if (pixels <= 0 || channels <= 0) return;
#define APPLY(vectors, some)                                                                                           \
  F(norm_apply)(vectors, some, pixels, channels, x + at + c, mean + c, factor + c, shift + c, 0, y + at + c)
#define APPLY_SILU(vectors, some)                                                                                      \
  F(norm_apply)(vectors, some, pixels, channels, x + at + c, mean + c, factor + c, shift + c, 1, y + at + c)
  for (int64_t i = begin; i < end; ++i) {
    const int64_t at = i * pixels * channels;
    F(norm_moments)(pixels, channels, channels, groups, eps, x + at, mean, factor);
    for (int64_t c = 0; c < channels; ++c) factor[c] *= scale[c];
    if (silu) EACH_CHANNEL(APPLY_SILU)
    else EACH_CHANNEL(APPLY)
  }
}

// sum_g[c] and sum_gx[c]: sums over pixels of g, the gradient before the activation, and of g times x - center; g goes to `out`
// where that is not NULL.
SK_INLINE void F(norm_sums)(const int vectors, const int64_t some, int64_t pixels, int64_t row, const T *x, const T *center,
                            const T *factor, const T *shift, const int silu, const T *dy, T *out, T *sum_g, T *sum_gx) {
  V total_g[2], total_gx[2], run_g[2], run_gx[2];
  EACH_VECTOR total_g[v] = total_gx[v] = (V)((T)0);
  for (int64_t p = 0; p < pixels;) {
    EACH_VECTOR run_g[v] = run_gx[v] = (V)((T)0);
    for (const int64_t stop = SK_MIN_OF(pixels, p + RUN); p < stop; ++p)
      EACH_VECTOR {
        const int64_t c = v * LANES, at = p * row + c;
        const V d = F(load_part)(x + at, some) - F(load_part)(center + c, some);
        V g = F(load_part)(dy + at, some);
        if (silu) g = F(silu_grad)(FMA(d, F(load_part)(factor + c, some), F(load_part)(shift + c, some)), g);
        if (out) F(store_part)(out + at, g, some);
        run_g[v] += g;
        run_gx[v] = FMA(g, d, run_gx[v]);
      }
    EACH_VECTOR {
      total_g[v] += run_g[v];
      total_gx[v] += run_gx[v];
    }
  }
  EACH_VECTOR {
    F(store_part)(sum_g + v * LANES, total_g[v], some);
    F(store_part)(sum_gx + v * LANES, total_gx[v], some);
  }
}

// dx = g factor - a - b (x - center), in place of g.
SK_INLINE void F(norm_input_gradient)(const int vectors, const int64_t some, int64_t pixels, int64_t row, const T *x,
                                      const T *center, const T *factor, const T *a, const T *b, T *g) {
  for (int64_t p = 0; p < pixels; ++p, x += row, g += row)
    EACH_VECTOR {
      const int64_t c = v * LANES;
      const V d = F(load_part)(x + c, some) - F(load_part)(center + c, some);
      const V direct = FMA(F(load_part)(g + c, some), F(load_part)(factor + c, some), -F(load_part)(a + c, some));
      F(store_part)(g + c, direct - F(load_part)(b + c, some) * d, some);
    }
}

// With s = scale g, the gradient before the scale: dx = r (s - mean(s) - mean(s (x - mean) r) (x - mean) r), means over a group.
static void F(group_norm_gradient)(int64_t begin, int64_t end, int64_t first_group, int64_t last_group, int64_t pixels,
                                   int64_t row, int64_t all_groups, T eps, const T *x, const T *scale, const T *shift,
                                   int silu, const T *dy, T *dx, T *dscale, T *dshift, void *scratch) {
  const int64_t size = row / all_groups, c0 = first_group * size, groups = last_group - first_group, channels = groups * size;
  T *mean = scratch, *r = mean + channels, *factor = r + channels, *sum_g = factor + channels, *sum_gx = sum_g + channels;
  const T share = (T)1 / (T)(pixels * size);
  scale += c0;
  shift += c0;
  for (int64_t c = 0; c < channels; ++c) {
    if (dscale) dscale[c0 + c] = 0;
    if (dshift) dshift[c0 + c] = 0;
  }
  if (pixels <= 0 || channels <= 0) return;
#define SUMS(vectors, some)                                                                                            \
  F(norm_sums)(vectors, some, pixels, row, x + at + c, mean + c, factor + c, shift + c, 0, dy + at + c,                \
               out ? out + c : NULL, sum_g + c, sum_gx + c)
#define SUMS_SILU(vectors, some)                                                                                       \
  F(norm_sums)(vectors, some, pixels, row, x + at + c, mean + c, factor + c, shift + c, 1, dy + at + c,                \
               out ? out + c : NULL, sum_g + c, sum_gx + c)
#define INPUT(vectors, some)                                                                                           \
  F(norm_input_gradient)(vectors, some, pixels, row, x + at + c, mean + c, factor + c, sum_g + c, sum_gx + c, out + c)
  for (int64_t i = begin; i < end; ++i) {
    const int64_t at = i * pixels * row + c0;
    F(norm_moments)(pixels, row, channels, groups, eps, x + at, mean, r);
    T *out = dx ? dx + at : NULL;
    for (int64_t c = 0; c < channels; ++c) factor[c] = r[c] * scale[c];
    if (silu) EACH_CHANNEL(SUMS_SILU)
    else EACH_CHANNEL(SUMS)
    for (int64_t c = 0; c < channels; ++c) {
      sum_gx[c] *= r[c];
      if (dscale) dscale[c0 + c] += sum_gx[c];
      if (dshift) dshift[c0 + c] += sum_g[c];
    }
    if (!out) continue;
    for (int64_t c = 0; c < channels; ++c) {
      sum_g[c] *= scale[c];
      sum_gx[c] *= scale[c];
    }
    F(norm_fold)(channels, groups, share, sum_g);
    F(norm_fold)(channels, groups, share, sum_gx);
    for (int64_t c = 0; c < channels; ++c) {
      sum_g[c] *= r[c];
      sum_gx[c] *= r[c] * r[c];
    }
    EACH_CHANNEL(INPUT)
  }
}

#undef V
#undef LANES
#undef RUN
#undef EACH_CHANNEL
#undef EACH_VECTOR
#undef MEAN
#undef VARIANCE
#undef APPLY
#undef APPLY_SILU
#undef SUMS
#undef SUMS_SILU
#undef INPUT
