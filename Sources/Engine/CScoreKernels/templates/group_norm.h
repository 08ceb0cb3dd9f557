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

SK_INLINE V F(load_some)(const T *p, int64_t count) {
  if (count >= LANES) return F(load)(p);
  T part[LANES] = {0};
  memcpy(part, p, (size_t)count * sizeof(T));
  return F(load)(part);
}

SK_INLINE void F(store_some)(T *p, V x, int64_t count) {
  if (count >= LANES) {
    F(store)(p, x);
    return;
  }
  T part[LANES];
  F(store)(part, x);
  memcpy(p, part, (size_t)count * sizeof(T));
}


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

// mean[c] and r[c] of the groups of one image.
static void F(norm_moments)(int64_t pixels, int64_t row, int64_t channels, int64_t groups, T eps, const T *x, T *mean,
                            T *r) {
  const T factor = (T)1 / (T)(pixels * (channels / groups));
  for (int64_t c = 0; c < channels; c += LANES) {
    const int64_t some = channels - c;
    V total = (V)((T)0);
    for (int64_t p = 0; p < pixels;) {
      V sum = (V)((T)0);
      for (const int64_t stop = SK_MIN_OF(pixels, p + RUN); p < stop; ++p) sum += F(load_some)(x + p * row + c, some);
      total += sum;
    }
    F(store_some)(mean + c, total, some);
  }
  F(norm_fold)(channels, groups, factor, mean);
  for (int64_t c = 0; c < channels; c += LANES) {
    const int64_t some = channels - c;
    const V center = F(load_some)(mean + c, some);
    V total = (V)((T)0);
    for (int64_t p = 0; p < pixels;) {
      V sum = (V)((T)0);
      for (const int64_t stop = SK_MIN_OF(pixels, p + RUN); p < stop; ++p) {
        const V d = F(load_some)(x + p * row + c, some) - center;
        sum = FMA(d, d, sum);
      }
      total += sum;
    }
    F(store_some)(r + c, total, some);
  }
  F(norm_fold)(channels, groups, factor, r);
  for (int64_t c = 0; c < channels; ++c) r[c] = (T)1 / (T)sqrt((double)(r[c] + eps));
}

SK_INLINE void F(norm_apply)(int64_t pixels, int64_t channels, const T *x, const T *mean, const T *r, const T *scale,
                             const T *shift, const int silu, T *y) {
  for (int64_t c = 0; c < channels; c += LANES) {
    const int64_t some = channels - c;
    const V center = F(load_some)(mean + c, some), factor = F(load_some)(r + c, some) * F(load_some)(scale + c, some);
    const V offset = F(load_some)(shift + c, some);
    for (int64_t p = 0; p < pixels; ++p) {
      const V value = FMA(F(load_some)(x + p * channels + c, some) - center, factor, offset);
      F(store_some)(y + p * channels + c, silu ? F(silu)(value) : value, some);
    }
  }
}

static void F(group_norm)(int64_t begin, int64_t end, int64_t pixels, int64_t channels, int64_t groups, T eps, const T *x,
                          const T *scale, const T *shift, int silu, T *y, void *scratch) {
  T *mean = scratch, *r = mean + channels;
  if (pixels <= 0 || channels <= 0) return;
  for (int64_t i = begin; i < end; ++i) {
    const T *image = x + i * pixels * channels;
    F(norm_moments)(pixels, channels, channels, groups, eps, image, mean, r);
    if (silu) F(norm_apply)(pixels, channels, image, mean, r, scale, shift, 1, y + i * pixels * channels);
    else F(norm_apply)(pixels, channels, image, mean, r, scale, shift, 0, y + i * pixels * channels);
  }
}

