// Elementary functions of Double, one vector at a time; the counterpart of math_f32.h, which tells how they work.
// Largest errors measured, in ulp, over 1.6 million random arguments and against 80-bit numbers; the accuracy tests hold them
// a tenth higher:
//
//   function   with FMA  without   range                function   with FMA  without   range
//   exp        0.97      0.94      all                  tanh       2.46      2.41      all
//   expm1      1.78      1.92      all                  sigmoid    2.23      2.23      all
//   log        0.78      0.78      all                  silu       1.96      1.96      above -708
//   log1p      1.26      1.26      all                  softplus   1.63      1.60      all
//   sin        1.46      1.46      all                  erf        C's library
//   cos        1.42      1.50      all                  pow        C's library
//
#define V vec_f64
#define VI ivec_f64
#define VU uvec_f64
#define K(c) ((V)(c))

// The shift makes n + 1023 the low bits of t.
#define SK_EXP_SHIFT (0x1.8p52 + 1023)
SK_INLINE V exp_reduce_f64(V x, V *t) {
  *t = FMA(x, K(0x1.71547652b82fep+0), K(SK_EXP_SHIFT));
  V n = *t - SK_EXP_SHIFT;
  return FMA(n, K(-0x1.473de6af278edp-34), FMA(n, K(-0x1.62e42fefp-1), x));
}

// (e^y - 1 - y) / y^2 at y = sign r, for |r| <= ln 2 / 2.
SK_INLINE V exp_quotient_f64(const double sign, V r) {
  V q = FMA(K(0x1.1f96438e68279p-29), r, K(sign * 0x1.af6021997a4f7p-26));
  q = FMA(q, r, K(0x1.27e4c5125fe1cp-22));
  q = FMA(q, r, K(sign * 0x1.71ddf79a0389ap-19));
  q = FMA(q, r, K(0x1.a01a01b0f7fc3p-16));
  q = FMA(q, r, K(sign * 0x1.a01a01b02701ep-13));
  q = FMA(q, r, K(0x1.6c16c16c14387p-10));
  q = FMA(q, r, K(sign * 0x1.111111110f61fp-7));
  q = FMA(q, r, K(0x1.555555555555ap-5));
  q = FMA(q, r, K(sign * 0x1.5555555555559p-3));
  return FMA(q, r, K(0.5));
}

// e^r - 1 for |r| <= ln 2 / 2.
SK_INLINE V exp_polynomial_f64(V r) { return FMA(r * r, exp_quotient_f64(1.0, r), r); }

// 2^n from t = n + shift, for n in -1022 … 1024 (which gives infinity).
SK_INLINE V exp_scale_f64(V t) { return (V)((VU)t << 52); }

// e^-x = result * scale, a power of 2, with no operation for the sign: r = x + n ln 2, and e^-r = 1 - r (1 - r q).
SK_INLINE V exp_minus_f64(V x, V *scale) {
  V t = FMA(x, K(-0x1.71547652b82fep+0), K(SK_EXP_SHIFT)), n = t - SK_EXP_SHIFT;
  V r = FMA(n, K(0x1.473de6af278edp-34), FMA(n, K(0x1.62e42fefp-1), x));
  *scale = exp_scale_f64(t);
  return FMA(-FMA(-exp_quotient_f64(-1.0, r), r, K(1.0)), r, K(1.0));
}

SK_INLINE V exp_f64(V x) {
  x = x > 710.0 ? K(710.0) : x;
  x = x < -746.0 ? K(-746.0) : x;
  V t, r = exp_reduce_f64(x, &t);
  V n = t - SK_EXP_SHIFT, half = FMA(n, K(0.5), K(SK_EXP_SHIFT));
  V rest = n - (half - SK_EXP_SHIFT) + SK_EXP_SHIFT;
  return (1.0 + exp_polynomial_f64(r)) * exp_scale_f64(half) * exp_scale_f64(rest);
}

SK_INLINE V expm1_f64(V x) {
  V c = x > 710.0 ? K(710.0) : x;
  c = c < -40.0 ? K(-40.0) : c;
  V t, r = exp_reduce_f64(c, &t), p = exp_polynomial_f64(r);
  V s = exp_scale_f64(t - 1.0);
  V y = 2.0 * FMA(s, p, s - 0.5);
  V a = __builtin_elementwise_abs(x);
  return a < 0x1p-54 ? x : y;
}

