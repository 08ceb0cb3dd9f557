// The public routines: each hands over to the chosen target's table.
#include "table.h"

const sk_kernels *sk_kernels_for(sk_target target) {
  switch (target) {
    case SK_GENERIC: return &sk_kernels_generic;
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
