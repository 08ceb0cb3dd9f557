// 64-bit Arm: thirty-two registers of 16 bytes and fused multiply-add on every machine, so tiles of 12 x 8 Float.
#if defined(__aarch64__)
#define SK_TABLE sk_kernels_neon
#define SK_TARGET SK_NEON
#define SK_TARGET_NAME "neon"
#define SK_VECTOR_BYTES 32
#define SK_NATIVE_BYTES 16
#define SK_HAS_FMA 1
#define SK_HAS_BF16 0
#define SK_GEMM_ROWS 12
#define SK_GEMM_HALF_ROWS 12
#define SK_GEMM_STEPS 1
#include "../templates/target.h"
#endif
