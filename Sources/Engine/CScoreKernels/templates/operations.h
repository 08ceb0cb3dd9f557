// One loop per opcode, over a block of entries.
//
// A loop reads its operands at a step of LANES entries a vector, or 0 where an operand is one vector of equal entries (a
// constant), and writes its result, which may be where an operand is. n is a multiple of LANES: callers pad.
//
// To add an operation: add its opcode to the header (at the end of its arity's group, and mind sk_arity), a
// LOOP line with its formula in x, y, z, and its entry in the table below; test it in OperationTests.

#define V F(vec)
#define LANES F(LANES)
#define K(c) ((V)((T)(c)))


typedef void (*F(loop))(int64_t n, const T *a, int64_t step_a, const T *b, int64_t step_b, const T *c, int64_t step_c,
                        T *out);

#define LOOP_PARAMETERS                                                                                                \
  int64_t n, const T *a, int64_t step_a, const T *b, int64_t step_b, const T *c, int64_t step_c, T *out
#define LOOP1(name, formula)                                                                                           \
  static void F(loop_##name)(LOOP_PARAMETERS) {                                                                        \
    for (int64_t i = 0; i < n; i += LANES, a += step_a) {                                                              \
      V x = F(load)(a);                                                                                                \
      F(store)(out + i, formula);                                                                                      \
    }                                                                                                                  \
  }
#define LOOP2(name, formula)                                                                                           \
  static void F(loop_##name)(LOOP_PARAMETERS) {                                                                        \
    for (int64_t i = 0; i < n; i += LANES, a += step_a, b += step_b) {                                                 \
      V x = F(load)(a), y = F(load)(b);                                                                                \
      F(store)(out + i, formula);                                                                                      \
    }                                                                                                                  \
  }
#define LOOP3(name, formula)                                                                                           \
  static void F(loop_##name)(LOOP_PARAMETERS) {                                                                        \
    for (int64_t i = 0; i < n; i += LANES, a += step_a, b += step_b, c += step_c) {                                    \
      V x = F(load)(a), y = F(load)(b), z = F(load)(c);                                                                \
      F(store)(out + i, formula);                                                                                      \
    }                                                                                                                  \
  }

LOOP1(neg, -x)
LOOP1(abs, __builtin_elementwise_abs(x))
LOOP1(sign, x > 0 ? K(1) : (x < 0 ? K(-1) : x))
LOOP1(square, x *x)
LOOP1(sqrt, __builtin_elementwise_sqrt(x))
LOOP1(rsqrt, K(1) / __builtin_elementwise_sqrt(x))
LOOP1(reciprocal, K(1) / x)
LOOP1(exp, F(exp)(x))
LOOP1(expm1, F(expm1)(x))
LOOP1(log, F(log)(x))
LOOP1(log1p, F(log1p)(x))
LOOP1(sin, F(sin)(x))
LOOP1(cos, F(cos)(x))
LOOP1(tanh, F(tanh)(x))
LOOP1(sigmoid, F(sigmoid)(x))
LOOP1(silu, F(silu)(x))
LOOP1(softplus, F(softplus)(x))
LOOP1(erf, F(erf)(x))
LOOP1(relu, x < 0 ? K(0) : x)
LOOP1(copy, x)
LOOP2(add, x + y)
LOOP2(sub, x - y)
LOOP2(mul, x *y)
LOOP2(div, x / y)
// NaN in either operand gives NaN.
LOOP2(max, ((x > y) | (x != x)) ? x : y)
LOOP2(min, ((x < y) | (x != x)) ? x : y)
LOOP2(greater, x > y ? K(1) : K(0))
LOOP2(silu_grad, F(silu_grad)(x, y))
LOOP3(select, x != 0 ? y : z)
LOOP3(fma, FMA(x, y, z))

