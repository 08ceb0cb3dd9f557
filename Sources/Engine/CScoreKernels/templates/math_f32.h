// Elementary functions of Float, one vector at a time.
//
// Each brings its argument into a small interval exactly or nearly so, evaluates a polynomial fitted there by Remez
// exchange, and undoes the reduction. No table look-ups, no branches on the value but for sin and cos of huge arguments.
// Infinities and NaN come out as in C's library; results below the smallest normal number are rounded once, save where
// noted. Largest errors measured, in units in the last place (ulp), over every 499th Float of the range, and over every single
// one where they are largest, against Double; the accuracy tests hold them up to a tenth higher:
//
//   function   with FMA  without   range                function   with FMA  without   range
//   exp        1.05      1.03      all                  tanh       2.52      2.56      all
//   expm1      1.61      1.74      all                  sigmoid    2.41      2.41      all
//   log        0.86      0.86      all                  silu       2.40      2.47      above -88
//   log1p      1.44      1.44      all                  softplus   1.71      1.71      all
//   sin        1.56      1.56      all                  erf        2.77      2.77      all
//   cos        1.57      1.58      all
//
// To add a function: write it here and in math_f64.h under the same name, then follow operations.h.

#define V vec_f32
#define VI ivec_f32
#define K(c) ((V)(c))

// t = n + shift for the integer n nearest to x / ln 2, and r = x - n ln 2. The shift makes n + 127 the low bits of t.
#define SK_EXP_SHIFT (0x1.8p23f + 127)
SK_INLINE V exp_reduce_f32(V x, V *t) {
  *t = FMA(x, K(0x1.715476p+0f), K(SK_EXP_SHIFT));
  V n = *t - SK_EXP_SHIFT;
  // The high part of ln 2 has 15 bits, so n times it is exact with or without FMA.
  return FMA(n, K(-0x1.7f7d1cp-20f), FMA(n, K(-0x1.62e4p-1f), x));
}

// (e^y - 1 - y) / y^2 at y = sign r, for |r| <= ln 2 / 2.
SK_INLINE V exp_quotient_f32(const float sign, V r) {
  V q = FMA(K(0x1.6d9b34p-10f), r, K(sign * 0x1.122990p-7f));
  q = FMA(q, r, K(0x1.555484p-5f));
  q = FMA(q, r, K(sign * 0x1.5554aep-3f));
  return FMA(q, r, K(0.5f));
}

// e^r - 1 for |r| <= ln 2 / 2.
SK_INLINE V exp_polynomial_f32(V r) { return FMA(r * r, exp_quotient_f32(1.0f, r), r); }

// 2^n from t = n + shift, for n in -126 … 128 (which gives infinity).
SK_INLINE V exp_scale_f32(V t) { return (V)((VI)t << 23); }

// e^-x = result * scale, a power of 2, with no operation for the sign: r = x + n ln 2, and e^-r = 1 - r (1 - r q).
SK_INLINE V exp_minus_f32(V x, V *scale) {
  V t = FMA(x, K(-0x1.715476p+0f), K(SK_EXP_SHIFT)), n = t - SK_EXP_SHIFT;
  V r = FMA(n, K(0x1.7f7d1cp-20f), FMA(n, K(0x1.62e4p-1f), x));
  *scale = exp_scale_f32(t);
  return FMA(-FMA(-exp_quotient_f32(-1.0f, r), r, K(1.0f)), r, K(1.0f));
}

SK_INLINE V exp_f32(V x) {
  x = x > 89.0f ? K(89.0f) : x;
  x = x < -104.0f ? K(-104.0f) : x;
  V t, r = exp_reduce_f32(x, &t);
  // Two factors, since 2^n alone leaves the range of normal numbers before the product does.
  VI n = (VI)t - (VI)K(SK_EXP_SHIFT), half = n >> 1;
  return (1.0f + exp_polynomial_f32(r)) * (V)((half + 127) << 23) * (V)((n - half + 127) << 23);
}

SK_INLINE V expm1_f32(V x) {
  V c = x > 89.0f ? K(89.0f) : x;
  c = c < -20.0f ? K(-20.0f) : c;
  V t, r = exp_reduce_f32(c, &t), p = exp_polynomial_f32(r);
  V s = exp_scale_f32(t - 1.0f);  // 2^(n-1), so that n = 128 stays finite
  V y = 2.0f * FMA(s, p, s - 0.5f);
  V a = __builtin_elementwise_abs(x);
  return a < 0x1p-25f ? x : y;
}