// sum_g[c] and sum_gx[c]: sums over pixels of g, the gradient before the activation, and of g times the normalised x; g
// goes to `out` where that is not NULL.
SK_INLINE void F(norm_sums)(int64_t pixels, int64_t row, int64_t channels, const T *x, const T *mean, const T *r,
                            const T *scale, const T *shift, const int silu, const T *dy, T *out, T *sum_g, T *sum_gx) {
  for (int64_t c = 0; c < channels; c += LANES) {
    const int64_t some = channels - c;
    const V center = F(load_some)(mean + c, some), inverse = F(load_some)(r + c, some);
    const V factor = inverse * F(load_some)(scale + c, some), offset = F(load_some)(shift + c, some);
    V total_g = (V)((T)0), total_gx = (V)((T)0);
    for (int64_t p = 0; p < pixels;) {
      V run_g = (V)((T)0), run_gx = (V)((T)0);
      for (const int64_t stop = SK_MIN_OF(pixels, p + RUN); p < stop; ++p) {
        const V d = F(load_some)(x + p * row + c, some) - center;
        V g = F(load_some)(dy + p * row + c, some);
        if (silu) g = F(silu_grad)(FMA(d, factor, offset), g);
        if (out) F(store_some)(out + p * row + c, g, some);
        run_g += g;
        run_gx = FMA(g, d, run_gx);
      }
      total_g += run_g;
      total_gx += run_gx;
    }
    F(store_some)(sum_g + c, total_g, some);
    F(store_some)(sum_gx + c, total_gx * inverse, some);
  }
}

// dx = r (scale g - a - b (x - mean) r), a and b the groups' means of scale g and of scale g (x - mean) r.
static void F(norm_input_gradient)(int64_t pixels, int64_t row, int64_t channels, int64_t groups, const T *x,
                                   const T *mean, const T *r, const T *scale, const T *g, T *sum_g, T *sum_gx, T *dx) {
  const T factor = (T)1 / (T)(pixels * (channels / groups));
  for (int64_t c = 0; c < channels; ++c) {
    sum_g[c] *= scale[c];
    sum_gx[c] *= scale[c];
  }
  F(norm_fold)(channels, groups, factor, sum_g);
  F(norm_fold)(channels, groups, factor, sum_gx);
  for (int64_t c = 0; c < channels; c += LANES) {
    const int64_t some = channels - c;
    const V center = F(load_some)(mean + c, some), inverse = F(load_some)(r + c, some);
    const V by = inverse * F(load_some)(scale + c, some), a = inverse * F(load_some)(sum_g + c, some);
    const V b = inverse * inverse * F(load_some)(sum_gx + c, some);
    for (int64_t p = 0; p < pixels; ++p) {
      const int64_t at = p * row + c;
      const V d = F(load_some)(x + at, some) - center;
      F(store_some)(dx + at, FMA(F(load_some)(g + at, some), by, -a) - b * d, some);
    }
  }
}

static void F(group_norm_gradient)(int64_t begin, int64_t end, int64_t first_group, int64_t last_group, int64_t pixels,
                                   int64_t row, int64_t all_groups, T eps, const T *x, const T *scale, const T *shift,
                                   int silu, const T *dy, T *dx, T *dscale, T *dshift, void *scratch) {
  const int64_t size = row / all_groups, c0 = first_group * size, groups = last_group - first_group, channels = groups * size;
  T *mean = scratch, *r = mean + channels, *sum_g = r + channels, *sum_gx = sum_g + channels;
  scale += c0;
  shift += c0;
  for (int64_t c = 0; c < channels; ++c) {
    if (dscale) dscale[c0 + c] = 0;
    if (dshift) dshift[c0 + c] = 0;
  }
  if (pixels <= 0 || channels <= 0) return;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t at = i * pixels * row + c0;
    F(norm_moments)(pixels, row, channels, groups, eps, x + at, mean, r);
    T *out = dx ? dx + at : NULL;
    if (silu) F(norm_sums)(pixels, row, channels, x + at, mean, r, scale, shift, 1, dy + at, out, sum_g, sum_gx);
    else F(norm_sums)(pixels, row, channels, x + at, mean, r, scale, shift, 0, dy + at, out, sum_g, sum_gx);
    for (int64_t c = 0; c < channels; ++c) {
      if (dscale) dscale[c0 + c] += sum_gx[c];
      if (dshift) dshift[c0 + c] += sum_g[c];
    }
    if (out) F(norm_input_gradient)(pixels, row, channels, groups, x + at, mean, r, scale, out, sum_g, sum_gx, out);
  }
}

#undef V
#undef LANES
#undef RUN