#if SK_IS_F32
// x^y = e^(y log |x|) in Double, which leaves no error to speak of; the sign and the special cases as in C's pow.
SK_INLINE vec_f64 pow_in_f64(vec_f64 x, vec_f64 y) {
  typedef vec_f64 D;
  const double shift = 0x1.8p52;
  D magnitude = exp_f64(y * log_f64(__builtin_elementwise_abs(x)));
  magnitude = ((__builtin_elementwise_abs(x) == 1.0) | (y == 0.0)) ? (D)(1.0) : magnitude;
  // A Float beyond 2^24 is an even integer; below, adding the shift rounds to an integer.
  D half = 0.5 * y, large = (D)(0x1p24);
  ivec_f64 is_large = __builtin_elementwise_abs(y) >= large;
  ivec_f64 is_integer = is_large | ((y + shift) - shift == y);
  ivec_f64 is_odd = is_integer & ~is_large & ((half + shift) - shift != half);
  D negative = is_integer ? (is_odd ? -magnitude : magnitude) : (D)((double)NAN);
  negative = ((x == -(double)INFINITY) & ~is_odd) ? magnitude : negative;
  ivec_f64 sign = (ivec_f64)x < 0;  // -0 included
  D zero = is_odd ? -magnitude : magnitude;
  D y0 = sign ? (x == 0.0 ? zero : negative) : magnitude;
  return y == 0.0 ? (D)(1.0) : y0;
}

static void loop_pow_f32(LOOP_PARAMETERS) {
  enum { STEP = LANES_f64 };
  typedef float H __attribute__((ext_vector_type(STEP)));
  typedef float H_at __attribute__((ext_vector_type(STEP), aligned(4), may_alias));
  for (int64_t i = 0; i < n; i += STEP) {
    H x = *(const H_at *)(a + (step_a ? i : 0)), y = *(const H_at *)(b + (step_b ? i : 0));
    vec_f64 z = pow_in_f64(__builtin_convertvector(x, vec_f64), __builtin_convertvector(y, vec_f64));
    *(H_at *)(out + i) = __builtin_convertvector(z, H);
  }
}
#else
static void loop_pow_f64(LOOP_PARAMETERS) {
  for (int64_t i = 0; i < n; ++i) {
    double x = a[step_a ? i : i % LANES], y = b[step_b ? i : i % LANES];
    out[i] = pow(x, y);
  }
}
#endif

static const F(loop) F(loops)[] = {
    [SK_NEG] = F(loop_neg),         [SK_ABS] = F(loop_abs),       [SK_SIGN] = F(loop_sign),
    [SK_SQUARE] = F(loop_square),   [SK_SQRT] = F(loop_sqrt),     [SK_RSQRT] = F(loop_rsqrt),
    [SK_RECIPROCAL] = F(loop_reciprocal),                         [SK_EXP] = F(loop_exp),
    [SK_EXPM1] = F(loop_expm1),     [SK_LOG] = F(loop_log),       [SK_LOG1P] = F(loop_log1p),
    [SK_SIN] = F(loop_sin),         [SK_COS] = F(loop_cos),       [SK_TANH_] = F(loop_tanh),
    [SK_SIGMOID] = F(loop_sigmoid), [SK_SILU_] = F(loop_silu),    [SK_SOFTPLUS] = F(loop_softplus),
    [SK_ERF] = F(loop_erf),         [SK_RELU_] = F(loop_relu),    [SK_COPY] = F(loop_copy),
    [SK_ADD] = F(loop_add),         [SK_SUB] = F(loop_sub),       [SK_MUL] = F(loop_mul),
    [SK_DIV] = F(loop_div),         [SK_MAX] = F(loop_max),       [SK_MIN] = F(loop_min),
    [SK_POW] = F(loop_pow),         [SK_GREATER] = F(loop_greater),
    [SK_SILU_GRAD] = F(loop_silu_grad),                           [SK_SELECT] = F(loop_select),
    [SK_FMA] = F(loop_fma),
};

static void F(map)(sk_opcode opcode, int64_t n, const T *x, T *y) {
  int64_t whole = n - n % LANES;
  F(loops)[opcode](whole, x, LANES, NULL, 0, NULL, 0, y + 0);
  if (whole == n) return;
  T rest[LANES] = {0};
  memcpy(rest, x + whole, (size_t)(n - whole) * sizeof(T));
  F(loops)[opcode](LANES, rest, LANES, NULL, 0, NULL, 0, rest);
  memcpy(y + whole, rest, (size_t)(n - whole) * sizeof(T));
}

#undef LOOP_PARAMETERS
#undef LOOP1
#undef LOOP2
#undef LOOP3
#undef V
#undef LANES
#undef K
