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

// Names, for scalar type T with suffix S: vec (SK_VECTOR_BYTES), ivec and uvec (integers of the same shape), native (one
// register), wide (64 bytes: the fixed lanes of sums), quad (four entries); *_at: the same at any address.
#define SK_TYPES(T, I, U, S, SIZE)                                                                                     \
  enum { LANES_##S = SK_VECTOR_BYTES / SIZE, NATIVE_##S = SK_NATIVE_BYTES / SIZE, WIDE_##S = 64 / SIZE };              \
  typedef T vec_##S __attribute__((ext_vector_type(SK_VECTOR_BYTES / SIZE)));                                          \
  typedef I ivec_##S __attribute__((ext_vector_type(SK_VECTOR_BYTES / SIZE)));                                         \
  typedef U uvec_##S __attribute__((ext_vector_type(SK_VECTOR_BYTES / SIZE)));                                         \
  typedef T native_##S __attribute__((ext_vector_type(SK_NATIVE_BYTES / SIZE)));                                       \
  typedef T wide_##S __attribute__((ext_vector_type(64 / SIZE)));                                                      \
  typedef T quad_##S __attribute__((ext_vector_type(4)));                                                              \
  typedef T vec_at_##S __attribute__((ext_vector_type(SK_VECTOR_BYTES / SIZE), aligned(SIZE), may_alias));             \
  typedef T native_at_##S __attribute__((ext_vector_type(SK_NATIVE_BYTES / SIZE), aligned(SIZE), may_alias));          \
  typedef T wide_at_##S __attribute__((ext_vector_type(64 / SIZE), aligned(SIZE), may_alias));                         \
  typedef T quad_at_##S __attribute__((ext_vector_type(4), aligned(SIZE), may_alias));                                 \
  SK_INLINE vec_##S load_##S(const T *p) { return *(const vec_at_##S *)p; }                                            \
  SK_INLINE void store_##S(T *p, vec_##S x) { *(vec_at_##S *)p = x; }                                                  \
  SK_INLINE native_##S load_native_##S(const T *p) { return *(const native_at_##S *)p; }                               \
  SK_INLINE void store_native_##S(T *p, native_##S x) { *(native_at_##S *)p = x; }                                     \
  SK_INLINE wide_##S load_wide_##S(const T *p) { return *(const wide_at_##S *)p; }                                     \
  SK_INLINE void store_wide_##S(T *p, wide_##S x) { *(wide_at_##S *)p = x; }                                           \
  SK_INLINE quad_##S load_quad_##S(const T *p) { return *(const quad_at_##S *)p; }                                     \
  SK_INLINE void store_quad_##S(T *p, quad_##S x) { *(quad_at_##S *)p = x; }                                           \
  /* The first `count` entries at p, the others 0. */                                                                  \
  SK_INLINE wide_##S load_wide_part_##S(const T *p, int64_t count) {                                                   \
    T buffer[64 / SIZE] = {0};                                                                                         \
    memcpy(buffer, p, (size_t)count * SIZE);                                                                           \
    return load_wide_##S(buffer);                                                                                      \
  }                                                                                                                    \
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
