// Lanes: the vector types that every template is written in, and the few operations that differ between targets.
//
// A target's source file sets, before including target.h:
//   SK_VECTOR_BYTES   width of the vectors in elementwise templates; may exceed the hardware's (the compiler splits them)
//   SK_NATIVE_BYTES   width of one hardware register, used by the matrix products
//   SK_HAS_FMA        1 where a fused multiply-add is one instruction, 0 where FMA() is a product and a sum
//   SK_HAS_BF16       1 where SK_ADD_PAIRS(sum, a, b) adds products of pairs of bfloat16 in one instruction
//   SK_GEMM_ROWS      rows of a tile of a matrix product, and SK_GEMM_HALF_ROWS of a tile of half the width
//   SK_GEMM_STEPS     steps of a tile that share their counting; 1 where the distances between loads would take registers
// and gives all functions its instruction set with `#pragma clang attribute push`.
//
// Two targets with SK_HAS_FMA agree bit for bit: each lane sees the same operations whatever the width, compilers may not
// contract (FP_CONTRACT is off: a fused multiply-add is written FMA), and sums run over a fixed number of lanes.
#ifndef SK_LANES_H
#define SK_LANES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#define SK_INLINE static inline __attribute__((always_inline, unused))
#define SK_JOIN2(a, b) a##_##b
#define SK_JOIN(a, b) SK_JOIN2(a, b)
// F(name) is the name for the scalar type at hand: F(exp) is exp_f32 or exp_f64.
#define F(name) SK_JOIN(name, S)
#define SK_MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define SK_MAX_OF(a, b) ((a) > (b) ? (a) : (b))

#if SK_HAS_FMA
#define FMA(a, b, c) __builtin_elementwise_fma((a), (b), (c))
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

// A vector type of COUNT entries, V_S, read and written at any address: all of it, or its first `some` entries (all where they
// are as many), the others 0. KIND is in the functions' names.
#define SK_VECTORS(T, S, V, COUNT, KIND)                                                                               \
  typedef T V##_##S __attribute__((ext_vector_type(COUNT)));                                                           \
  typedef T V##_at_##S __attribute__((ext_vector_type(COUNT), aligned(sizeof(T)), may_alias));                         \
  SK_INLINE V##_##S load_##KIND##S(const T *p) { return *(const V##_at_##S *)p; }                                      \
  SK_INLINE void store_##KIND##S(T *p, V##_##S x) { *(V##_at_##S *)p = x; }                                            \
  SK_INLINE V##_##S load_##KIND##part_##S(const T *p, int64_t some) {                                                  \
    if (some >= COUNT) return load_##KIND##S(p);                                                                       \
    T part[COUNT] = {0};                                                                                               \
    memcpy(part, p, (size_t)some * sizeof(T));                                                                         \
    return load_##KIND##S(part);                                                                                       \
  }                                                                                                                    \
  SK_INLINE void store_##KIND##part_##S(T *p, V##_##S x, int64_t some) {                                               \
    if (some >= COUNT) {                                                                                               \
      store_##KIND##S(p, x);                                                                                           \
      return;                                                                                                          \
    }                                                                                                                  \
    T part[COUNT];                                                                                                     \
    store_##KIND##S(part, x);                                                                                          \
    memcpy(p, part, (size_t)some * sizeof(T));                                                                         \
  }

// Names, for scalar type T with suffix S: vec (SK_VECTOR_BYTES), ivec and uvec (integers of the same shape), native (one
// register), slim (32 bytes), wide (64 bytes: the fixed lanes of sums), quad (four entries).
#define SK_TYPES(T, I, U, S, SIZE)                                                                                     \
  enum { LANES_##S = SK_VECTOR_BYTES / SIZE, NATIVE_##S = SK_NATIVE_BYTES / SIZE };                                    \
  enum { SLIM_##S = 32 / SIZE, WIDE_##S = 64 / SIZE };                                                                 \
  typedef I ivec_##S __attribute__((ext_vector_type(LANES_##S)));                                                      \
  typedef U uvec_##S __attribute__((ext_vector_type(LANES_##S)));                                                      \
  SK_VECTORS(T, S, vec, LANES_##S, )                                                                                   \
  SK_VECTORS(T, S, native, NATIVE_##S, native_)                                                                        \
  SK_VECTORS(T, S, slim, SLIM_##S, slim_)                                                                              \
  SK_VECTORS(T, S, wide, WIDE_##S, wide_)                                                                              \
  SK_VECTORS(T, S, quad, 4, quad_)                                                                                     \
  /* Four rows of four entries, transposed in place. */                                                                \
  SK_INLINE void transpose_quads_##S(quad_##S x[4]) {                                                                  \
    quad_##S a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7); \
    quad_##S c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7); \
    x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);                                                                  \
    x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);                                                                  \
    x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);                                                                  \
    x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);                                                                  \
  }

SK_TYPES(float, int32_t, uint32_t, f32, 4)
SK_TYPES(double, int64_t, uint64_t, f64, 8)
#undef SK_TYPES
#undef SK_VECTORS

// The lanes' sum, folded by halves.
SK_INLINE float fold_lanes_f32(wide_f32 x) {
  typedef float H __attribute__((ext_vector_type(8)));
  H h = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
        __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  quad_f32 q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

SK_INLINE double fold_lanes_f64(wide_f64 x) {
  quad_f64 q = __builtin_shufflevector(x, x, 0, 1, 2, 3) + __builtin_shufflevector(x, x, 4, 5, 6, 7);
  return (q[0] + q[2]) + (q[1] + q[3]);
}

#endif