// e ln 2 + log(1 + f), by s = f / (2 + f), log(1 + f) = 2 s + s R(s^2).
SK_INLINE V log_polynomial_f64(V f, V e) {
  V s = f / (2.0 + f), z = s * s, h = 0.5 * f * f;
  V q = FMA(K(0x1.2f15ba65c93d3p-3), z, K(0x1.39a02f079f116p-3));
  q = FMA(q, z, K(0x1.74664d752b9a1p-3));
  q = FMA(q, z, K(0x1.c71c51c673de6p-3));
  q = FMA(q, z, K(0x1.249249423e4b2p-2));
  q = FMA(q, z, K(0x1.999999997f8a8p-2));
  q = FMA(q, z, K(0x1.5555555555593p-1));
  V low = FMA(s, h + z * q, e * 0x1.473de6af278edp-34);
  return FMA(e, K(0x1.62e42fefp-1), f - (h - low));
}

SK_INLINE V log_reduce_f64(V x, V *e) {
  // The exponent stays biased and positive, since there is no arithmetic shift of 64-bit lanes in AVX2.
  VU i = (VU)x + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  *e = (V)((i >> 52) | 0x4330000000000000u) - (0x1p52 + 1023);
  return (V)((i & 0xfffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
}

SK_INLINE V log_f64(V x) {
  V tiny = x < 0x1p-1022 ? K(0x1p52) : K(1.0), e;
  V f = log_reduce_f64(x * tiny, &e);
  e = x < 0x1p-1022 ? e - 52.0 : e;
  V y = log_polynomial_f64(f, e);
  y = x < (double)INFINITY ? y : x;
  return x > 0.0 ? y : (x == 0.0 ? K(-(double)INFINITY) : x - x + (double)NAN);
}

SK_INLINE V log1p_finite_f64(V x) {
  V u = 1.0 + x, rounded = u - 1.0, e;
  V lost = (1.0 - (u - rounded)) + (x - rounded);
  V f = log_reduce_f64(u, &e);
  V scale = (V)((VU)((0x1.8p52 + 1023) - (e > 60.0 ? K(60.0) : e)) << 52);  // 2^-e
  return log_polynomial_f64(FMA(lost, scale, f), e);
}

SK_INLINE V log1p_f64(V x) {
  V y = log1p_finite_f64(x);
  y = x < (double)INFINITY ? y : x;
  y = x == 0.0 ? x : y;
  return x > -1.0 ? y : (x == -1.0 ? K(-(double)INFINITY) : x - x + (double)NAN);
}

#define SK_TRIG_LIMIT_F64 0x1p19
SK_INLINE V trig_reduce_f64(V x, VI *q) {
  V t = FMA(x, K(0x1.45f306dc9c883p-1), K(0x1.8p52)), n = t - 0x1.8p52;
  *q = (VI)t;
#if SK_HAS_FMA
  return FMA(n, K(0x1.f1976b7ed8fbcp-110), FMA(n, K(-0x1.1a62633145c07p-54), FMA(n, K(-0x1.921fb54442d18p+0), x)));
#else
  // 33-bit parts: n times each is exact, and the rounding of the second difference is carried on.
  V first = x - n * 0x1.921fb544p+0, second = n * 0x1.0b4611a6p-34, r = first - second;
  return r + (((first - r) - second) - n * 0x1.3198a2e037073p-69);
#endif
}

SK_INLINE V sin_polynomial_f64(V r) {
  V z = r * r;
  V q = FMA(K(0x1.5d8c278a061b9p-33), z, K(-0x1.ae5e4e451d7bep-26));
  q = FMA(q, z, K(0x1.71de35589576cp-19));
  q = FMA(q, z, K(-0x1.a01a019becef6p-13));
  q = FMA(q, z, K(0x1.111111110f74dp-7));
  q = FMA(q, z, K(-0x1.5555555555548p-3));
  return FMA(r * z, q, r);
}

SK_INLINE V cos_polynomial_f64(V r) {
  V z = r * r;
  V q = FMA(K(-0x1.8fa086fdc1235p-37), z, K(0x1.1ee9d000bacddp-29));
  q = FMA(q, z, K(-0x1.27e4f7dfb00d0p-22));
  q = FMA(q, z, K(0x1.a01a019c75561p-16));
  q = FMA(q, z, K(-0x1.6c16c16c14efcp-10));
  q = FMA(q, z, K(0x1.555555555554ap-5));
  // 1 - z/2 loses a rounding that is added back.
  V h = 0.5 * z, w = 1.0 - h;
  return w + FMA(z * z, q, (1.0 - w) - h);
}

SK_INLINE V sin_quarter_f64(V r, VI q) {
  V y = (q & 1) != 0 ? cos_polynomial_f64(r) : sin_polynomial_f64(r);
  return (V)((VU)y ^ ((VU)(q & 2) << 62));
}

static __attribute__((noinline)) void trig_huge_f64(int is_cos, const V *x, V *y) {
  for (int i = 0; i < LANES_f64; ++i)
    if (!(fabs((*x)[i]) <= SK_TRIG_LIMIT_F64)) (*y)[i] = is_cos ? cos((*x)[i]) : sin((*x)[i]);
}

SK_INLINE V trig_f64(int is_cos, V x) {
  VI q;
  V r = trig_reduce_f64(x, &q);
  V y = sin_quarter_f64(r, is_cos ? q + 1 : q);
  VI huge = __builtin_elementwise_abs(x) > SK_TRIG_LIMIT_F64;
  if (__builtin_expect(__builtin_reduce_or(huge) != 0, 0)) trig_huge_f64(is_cos, &x, &y);
  return y;
}
SK_INLINE V sin_f64(V x) { return trig_f64(0, x); }
SK_INLINE V cos_f64(V x) { return trig_f64(1, x); }

SK_INLINE V copysign_f64(V magnitude, V sign) {
  return (V)(((VU)magnitude & 0x7fffffffffffffffu) | ((VU)sign & 0x8000000000000000u));
}

SK_INLINE V tanh_f64(V x) {
  V a = __builtin_elementwise_abs(x);
  a = a > 20.0 ? K(20.0) : a;
  V t, r = exp_reduce_f64(2.0 * a, &t), s = exp_scale_f64(t);
  V m = FMA(s, exp_polynomial_f64(r), s - 1.0);
  return copysign_f64(m / (m + 2.0), x);
}

SK_INLINE V sigmoid_f64(V x) {
  V z = exp_f64(-__builtin_elementwise_abs(x));
  return (x < 0.0 ? z : K(1.0)) / (1.0 + z);
}

// Below -709.4 (results under 1e-305) it is -0.
SK_INLINE V silu_f64(V x) {
  V c = x < -709.9 ? K(-709.9) : x, low = c > 708.0 ? K(708.0) : c, scale, e = exp_minus_f64(low, &scale);
  return c / FMA(e, scale, K(1.0));
}

// d silu(x) / dx = s (1 + x (1 - s)), where s = sigmoid(x) and 1 - s = e^-x s; and silu(x) beside it, at little more cost.
SK_INLINE V silu_slope_f64(V x, V *value) {
  V c = x < -708.0 ? K(-708.0) : x, low = c > 708.0 ? K(708.0) : c;
  V scale, e = exp_minus_f64(low, &scale), d = FMA(e, scale, K(1.0)), s = 1.0 / d;
  *value = c / d;
  return s * FMA(low, e * scale * s, K(1.0));
}

SK_INLINE V silu_grad_f64(V x, V y) {
  V value;
  return y * silu_slope_f64(x, &value);
}

SK_INLINE V softplus_f64(V x) {
  V l = log1p_finite_f64(exp_f64(-__builtin_elementwise_abs(x)));
  return (x < 0.0 ? K(0.0) : x) + l;
}

SK_INLINE V erf_f64(V x) {
  for (int i = 0; i < LANES_f64; ++i) x[i] = erf(x[i]);
  return x;
}

#undef SK_EXP_SHIFT
#undef V
#undef VI
#undef VU
#undef K