// e ln 2 + log(1 + f) for f in sqrt(1/2) - 1 … sqrt(2) - 1.
SK_INLINE V log_polynomial_f32(V f, V e) {
  V z = f * f;
  V q = FMA(K(-0x1.38b4f4p-4f), f, K(0x1.056584p-3f));
  q = FMA(q, f, K(-0x1.0d8a08p-3f));
  q = FMA(q, f, K(0x1.22d918p-3f));
  q = FMA(q, f, K(-0x1.5471b6p-3f));
  q = FMA(q, f, K(0x1.99a00ep-3f));
  q = FMA(q, f, K(-0x1.000228p-2f));
  q = FMA(q, f, K(0x1.555554p-2f));
  V y = FMA(e, K(0x1.7f7d1cp-20f), (z * f) * q);
  return FMA(e, K(0x1.62e4p-1f), f + FMA(K(-0.5f), z, y));
}

// x = 2^e (1 + f) for a normal x, with 1 + f in sqrt(1/2) … sqrt(2).
SK_INLINE V log_reduce_f32(V x, V *e) {
  VI i = (VI)x - 0x3f3504f3;
  *e = __builtin_convertvector(i >> 23, V);
  return (V)((i & 0x7fffff) + 0x3f3504f3) - 1.0f;
}

SK_INLINE V log_f32(V x) {
  V tiny = x < 0x1p-126f ? K(0x1p23f) : K(1.0f), e;
  V f = log_reduce_f32(x * tiny, &e);
  e = x < 0x1p-126f ? e - 23.0f : e;
  V y = log_polynomial_f32(f, e);
  y = x < INFINITY ? y : x;  // infinity and NaN give themselves
  return x > 0.0f ? y : (x == 0.0f ? K(-INFINITY) : x - x + NAN);
}

// log(1 + x) for finite x > -1.
SK_INLINE V log1p_finite_f32(V x) {
  V u = 1.0f + x, rounded = u - 1.0f, e;
  V lost = (1.0f - (u - rounded)) + (x - rounded);  // 1 + x - u, exactly
  V f = log_reduce_f32(u, &e);
  V scale = (V)((127 - __builtin_convertvector(e > 60.0f ? K(60.0f) : e, VI)) << 23);
  return log_polynomial_f32(FMA(lost, scale, f), e);
}

SK_INLINE V log1p_f32(V x) {
  V y = log1p_finite_f32(x);
  y = x < INFINITY ? y : x;
  y = x == 0.0f ? x : y;
  return x > -1.0f ? y : (x == -1.0f ? K(-INFINITY) : x - x + NAN);
}

