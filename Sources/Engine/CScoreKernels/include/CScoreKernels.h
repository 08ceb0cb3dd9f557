// The kernels of ScoreSDE: every routine that must run at the hardware's speed, each written once and compiled for
// several instruction sets. Nothing here allocates, locks or knows about threads: the caller splits the work and brings
// the scratch memory. Bits do not depend on how the work is split.
#ifndef CSCOREKERNELS_H
#define CSCOREKERNELS_H

#include <stddef.h>
#include <stdint.h>

// ---------------------------------------------------------------------------------------------- targets

typedef enum { SK_GENERIC = 0, SK_AVX2 = 1, SK_AVX512 = 2, SK_NEON = 3, SK_AVX512_BF16 = 4 } sk_target;

// One instruction set's routines. Opaque; get one from sk_kernels_for or sk_kernels_best.
typedef struct sk_kernels sk_kernels;

// The routines for `target`, or NULL where this machine cannot run them.
const sk_kernels *sk_kernels_for(sk_target target);
// The routines for the best target that this machine can run.
const sk_kernels *sk_kernels_best(void);
sk_target sk_kernels_target(const sk_kernels *k);
const char *sk_kernels_name(const sk_kernels *k);  // "generic", "avx2", "avx512", "neon", "avx512bf16"

// ---------------------------------------------------------------------------------------------- matrix products

// SK_SILU_SLOPE is SK_SILU with the derivative of SiLU in the place of the value before it. SK_TIMES is a product with what
// lies in that place, which is read alone and may be C's own: with the derivative left there, the gradient's way back through
// SiLU. Below -87 (Double: -708) its value stays at SiLU's there, -1.4e-36 (-2.3e-305), where SK_SILU goes on to 0.
typedef enum {
  SK_IDENTITY = 0, SK_SILU = 1, SK_TANH = 2, SK_RELU = 3, SK_SILU_SLOPE = 4, SK_TIMES = 5
} sk_activation;

// C[m, n] = act(beta * C + op(A) op(B) + bias), beta is 0 or 1. op(A) is m x k: A[i * lda + p], or A[p * lda + i] when
// trans_a. op(B) is k x n: B[p * ldb + j], or B[j * ldb + p] when trans_b. bias has n entries or is NULL. Where
// `pre` is not NULL, the value before the activation is stored there too (leading dimension ldc), for gradients.
// Each entry of the product is one chain of fused multiply-adds over p = 0 … k-1, whatever m, n and the split: a row's
// bits never depend on the other rows. scratch: sk_gemm_scratch bytes, 64-byte aligned.
size_t sk_gemm_scratch_f32(int64_t m, int64_t n, int64_t k);
size_t sk_gemm_scratch_f64(int64_t m, int64_t n, int64_t k);

// Parts of a matrix that are packed apart begin at multiples of so many of its rows.
enum { SK_PACK_ROWS = 32 };

#define SK_GEMM(T, S)                                                                                                  \
  void sk_gemm_##S(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a,   \
                   const T *b, int64_t ldb, int trans_b, T *c, int64_t ldc, int beta, const T *bias,                   \
                   sk_activation activation, T *pre, void *scratch);                                                   \
  /* B packed once for many products: sk_gemm_packed_count entries, 64-byte aligned. Rows begin ..< end of B as it */  \
  /* lies are packed, so that several threads may pack one matrix: multiples of SK_PACK_ROWS, but for the last row. */ \
  size_t sk_gemm_packed_count_##S(const sk_kernels *kernels, int64_t n, int64_t k);                                    \
  void sk_gemm_pack_##S(const sk_kernels *kernels, int64_t n, int64_t k, const T *b, int64_t ldb, int trans_b,         \
                        int64_t begin, int64_t end, T *packed);                                                        \
  void sk_gemm_packed_##S(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda,         \
                          int trans_a, const T *packed, T *c, int64_t ldc, int beta, const T *bias,                    \
                          sk_activation activation, T *pre, void *scratch);
SK_GEMM(float, f32)
SK_GEMM(double, f64)

