// All templates for one target, and its table. A target's source file includes this once; lanes.h says what it sets first.
// SK_TABLE is the table's name, SK_TARGET and SK_TARGET_NAME what it says of itself.

#include "../bfloat16.h"
#include "../gemm_blocks.h"
#include "../program_plan.h"
#include "../table.h"

#pragma STDC FP_CONTRACT OFF
// Vectors wider than the hardware's are passed among inlined functions only.
#pragma clang diagnostic ignored "-Wpsabi"

#include "lanes.h"

#define T double
#define S f64
#define SK_IS_F32 0
#include "math_f64.h"
#include "philox_lanes.h"
#include "scalar.h"
#undef T
#undef S
#undef SK_IS_F32
#define T float
#define S f32
#define SK_IS_F32 1
#include "math_f32.h"
#include "scalar.h"
#include "gemm_bf16.h"

#define SK_FILL(S)                                                                                                     \
  .packed_count_##S = packed_count_##S, .pack_##S = pack_##S, .gemm_##S = gemm_##S,                                    \
  .gemm_packed_##S = gemm_packed_##S, .conv_packed_count_##S = conv_packed_count_##S, .conv_pack_##S = conv_pack_##S,  \
  .conv_scratch_##S = conv_scratch_##S, .conv_packed_##S = conv_packed_##S,                                            \
  .conv_filter_units_##S = conv_filter_units_##S, .conv_filter_gradient_##S = conv_filter_gradient_##S,                \
  .group_norm_##S = group_norm_##S,                                                                                    \
  .group_norm_gradient_##S = group_norm_gradient_##S, .program_run_##S = program_run_##S, .map_##S = map_##S,                          \
  .combine_##S = combine_##S, .combine_rows_##S = combine_rows_##S, .sum_##S = sum_##S, .max_##S = max_##S,            \
  .dot_rows_##S = dot_rows_##S, .copy_strided_##S = copy_strided_##S, .all_finite_##S = all_finite_##S,                \
  .uniform_##S = uniform_##S,                                                                                          \
  .normal_##S = normal_##S, .rademacher_##S = rademacher_##S, .adam_##S = adam_##S,       \
  .multiply_adds_##S = multiply_adds_##S

const sk_kernels SK_TABLE = {.target = SK_TARGET, .name = SK_TARGET_NAME, SK_FILL(f32), SK_FILL(f64),
                             .packed_count_bf16 = packed_count_bf16, .pack_bf16 = pack_bf16, .gemm_bf16 = gemm_bf16};