// x = q pi/2 + r, |r| <= pi/4, for |x| <= SK_TRIG_LIMIT; q modulo 4 in the low bits.
#define SK_TRIG_LIMIT_F32 0x1p17f
SK_INLINE V trig_reduce_f32(V x, VI *q) {
#if SK_HAS_FMA
  V t = FMA(x, K(0x1.45f306p-1f), K(0x1.8p23f)), n = t - 0x1.8p23f;
  *q = (VI)t;
  return FMA(n, K(0x1.ee59dap-50f), FMA(n, K(0x1.777a5cp-25f), FMA(n, K(-0x1.921fb6p+0f), x)));
#else
  typedef double D __attribute__((ext_vector_type(LANES_f32)));
  D d = __builtin_convertvector(x, D), t = d * 0x1.45f306dc9c883p-1 + 0x1.8p52, n = t - 0x1.8p52;
  *q = __builtin_convertvector(n, VI);
  return __builtin_convertvector((d - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34, V);
#endif
}

// sin and cos for |r| <= pi/4.
SK_INLINE V sin_polynomial_f32(V r) {
  V z = r * r;
  V q = FMA(K(0x1.6cccc8p-19f), z, K(-0x1.a00f6ap-13f));
  q = FMA(q, z, K(0x1.111108p-7f));
  q = FMA(q, z, K(-0x1.555556p-3f));
  return FMA(r * z, q, r);
}

SK_INLINE V cos_polynomial_f32(V r) {
  V z = r * r;
  V q = FMA(K(0x1.9a699cp-16f), z, K(-0x1.6c0e68p-10f));
  q = FMA(q, z, K(0x1.55554ep-5f));
  return FMA(z * z, q, FMA(K(-0.5f), z, K(1.0f)));
}

SK_INLINE V sin_quarter_f32(V r, VI q) {
  V y = (q & 1) != 0 ? cos_polynomial_f32(r) : sin_polynomial_f32(r);
  return (V)((VI)y ^ ((q & 2) << 30));
}

static __attribute__((noinline)) void trig_huge_f32(int is_cos, const V *x, V *y) {
  for (int i = 0; i < LANES_f32; ++i)
    if (!(fabsf((*x)[i]) <= SK_TRIG_LIMIT_F32)) (*y)[i] = is_cos ? cosf((*x)[i]) : sinf((*x)[i]);
}

SK_INLINE V trig_f32(int is_cos, V x) {
  VI q;
  V r = trig_reduce_f32(x, &q);
  V y = sin_quarter_f32(r, is_cos ? q + 1 : q);
  VI huge = __builtin_elementwise_abs(x) > SK_TRIG_LIMIT_F32;
  if (__builtin_expect(__builtin_reduce_or(huge) != 0, 0)) trig_huge_f32(is_cos, &x, &y);
  return y;
}
SK_INLINE V sin_f32(V x) { return trig_f32(0, x); }
SK_INLINE V cos_f32(V x) { return trig_f32(1, x); }

SK_INLINE V copysign_f32(V magnitude, V sign) {
  return (V)(((VI)magnitude & 0x7fffffff) | ((VI)sign & (int32_t)0x80000000));
}

// tanh |x| = (e^2|x| - 1) / (e^2|x| + 1), with expm1 so that nothing cancels near 0.
SK_INLINE V tanh_f32(V x) {
  V a = __builtin_elementwise_abs(x);
  a = a > 10.0f ? K(10.0f) : a;
  V t, r = exp_reduce_f32(2.0f * a, &t), s = exp_scale_f32(t);
  V m = FMA(s, exp_polynomial_f32(r), s - 1.0f);
  return copysign_f32(m / (m + 2.0f), x);
}

SK_INLINE V sigmoid_f32(V x) {
  V z = exp_f32(-__builtin_elementwise_abs(x));
  return (x < 0.0f ? z : K(1.0f)) / (1.0f + z);
}

// x / (1 + e^-x), with one division and one scaling. Below -88.37 (results under 4e-37) 2^n is infinite and the result -0.
SK_INLINE V silu_f32(V x) {
  V c = x < -88.9f ? K(-88.9f) : x, low = c > 87.0f ? K(87.0f) : c, scale, e = exp_minus_f32(low, &scale);
  return c / FMA(e, scale, K(1.0f));
}

// d silu(x) / dx = s (1 + x (1 - s)), where s = sigmoid(x) and 1 - s = e^-x s; and silu(x) beside it, at little more cost.
SK_INLINE V silu_slope_f32(V x, V *value) {
  V c = x < -87.0f ? K(-87.0f) : x, low = c > 87.0f ? K(87.0f) : c;
  V scale, e = exp_minus_f32(low, &scale), d = FMA(e, scale, K(1.0f)), s = 1.0f / d;
  *value = c / d;
  return s * FMA(low, e * scale * s, K(1.0f));
}

SK_INLINE V silu_grad_f32(V x, V y) {
  V value;
  return y * silu_slope_f32(x, &value);
}

SK_INLINE V softplus_f32(V x) {
  V l = log1p_finite_f32(exp_f32(-__builtin_elementwise_abs(x)));
  return (x < 0.0f ? K(0.0f) : x) + l;
}

// x P(x^2) up to 0.92, then 1 - e^Q(|x|).
SK_INLINE V erf_f32(V x) {
  V a = __builtin_elementwise_abs(x), z = x * x;
  V p = FMA(K(0x1.5f953cp-14f), z, K(-0x1.ab105cp-11f));
  p = FMA(p, z, K(0x1.54df1ap-8f));
  p = FMA(p, z, K(-0x1.b810e8p-6f));
  p = FMA(p, z, K(0x1.ce2e24p-4f));
  p = FMA(p, z, K(-0x1.812744p-2f));
  p = FMA(p, z, K(0x1.20dd76p+0f));
  V b = a > 4.0f ? K(4.0f) : a;
  V q = FMA(K(-0x1.61ea2ap-16f), b, K(0x1.c790e8p-12f));
  q = FMA(q, b, K(-0x1.115acp-8f));
  q = FMA(q, b, K(0x1.9b8e78p-6f));
  q = FMA(q, b, K(-0x1.bb83e2p-4f));
  q = FMA(q, b, K(-0x1.44460cp-1f));
  q = FMA(q, b, K(-0x1.2127e4p+0f));
  q = FMA(q, b, K(0x1.6e564cp-13f));
  V t, r = exp_reduce_f32(q, &t), s = exp_scale_f32(t);
  V far = (1.0f - s) - s * exp_polynomial_f32(r);
  return a < 0.92f ? x * p : copysign_f32(far, x);
}

#undef SK_EXP_SHIFT
#undef V
#undef VI
#undef K
