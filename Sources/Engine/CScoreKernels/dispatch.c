// The public routines: each hands over to the chosen target's table.
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
#elif defined(__aarch64__)
    case SK_NEON: return &sk_kernels_neon;
#endif
    default: return NULL;
  }
}

const sk_kernels *sk_kernels_best(void) {
  static const sk_target order[] = {SK_AVX512, SK_AVX2, SK_NEON};
  for (int i = 0; i < 3; ++i) {
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