// The same C for Float operands that are each rounded to the nearest bfloat16 (ties to even) first; products and sums are
// those of Float. B is packed in advance, in parts if need be: sk_gemm_bf16_packed_count words, 64-byte aligned.
// scratch: sk_gemm_bf16_scratch bytes, 64-byte aligned.
//
// Every target but avx512bf16 gives the chain of multiply-adds over p = 0 … k-1 of the rounded operands. There one instruction
// (VDPBF16PS) adds a pair of products; it takes subnormal operands for 0 and gives 0 for subnormal sums, and if it adds the
// pair before the sum, roundings fall elsewhere. In any order of adding, entries differ by no more than
// k 2^-23 sum |a_p b_p| + 2^-126 (k + sum |a_p| + |b_p|), to first order in 2^-23.
size_t sk_gemm_bf16_scratch(int64_t m, int64_t k);
size_t sk_gemm_bf16_packed_count(const sk_kernels *kernels, int64_t n, int64_t k);
void sk_gemm_bf16_pack(const sk_kernels *kernels, int64_t n, int64_t k, const float *b, int64_t ldb, int trans_b,
                       int64_t begin, int64_t end, uint32_t *packed);
void sk_gemm_bf16(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, int trans_a,
                  const uint32_t *packed, float *c, int64_t ldc, int beta, const float *bias, sk_activation activation,
                  float *pre, void *scratch);
// y[i] is the bfloat16 nearest to x[i], ties to even; what is not a number stays so.
void sk_round_bf16(int64_t n, const float *x, float *y);

// ---------------------------------------------------------------------------------------------- convolutions

// Images are [n, height, width, channels] and filters [kernel_height, kernel_width, channels, out_channels], row-major.
// y[i, r, c, o] = beta y[i, r, c, o] + bias[i * bias_stride + o] + sum over a, b, p of x[i, u, v, p] w[a, b, p, o], where
// u * spread = r * stride + a - top and v * spread = c * stride + b - left; terms whose u or v is not whole or lies outside the
// image count nothing. beta is 0 or 1; bias may be NULL, and bias_stride 0 shares it among images.
//
// The input gradient of a convolution is the convolution of dy with stride and spread exchanged, top and left replaced by
// kernel - 1 - top and kernel - 1 - left, and the filter flipped.
typedef struct {
  int64_t height, width, channels, out_height, out_width, out_channels, kernel_height, kernel_width;
  int64_t stride, spread, top, left;
} sk_convolution;

// Filters are packed before use: sk_conv_packed_count entries, 64-byte aligned. flipped: w is stored as [kernel_height,
// kernel_width, out_channels, channels] of this shape and is read turned round in space.
// Float convolutions 3 x 3 of stride 1 with enough channels go by Winograd's minimal filtering (Lavin & Gray 2016,
// F(4x4, 3x3)), whose rounding errors are about twice those of the sum itself. Convolutions to three channels or fewer of rows
// of the filter that fill lanes (kernel_width * channels a multiple of 64 bytes) add up in lanes, which are folded in the end.
// All others are sums in the order of (a, b, p). An image's bits do not depend on the other images.
// The filter gradient dw[a, b, p, o] = beta dw + sum over i, r, c of x[i, u, v, p] dy[i, r, c, o] takes images in order.
// Its sk_conv_filter_units units, some of the filter's input channels or rows each, can be shared out; an entry's bits do not
// depend on how.
// scratch: sk_conv_scratch bytes, 64-byte aligned.
#define SK_CONV(T, S)                                                                                                  \
  size_t sk_conv_packed_count_##S(const sk_kernels *kernels, const sk_convolution *shape);                             \
  void sk_conv_pack_##S(const sk_kernels *kernels, const sk_convolution *shape, const T *w, int flipped, T *packed);   \
  size_t sk_conv_scratch_##S(const sk_kernels *kernels, const sk_convolution *shape);                                  \
  void sk_conv_packed_##S(const sk_kernels *kernels, const sk_convolution *shape, int64_t begin, int64_t end,          \
                          const T *x, const T *packed, T *y, int beta, const T *bias, int64_t bias_stride,             \
                          void *scratch);                                                                              \
  int64_t sk_conv_filter_units_##S(const sk_kernels *kernels, const sk_convolution *shape);                            \
  void sk_conv_filter_gradient_##S(const sk_kernels *kernels, const sk_convolution *shape, int64_t begin, int64_t end, \
                                   int64_t images, const T *x, const T *dy, T *dw, int beta, void *scratch);           \
  /* Group normalisation (Wu & He 2018) of images of so many pixels: y = act((x - mean) / sqrt(var + eps) * scale + shift), \
     mean and variance over a group's pixels and channels; act is the identity or SiLU. The gradients of scale and shift \
     are summed over the images in order; dx, dscale and dshift may each be NULL. It is taken of groups first_group ..< \
     last_group alone, which changes no bit. */                                                                        \
  size_t sk_group_norm_scratch_##S(int64_t channels);                                                                  \
  void sk_group_norm_##S(const sk_kernels *kernels, int64_t begin, int64_t end, int64_t pixels, int64_t channels,      \
                         int64_t groups, T eps, const T *x, const T *scale, const T *shift, int silu, T *y,            \
                         void *scratch);                                                                               \
  void sk_group_norm_gradient_##S(const sk_kernels *kernels, int64_t begin, int64_t end, int64_t first_group,          \
                                  int64_t last_group, int64_t pixels, int64_t channels, int64_t groups, T eps,         \
                                  const T *x, const T *scale, const T *shift, int silu, const T *dy, T *dx, T *dscale, \
                                  T *dshift, void *scratch);
