// One instruction set's routines: a table of function pointers, filled once per target and chosen at run time.
#ifndef SK_TABLE_H
#define SK_TABLE_H

#include "include/CScoreKernels.h"

#define SK_TABLE_ENTRIES(T, S)                                                                                         \
  size_t (*packed_count_##S)(int64_t n, int64_t k);                                                                    \
  void (*pack_##S)(int64_t n, int64_t k, const T *b, int64_t ldb, int trans_b, int64_t begin, int64_t end, T *packed); \
  void (*gemm_##S)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *b, int64_t ldb,     \
                   int trans_b, T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,          \
                   void *scratch);                                                                                     \
  void (*gemm_packed_##S)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *packed,      \
                          T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,                \
                          void *scratch);                                                                              \
  size_t (*conv_packed_count_##S)(const sk_convolution *shape);                                                        \
  void (*conv_pack_##S)(const sk_convolution *shape, const T *w, int flipped, T *packed);                              \
  size_t (*conv_scratch_##S)(const sk_convolution *shape);                                                             \
  void (*conv_packed_##S)(const sk_convolution *shape, int64_t begin, int64_t end, const T *x, const T *packed, T *y,  \
                          int beta, const T *bias, int64_t bias_stride, void *scratch);                                \
  int64_t (*conv_filter_units_##S)(const sk_convolution *shape);                                                       \
  void (*conv_filter_gradient_##S)(const sk_convolution *shape, int64_t begin, int64_t end, int64_t images,            \
                                   const T *x, const T *dy, T *dw, int beta, void *scratch);                           \
  void (*group_norm_##S)(int64_t begin, int64_t end, int64_t pixels, int64_t channels, int64_t groups, T eps,          \
                         const T *x, const T *scale, const T *shift, int silu, T *y, void *scratch);                   \
  void (*group_norm_gradient_##S)(int64_t begin, int64_t end, int64_t first_group, int64_t last_group, int64_t pixels, \
                                  int64_t channels, int64_t groups, T eps, const T *x, const T *scale, const T *shift, \
                                  int silu, const T *dy, T *dx, T *dscale, T *dshift, void *scratch);                  \
  void (*program_run_##S)(const sk_program *program, const T *const *inputs, T *const *outputs, int64_t begin,         \
                          int64_t end, void *scratch);                                                                 \
  void (*map_##S)(sk_opcode opcode, int64_t n, const T *x, T *y);                                                      \
  void (*combine_##S)(int64_t n, T a, const T *x, T b, const T *y, T c, const T *z, T *out);                           \
  void (*combine_rows_##S)(int64_t rows, int64_t columns, const T *a, const T *x, const T *b, const T *y, const T *c,   \
                           const T *z, T *out);                                                                        \
  void (*sum_##S)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,          \
                  int64_t inner_end, const T *in, T *out);                                                             \
  void (*max_##S)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,          \
                  int64_t inner_end, const T *in, T *out);                                                             \
  void (*dot_rows_##S)(int64_t rows, int64_t columns, const T *x, const T *y, T *out);                                 \
  void (*copy_strided_##S)(int32_t rank, const int64_t *size, const int64_t *src_stride, const int64_t *dst_stride,    \
                           int64_t begin, int64_t end, const T *src, T *dst);                                          \
  int (*all_finite_##S)(int64_t n, const T *x);                                                                        \
  void (*uniform_##S)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out);       \
  void (*normal_##S)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out);        \
  void (*rademacher_##S)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out);    \
  void (*adam_##S)(int64_t n, const T *gradient, T scale, T *parameter, T *m, T *v, T *average, T step, T b1, T b2,    \
                   T inv_sqrt_c2, T eps, T decay);                                                                     \
  double (*multiply_adds_##S)(int64_t rounds, T factor, T *result);

struct sk_kernels {
  sk_target target;
  const char *name;
  SK_TABLE_ENTRIES(float, f32)
  SK_TABLE_ENTRIES(double, f64)
  size_t (*packed_count_bf16)(int64_t n, int64_t k);
  void (*pack_bf16)(int64_t n, int64_t k, const float *b, int64_t ldb, int trans_b, int64_t begin, int64_t end,
                    uint32_t *packed);
  void (*gemm_bf16)(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, int trans_a, const uint32_t *packed,
                    float *c, int64_t ldc, int beta, const float *bias, sk_activation activation, float *pre,
                    void *scratch);
};

extern const sk_kernels sk_kernels_generic;
#if defined(__x86_64__)
extern const sk_kernels sk_kernels_avx2, sk_kernels_avx512, sk_kernels_avx512_bf16;
#elif defined(__aarch64__)
extern const sk_kernels sk_kernels_neon;
#endif

#endif
