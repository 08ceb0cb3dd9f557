// Plain C routines for one scalar type T with suffix S.
#define SK_JOIN2(a, b) a##_##b
#define SK_JOIN(a, b) SK_JOIN2(a, b)
#define F(name) SK_JOIN(name, S)
enum { F(BLOCK) = 256, F(STRIP) = 64 };

// One operation on one entry, evaluated in Double for Float so that it is right to half an ulp.
static T F(apply)(sk_opcode opcode, T x, T y, T z, double imm) {
  double a = (double)x, b = (double)y;
  switch (opcode) {
    case SK_CONSTANT: return (T)imm;
    case SK_NEG: return -x;
    case SK_ABS: return (T)fabs(a);
    case SK_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
    case SK_SQUARE: return x * x;
    case SK_SQRT: return (T)sqrt(a);
    case SK_RSQRT: return (T)(1 / sqrt(a));
    case SK_RECIPROCAL: return 1 / x;
    case SK_EXP: return (T)exp(a);
    case SK_EXPM1: return (T)expm1(a);
    case SK_LOG: return (T)log(a);
    case SK_LOG1P: return (T)log1p(a);
    case SK_SIN: return (T)sin(a);
    case SK_COS: return (T)cos(a);
    case SK_TANH_: return (T)tanh(a);
    case SK_SIGMOID: return (T)(1 / (1 + exp(-a)));
    case SK_SILU_: return (T)(a / (1 + exp(-a)));
    case SK_SOFTPLUS: return (T)(a > 0 ? a + log1p(exp(-a)) : log1p(exp(a)));
    case SK_ERF: return (T)erf(a);
    case SK_RELU_: return x > 0 ? x : (x == x ? 0 : x);
    case SK_COPY: return x;
    case SK_ADD: return x + y;
    case SK_SUB: return x - y;
    case SK_MUL: return x * y;
    case SK_DIV: return x / y;
    case SK_MAX: return x > y || x != x ? x : y;
    case SK_MIN: return x < y || x != x ? x : y;
    case SK_POW: return (T)pow(a, b);
    case SK_GREATER: return x > y ? 1 : 0;
    case SK_SILU_GRAD: {
      double s = 1 / (1 + exp(-a));
      return (T)(b * (s * (1 + a * (1 - s))));
    }
    case SK_SELECT: return x != 0 ? y : z;
    case SK_FMA: return x * y + z;
  }
  return 0;
}

static T F(activate)(sk_activation activation, T x) {
  switch (activation) {
    case SK_SILU: return F(apply)(SK_SILU_, x, 0, 0, 0);
    case SK_TANH: return F(apply)(SK_TANH_, x, 0, 0, 0);
    case SK_RELU: return F(apply)(SK_RELU_, x, 0, 0, 0);
    default: return x;
  }
}

size_t F(sk_gemm_scratch)(int64_t m, int64_t n, int64_t k) { return 64; }

static size_t F(packed_count)(int64_t n, int64_t k) { return (size_t)(n * k); }

static void F(pack)(int64_t n, int64_t k, const T *b, int64_t ldb, int trans_b, T *packed) {
  for (int64_t p = 0; p < k; ++p)
    for (int64_t j = 0; j < n; ++j) packed[p * n + j] = trans_b ? b[j * ldb + p] : b[p * ldb + j];
}

static void F(gemm)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *b, int64_t ldb,
                    int trans_b, T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,
                    void *scratch) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j0 = 0; j0 < n; j0 += F(STRIP)) {
      int width = n - j0 < F(STRIP) ? (int)(n - j0) : F(STRIP);
      T acc[F(STRIP)] = {0};
      for (int64_t p = 0; p < k; ++p) {
        T x = trans_a ? a[p * lda + i] : a[i * lda + p];
        if (trans_b) {
          for (int j = 0; j < width; ++j) acc[j] += x * b[(j0 + j) * ldb + p];
        } else {
          const T *row = b + p * ldb + j0;
          for (int j = 0; j < width; ++j) acc[j] += x * row[j];
        }
      }
      for (int j = 0; j < width; ++j) {
        T value = acc[j];
        if (beta) value += c[i * ldc + j0 + j];
        if (bias) value += bias[j0 + j];
        if (pre) pre[i * ldc + j0 + j] = value;
        c[i * ldc + j0 + j] = F(activate)(activation, value);
      }
    }
  }
}