SK_CONV(float, f32)
SK_CONV(double, f64)

// ---------------------------------------------------------------------------------------------- elementwise programs

// A fused elementwise program: a list of operations on registers, each register a block of consecutive entries of the
// output's index space. Register r < input_count holds input r; operation i writes register input_count + i.
typedef enum {
  SK_CONSTANT = 0,  // imm
  // one operand
  SK_NEG, SK_ABS, SK_SIGN, SK_SQUARE, SK_SQRT, SK_RSQRT, SK_RECIPROCAL, SK_EXP, SK_EXPM1, SK_LOG, SK_LOG1P, SK_SIN,
  SK_COS, SK_TANH_, SK_SIGMOID, SK_SILU_, SK_SOFTPLUS, SK_ERF, SK_RELU_, SK_COPY,
  // two operands
  SK_ADD, SK_SUB, SK_MUL, SK_DIV, SK_MAX, SK_MIN, SK_POW, SK_GREATER,  // GREATER gives 1 or 0
  SK_SILU_GRAD,  // (x, y): y * d silu(x) / dx
  // three operands
  SK_SELECT,  // a != 0 ? b : c
  SK_FMA,     // a * b + c
} sk_opcode;

typedef struct {
  uint16_t opcode, a, b, c;  // registers
  double imm;
} sk_operation;

enum { SK_MAX_RANK = 8, SK_MAX_INPUTS = 16, SK_MAX_OUTPUTS = 8, SK_MAX_OPERATIONS = 64 };

// How an input is read: entry (i0, …, i_{rank-1}) of the output's index space is at the sum of i_d * stride[d];
// stride 0 broadcasts.
typedef struct {
  int64_t stride[SK_MAX_RANK];
} sk_view;

typedef struct {
  int32_t rank, input_count, output_count, operation_count;
  int64_t size[SK_MAX_RANK];           // the output's index space, row-major
  sk_view view[SK_MAX_INPUTS];
  uint16_t output[SK_MAX_OUTPUTS];     // registers that are stored, contiguously
  sk_operation operation[SK_MAX_OPERATIONS];
} sk_program;

// Runs flat entries begin ..< end of the index space. An output may be the same memory as an input that is read
// contiguously (in place). scratch: sk_program_scratch bytes, 64-byte aligned.
size_t sk_program_scratch_f32(const sk_program *program);
size_t sk_program_scratch_f64(const sk_program *program);
#define SK_PROGRAM(T, S)                                                                                               \
  void sk_program_run_##S(const sk_kernels *kernels, const sk_program *program, const T *const *inputs,                \
                          T *const *outputs, int64_t begin, int64_t end, void *scratch);                               \
  /* y[i] = op(x[i]) for one-operand opcodes: the accuracy tests' door. */                                             \
  void sk_map_##S(const sk_kernels *kernels, sk_opcode opcode, int64_t n, const T *x, T *y);                           \
  /* out = a x + b y + c z, entrywise; y or z may be NULL (then b or c is ignored); out may be x, y or z. */           \
  void sk_combine_##S(const sk_kernels *kernels, int64_t n, T a, const T *x, T b, const T *y, T c, const T *z, T *out); \
  /* the same with one (a, b, c) a row: rows x columns */                                                              \
  void sk_combine_rows_##S(const sk_kernels *kernels, int64_t rows, int64_t columns, const T *a, const T *x,           \
                           const T *b, const T *y, const T *c, const T *z, T *out);
