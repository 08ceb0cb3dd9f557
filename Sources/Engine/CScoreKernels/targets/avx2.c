// x86-64 with AVX2 and FMA: sixteen registers of 32 bytes, so tiles of 6 x 16 Float.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define SK_TABLE sk_kernels_avx2
#define SK_TARGET SK_AVX2
#define SK_TARGET_NAME "avx2"
#define SK_VECTOR_BYTES 64
#define SK_NATIVE_BYTES 32
#define SK_HAS_FMA 1
#define SK_HAS_BF16 0
#define SK_GEMM_ROWS 6
#define SK_GEMM_HALF_ROWS 12
#define SK_GEMM_STEPS 4
#include "../templates/target.h"
#pragma clang attribute pop
#endif