static void F(gemm_packed)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *packed,
                           T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,
                           void *scratch) {
  F(gemm)(m, n, k, a, lda, trans_a, packed, n, 0, c, ldc, beta, bias, activation, pre, scratch);
}

size_t F(sk_program_scratch)(const sk_program *program) {
  return (size_t)(program->input_count + program->operation_count + 1) * F(BLOCK) * sizeof(T);
}

static void F(program_run)(const sk_program *program, const T *const *inputs, T *const *outputs, int64_t begin,
                           int64_t end, void *scratch) {
  T *registers = scratch;
  for (int64_t at = begin; at < end; at += F(BLOCK)) {
    int count = end - at < F(BLOCK) ? (int)(end - at) : F(BLOCK);
    for (int r = 0; r < program->input_count; ++r) {
      for (int i = 0; i < count; ++i) {
        int64_t rest = at + i, offset = 0;
        for (int d = program->rank - 1; d >= 0; --d) {
          offset += rest % program->size[d] * program->view[r].stride[d];
          rest /= program->size[d];
        }
        registers[r * F(BLOCK) + i] = inputs[r][offset];
      }
    }
    for (int o = 0; o < program->operation_count; ++o) {
      const sk_operation *op = &program->operation[o];
      const T *x = registers + op->a * F(BLOCK), *y = registers + op->b * F(BLOCK), *z = registers + op->c * F(BLOCK);
      int arity = op->opcode == SK_CONSTANT ? 0 : op->opcode < SK_ADD ? 1 : op->opcode < SK_SELECT ? 2 : 3;
      T *out = registers + (program->input_count + o) * F(BLOCK);
      for (int i = 0; i < count; ++i)
        out[i] = F(apply)(op->opcode, arity > 0 ? x[i] : 0, arity > 1 ? y[i] : 0, arity > 2 ? z[i] : 0, op->imm);
    }
    for (int o = 0; o < program->output_count; ++o)
      memcpy(outputs[o] + at, registers + program->output[o] * F(BLOCK), (size_t)count * sizeof(T));
  }
}

static void F(map)(sk_opcode opcode, int64_t n, const T *x, T *y) {
  for (int64_t i = 0; i < n; ++i) y[i] = F(apply)(opcode, x[i], 0, 0, 0);
}

static void F(combine)(int64_t n, T a, const T *x, T b, const T *y, T c, const T *z, T *out) {
  for (int64_t i = 0; i < n; ++i) out[i] = a * x[i] + (y ? b * y[i] : 0) + (z ? c * z[i] : 0);
}

static T F(pairwise)(int64_t n, int64_t stride, const T *in) {
  if (n > 32) {
    int64_t half = n / 2;
    return F(pairwise)(half, stride, in) + F(pairwise)(n - half, stride, in + half * stride);
  }
  T total = 0;
  for (int64_t i = 0; i < n; ++i) total += in[i * stride];
  return total;
}

static void F(sum)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,
                   int64_t inner_end, const T *in, T *out) {
  for (int64_t o = outer_begin; o < outer_end; ++o)
    for (int64_t i = inner_begin; i < inner_end; ++i)
      out[o * inner + i] = F(pairwise)(reduce, inner, in + o * reduce * inner + i);
}

static void F(max)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,
                   int64_t inner_end, const T *in, T *out) {
  for (int64_t o = outer_begin; o < outer_end; ++o)
    for (int64_t i = inner_begin; i < inner_end; ++i) {
      T best = -(T)INFINITY;
      for (int64_t r = 0; r < reduce; ++r) best = F(apply)(SK_MAX, in[(o * reduce + r) * inner + i], best, 0, 0);
      out[o * inner + i] = best;
    }
}

