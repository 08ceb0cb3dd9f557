// Any machine: vectors of 16 bytes, which every compiler target can express, and no fused multiply-add.
#define SK_TABLE sk_kernels_generic
#define SK_TARGET SK_GENERIC
#define SK_TARGET_NAME "generic"
#define SK_VECTOR_BYTES 16
#define SK_NATIVE_BYTES 16
#define SK_HAS_FMA 0
#define SK_HAS_BF16 0
#define SK_GEMM_ROWS 4
#define SK_GEMM_HALF_ROWS 4
#define SK_GEMM_STEPS 1
#include "../templates/target.h"
