// The public routines: each hands over to the chosen target's table.
#include "bfloat16.h"
#include "gemm_blocks.h"
#include "table.h"

const sk_kernels *sk_kernels_for(sk_target target) {
  switch (target) {
    case SK_GENERIC: return &sk_kernels_generic;
#if defined(__x86_64__)
    case SK_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &sk_kernels_avx2 : NULL;
    case SK_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                 ? &sk_kernels_avx512
                 : NULL;
    case SK_AVX512_BF16:
      return sk_kernels_for(SK_AVX512) && __builtin_cpu_supports("avx512bf16") ? &sk_kernels_avx512_bf16 : NULL;
#elif defined(__aarch64__)
    case SK_NEON: return &sk_kernels_neon;
#endif
    default: return NULL;
  }
}

const sk_kernels *sk_kernels_best(void) {
  static const sk_target order[] = {SK_AVX512_BF16, SK_AVX512, SK_AVX2, SK_NEON};
  for (int i = 0; i < 4; ++i) {
    const sk_kernels *k = sk_kernels_for(order[i]);
    if (k) return k;
  }
  return &sk_kernels_generic;
}

sk_target sk_kernels_target(const sk_kernels *k) { return k->target; }
const char *sk_kernels_name(const sk_kernels *k) { return k->name; }

#define T float
#define S f32
#include "dispatch_routines.h"
#undef T
#undef S
#define T double
#define S f64
#include "dispatch_routines.h"

void sk_round_bf16(int64_t n, const float *x, float *y) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t bits = sk_rounded_bits(x[i]);
    memcpy(y + i, &bits, sizeof bits);
  }
}

size_t sk_gemm_bf16_scratch(int64_t m, int64_t k) {
  return (size_t)((m < SK_BLOCK_ROWS ? m : SK_BLOCK_ROWS) * ((k + 1) / 2)) * sizeof(uint32_t) + 64;
}

size_t sk_gemm_bf16_packed_count(const sk_kernels *kernels, int64_t n, int64_t k) {
  return kernels->packed_count_bf16(n, k);
}

void sk_gemm_bf16_pack(const sk_kernels *kernels, int64_t n, int64_t k, const float *b, int64_t ldb, int trans_b,
                       int64_t begin, int64_t end, uint32_t *packed) {
  kernels->pack_bf16(n, k, b, ldb, trans_b, begin, end, packed);
}

void sk_gemm_bf16(const sk_kernels *kernels, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, int trans_a,
                  const uint32_t *packed, float *c, int64_t ldc, int beta, const float *bias, sk_activation activation,
                  float *pre, void *scratch) {
  kernels->gemm_bf16(m, n, k, a, lda, trans_a, packed, c, ldc, beta, bias, activation, pre, scratch);
}