static void F(dot_rows)(int64_t rows, int64_t columns, const T *x, const T *y, T *out) {
  for (int64_t r = 0; r < rows; ++r) {
    T total = 0;
    for (int64_t j0 = 0; j0 < columns; j0 += 64) {
      T part = 0;
      for (int64_t j = j0; j < columns && j < j0 + 64; ++j) part += x[r * columns + j] * y[r * columns + j];
      total += part;
    }
    out[r] = total;
  }
}

static void F(copy_strided)(int32_t rank, const int64_t *size, const int64_t *src_stride, const int64_t *dst_stride,
                            int64_t begin, int64_t end, const T *src, T *dst) {
  if (rank == 0) {
    if (begin < end) dst[0] = src[0];
    return;
  }
  for (int64_t i = begin; i < end; ++i) {
    if (rank == 1)
      dst[i * dst_stride[0]] = src[i * src_stride[0]];
    else
      F(copy_strided)(rank - 1, size + 1, src_stride + 1, dst_stride + 1, 0, size[1], src + i * src_stride[0],
                      dst + i * dst_stride[0]);
  }
}

static int F(all_finite)(int64_t n, const T *x) {
  for (int64_t i = 0; i < n; ++i)
    if (!(x[i] - x[i] == 0)) return 0;
  return 1;
}

// Calls for the four words of every block of every row.
typedef enum { F(UNIFORM), F(NORMAL), F(RADEMACHER) } F(law);

static void F(draw)(F(law) law, uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns,
                    T *out) {
  uint32_t key_words[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
  for (int64_t r = 0; r < rows; ++r) {
    uint64_t row = (uint64_t)(index ? index[r] : first + r);
    for (int64_t j = 0; j < columns; j += 4) {
      uint32_t counter[4] = {(uint32_t)(j / 4), 0, (uint32_t)row, (uint32_t)(row >> 32)}, word[4];
      sk_philox(counter, key_words, word);
      double value[4];
      for (int w = 0; w < 4; ++w) {
        double u = (word[w] + 0.5) * 0x1p-32;
        value[w] = law == F(RADEMACHER) ? (word[w] >> 31 ? -1.0 : 1.0) : u;
      }
      if (law == F(NORMAL)) {
        for (int w = 0; w < 4; w += 2) {
          double radius = sqrt(-2 * log(value[w])), angle = 6.283185307179586476925 * value[w + 1];
          value[w] = radius * cos(angle);
          value[w + 1] = radius * sin(angle);
        }
      }
      for (int w = 0; w < 4 && j + w < columns; ++w) {
        T x = (T)value[w];
        if (law == F(UNIFORM) && SK_IS_F32 && x >= 1) x = (T)0x1.fffffep-1;
        out[r * columns + j + w] = x;
      }
    }
  }
}

static void F(uniform)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(UNIFORM), key, index, first, rows, columns, out);
}

static void F(normal)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(NORMAL), key, index, first, rows, columns, out);
}

static void F(rademacher)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(RADEMACHER), key, index, first, rows, columns, out);
}

static void F(adam)(int64_t n, const T *gradient, T scale, T *parameter, T *m, T *v, T *average, T step, T b1, T b2,
                    T inv_sqrt_c2, T eps, T decay) {
  for (int64_t i = 0; i < n; ++i) {
    T g = scale * gradient[i];
    m[i] = b1 * m[i] + (1 - b1) * g;
    v[i] = b2 * v[i] + (1 - b2) * g * g;
    T p = parameter[i] - step * m[i] / ((SK_IS_F32 ? (T)sqrtf((float)v[i]) : (T)sqrt((double)v[i])) * inv_sqrt_c2 + eps);
    parameter[i] = p;
    if (average) average[i] += (1 - decay) * (p - average[i]);
  }
}

#undef F
