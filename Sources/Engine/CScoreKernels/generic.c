// The generic target: plain C.
#include <math.h>
#include <string.h>

#include "table.h"

#define T float
#define S f32
#define SK_IS_F32 1
#include "generic_routines.h"
#undef T
#undef S
#undef SK_IS_F32
#define T double
#define S f64
#define SK_IS_F32 0
#include "generic_routines.h"

#define SK_FILL(S)                                                                                                     \
  .packed_count_##S = packed_count_##S, .pack_##S = pack_##S, .gemm_##S = gemm_##S,                                    \
  .gemm_packed_##S = gemm_packed_##S, .program_run_##S = program_run_##S, .map_##S = map_##S,                          \
  .combine_##S = combine_##S, .sum_##S = sum_##S, .max_##S = max_##S, .dot_rows_##S = dot_rows_##S,                    \
  .copy_strided_##S = copy_strided_##S, .all_finite_##S = all_finite_##S, .uniform_##S = uniform_##S,                  \
  .normal_##S = normal_##S, .rademacher_##S = rademacher_##S, .adam_##S = adam_##S

const sk_kernels sk_kernels_generic = {.target = SK_GENERIC, .name = "generic", SK_FILL(f32), SK_FILL(f64)};
