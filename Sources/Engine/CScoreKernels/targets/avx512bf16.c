// x86-64 with AVX-512 and its products of bfloat16: as avx512.c, but for these.
#if defined(__x86_64__)
#include <immintrin.h>
#define SK_ADD_PAIRS(sum, a, b) ((native_f32)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(a), (__m512bh)(b)))
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma"))), \
                             apply_to = function)
#define SK_TABLE sk_kernels_avx512_bf16
#define SK_TARGET SK_AVX512_BF16
#define SK_TARGET_NAME "avx512bf16"
#define SK_VECTOR_BYTES 64
#define SK_NATIVE_BYTES 64
#define SK_HAS_FMA 1
#define SK_HAS_BF16 1
#define SK_GEMM_ROWS 12
#define SK_GEMM_HALF_ROWS 12
#define SK_GEMM_STEPS 4
#include "../templates/target.h"
#pragma clang attribute pop
#endif