SK_PROGRAM(float, f32)
SK_PROGRAM(double, f64)

// ---------------------------------------------------------------------------------------------- reductions and moves

// out[o, i] = sum (or max) over r of in[o, r, i] for o in outer_begin ..< outer_end and i in inner_begin ..< inner_end.
// The order of summation is fixed by (reduce, inner) alone. Sums over long runs are blocked, so the error grows with
// log(reduce), not with reduce.
// Strided copy: dst[sum i_d dst_stride[d]] = src[sum i_d src_stride[d]] for the first axis in begin ..< end.
#define SK_REDUCE(T, S)                                                                                                \
  void sk_sum_##S(const sk_kernels *kernels, int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end,    \
                  int64_t inner_begin, int64_t inner_end, const T *in, T *out);                                        \
  void sk_max_##S(const sk_kernels *kernels, int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end,    \
                  int64_t inner_begin, int64_t inner_end, const T *in, T *out);                                        \
  void sk_dot_rows_##S(const sk_kernels *kernels, int64_t rows, int64_t columns, const T *x, const T *y, T *out);      \
  void sk_copy_strided_##S(const sk_kernels *kernels, int32_t rank, const int64_t *size, const int64_t *src_stride,    \
                           const int64_t *dst_stride, int64_t begin, int64_t end, const T *src, T *dst);               \
  int sk_all_finite_##S(const sk_kernels *kernels, int64_t n, const T *x);
SK_REDUCE(float, f32)
SK_REDUCE(double, f64)

// ---------------------------------------------------------------------------------------------- random numbers

// Philox 4x32-10 (Salmon et al. 2011): counter -> four random words.
void sk_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

// Row r of out, `columns` wide, is a function of (key, index[r]) alone, or of (key, first + r) where index is NULL:
// block j of a row is philox(counter = (j, 0, lo(index), hi(index)), key = (lo(key), hi(key))).
// Uniform: entry 4j+w = (word_w + 0.5) / 2^32 (in Float rounded to the nearest below 1, so in the open interval (0, 1)).
// Normal: Box–Muller on word pairs (w0, w1) and (w2, w3) of a block: entries 4j..4j+3 are
// r01 cos(2 pi u1), r01 sin(2 pi u1), r23 cos(2 pi u3), r23 sin(2 pi u3), r = sqrt(-2 log u) with u = (word + 0.5) / 2^32.
// Rademacher: +1 or -1 by the top bit of the word. Float and Double draw the same numbers up to rounding.
#define SK_RANDOM(T, S)                                                                                                \
  void sk_uniform_##S(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,      \
                      int64_t columns, T *out);                                                                        \
  void sk_normal_##S(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,       \
                     int64_t columns, T *out);                                                                         \
  void sk_rademacher_##S(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,   \
                         int64_t columns, T *out);
SK_RANDOM(float, f32)
SK_RANDOM(double, f64)

// ---------------------------------------------------------------------------------------------- optimiser

// One Adam step (Kingma & Ba 2015, Algorithm 1) with the moving average of the parameters in the same pass:
// g = scale * gradient; m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; p -= step * m / (sqrt(v) * inv_sqrt_c2 + eps) ;
// average += (1 - decay) (p - average) where average is not NULL.
// step is learning rate / (1 - b1^t); inv_sqrt_c2 is 1 / sqrt(1 - b2^t).
#define SK_ADAM(T, S)                                                                                                  \
  void sk_adam_##S(const sk_kernels *kernels, int64_t n, const T *gradient, T scale, T *parameter, T *m, T *v,         \
                   T *average, T step, T b1, T b2, T inv_sqrt_c2, T eps, T decay);
SK_ADAM(float, f32)
SK_ADAM(double, f64)

// ---------------------------------------------------------------------------------------------- the machine's peak

// Chains of x = x * factor + 1 in registers, `rounds` long, whose sum goes to `result`. Returns the number of floating-point
// operations: their time is the least that as many multiply-adds can take on a core.
#define SK_PEAK(T, S) double sk_multiply_adds_##S(const sk_kernels *kernels, int64_t rounds, T factor, T *result);
SK_PEAK(float, f32)
SK_PEAK(double, f64)

#undef SK_PEAK
#undef SK_GEMM
#undef SK_CONV
#undef SK_PROGRAM
#undef SK_REDUCE
#undef SK_RANDOM
#undef SK_ADAM

#endif
