// The public routines for one scalar type T with suffix S.
#define SK_JOIN2(a, b) a##_##b
#define SK_JOIN(a, b) SK_JOIN2(a, b)
#define F(name) SK_JOIN(name, S)

size_t F(sk_gemm_packed_count)(const sk_kernels *kernels, int64_t n, int64_t k) {
  return kernels->F(packed_count)(n, k);
}

void F(sk_gemm_pack)(const sk_kernels *kernels, int64_t n, int64_t k, const T *b, int64_t ldb, int trans_b,
                     int64_t begin, int64_t end, T *packed) {
  kernels->F(pack)(n, k, b, ldb, trans_b, begin, end, packed);
}

void F(sk_gemm)(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a,
                const T *b, int64_t ldb, int trans_b, T *c, int64_t ldc, int beta, const T *bias,
                sk_activation activation, T *pre, void *scratch) {
  kernels->F(gemm)(m, n, k, a, lda, trans_a, b, ldb, trans_b, c, ldc, beta, bias, activation, pre, scratch);
}

void F(sk_gemm_packed)(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const T *a, int64_t lda,
                       int trans_a, const T *packed, T *c, int64_t ldc, int beta, const T *bias,
                       sk_activation activation, T *pre, void *scratch) {
  kernels->F(gemm_packed)(m, n, k, a, lda, trans_a, packed, c, ldc, beta, bias, activation, pre, scratch);
}

size_t F(sk_conv_packed_count)(const sk_kernels *kernels, const sk_convolution *shape) {
  return kernels->F(conv_packed_count)(shape);
}

void F(sk_conv_pack)(const sk_kernels *kernels, const sk_convolution *shape, const T *w, int flipped, T *packed) {
  kernels->F(conv_pack)(shape, w, flipped, packed);
}

size_t F(sk_conv_scratch)(const sk_kernels *kernels, const sk_convolution *shape) {
  return kernels->F(conv_scratch)(shape);
}

void F(sk_conv_packed)(const sk_kernels *kernels, const sk_convolution *shape, int64_t begin, int64_t end, const T *x,
                       const T *packed, T *y, int beta, const T *bias, int64_t bias_stride, void *scratch) {
  kernels->F(conv_packed)(shape, begin, end, x, packed, y, beta, bias, bias_stride, scratch);
}

int64_t F(sk_conv_filter_units)(const sk_kernels *kernels, const sk_convolution *shape) {
  return kernels->F(conv_filter_units)(shape);
}

void F(sk_conv_filter_gradient)(const sk_kernels *kernels, const sk_convolution *shape, int64_t begin, int64_t end,
                                int64_t images, const T *x, const T *dy, T *dw, int beta, void *scratch) {
  kernels->F(conv_filter_gradient)(shape, begin, end, images, x, dy, dw, beta, scratch);
}

// Up to eight numbers a channel, in whole lines.
size_t F(sk_group_norm_scratch)(int64_t channels) { return (size_t)(8 * (channels + 16)) * sizeof(T); }

void F(sk_group_norm)(const sk_kernels *kernels, int64_t begin, int64_t end, int64_t pixels, int64_t channels,
                      int64_t groups, T eps, const T *x, const T *scale, const T *shift, int silu, T *y,
                      void *scratch) {
  kernels->F(group_norm)(begin, end, pixels, channels, groups, eps, x, scale, shift, silu, y, scratch);
}

void F(sk_group_norm_gradient)(const sk_kernels *kernels, int64_t begin, int64_t end, int64_t first_group,
                               int64_t last_group, int64_t pixels, int64_t channels, int64_t groups, T eps, const T *x,
                               const T *scale, const T *shift, int silu, const T *dy, T *dx, T *dscale, T *dshift,
                               void *scratch) {
  kernels->F(group_norm_gradient)(begin, end, first_group, last_group, pixels, channels, groups, eps, x, scale, shift,
                                  silu, dy, dx, dscale, dshift, scratch);
}

void F(sk_program_run)(const sk_kernels *kernels, const sk_program *program, const T *const *inputs,
                       T *const *outputs, int64_t begin, int64_t end, void *scratch) {
  kernels->F(program_run)(program, inputs, outputs, begin, end, scratch);
}

void F(sk_map)(const sk_kernels *kernels, sk_opcode opcode, int64_t n, const T *x, T *y) {
  kernels->F(map)(opcode, n, x, y);
}

void F(sk_combine)(const sk_kernels *kernels, int64_t n, T a, const T *x, T b, const T *y, T c, const T *z, T *out) {
  kernels->F(combine)(n, a, x, b, y, c, z, out);
}

void F(sk_combine_rows)(const sk_kernels *kernels, int64_t rows, int64_t columns, const T *a, const T *x, const T *b,
                        const T *y, const T *c, const T *z, T *out) {
  kernels->F(combine_rows)(rows, columns, a, x, b, y, c, z, out);
}

void F(sk_sum)(const sk_kernels *kernels, int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end,
               int64_t inner_begin, int64_t inner_end, const T *in, T *out) {
  kernels->F(sum)(reduce, inner, outer_begin, outer_end, inner_begin, inner_end, in, out);
}

void F(sk_max)(const sk_kernels *kernels, int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end,
               int64_t inner_begin, int64_t inner_end, const T *in, T *out) {
  kernels->F(max)(reduce, inner, outer_begin, outer_end, inner_begin, inner_end, in, out);
}

void F(sk_dot_rows)(const sk_kernels *kernels, int64_t rows, int64_t columns, const T *x, const T *y, T *out) {
  kernels->F(dot_rows)(rows, columns, x, y, out);
}

void F(sk_copy_strided)(const sk_kernels *kernels, int32_t rank, const int64_t *size, const int64_t *src_stride,
                        const int64_t *dst_stride, int64_t begin, int64_t end, const T *src, T *dst) {
  kernels->F(copy_strided)(rank, size, src_stride, dst_stride, begin, end, src, dst);
}

int F(sk_all_finite)(const sk_kernels *kernels, int64_t n, const T *x) { return kernels->F(all_finite)(n, x); }

void F(sk_uniform)(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,
                   int64_t columns, T *out) {
  kernels->F(uniform)(key, index, first, rows, columns, out);
}

void F(sk_normal)(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,
                  int64_t columns, T *out) {
  kernels->F(normal)(key, index, first, rows, columns, out);
}

void F(sk_rademacher)(const sk_kernels *kernels, uint64_t key, const int64_t *index, int64_t first, int64_t rows,
                      int64_t columns, T *out) {
  kernels->F(rademacher)(key, index, first, rows, columns, out);
}

void F(sk_adam)(const sk_kernels *kernels, int64_t n, const T *gradient, T scale, T *parameter, T *m, T *v,
                T *average, T step, T b1, T b2, T inv_sqrt_c2, T eps, T decay) {
  kernels->F(adam)(n, gradient, scale, parameter, m, v, average, step, b1, b2, inv_sqrt_c2, eps, decay);
}

double F(sk_multiply_adds)(const sk_kernels *kernels, int64_t rounds, T factor, T *result) {
  return kernels->F(multiply_adds)(rounds, factor, result);
}

#undef F
