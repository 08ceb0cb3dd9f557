// x86-64 with AVX-512 (F, BW, DQ, VL): thirty-two registers of 64 bytes, so tiles of 12 x 32 Float.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define SK_TABLE sk_kernels_avx512
#define SK_TARGET SK_AVX512
#define SK_TARGET_NAME "avx512"
#define SK_VECTOR_BYTES 64
#define SK_NATIVE_BYTES 64
#define SK_HAS_FMA 1
#define SK_HAS_BF16 0
#define SK_GEMM_ROWS 12
#define SK_GEMM_HALF_ROWS 12
#define SK_GEMM_STEPS 4
#include "../templates/target.h"
#pragma clang attribute pop
#endif
