// Philox 4x32-10 on several counters at once (philox.c has the scalar one): each 32-bit word lives in the low half of a
// 64-bit lane, where a product of two words is one instruction. High halves hold leftovers until the end.

typedef struct {
  uvec_f64 word[4];
} sk_words;

SK_INLINE sk_words philox_lanes(uvec_f64 c0, uvec_f64 c2, uvec_f64 c3, uint64_t key) {
  const uvec_f64 low = (uvec_f64)(0xffffffffu);
  uvec_f64 c1 = (uvec_f64)(0u);
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  // Unrolled, the keys of all rounds are vectors that outlive a loop of calls.
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; ++round) {
    uvec_f64 p0 = (c0 & low) * (uvec_f64)(0xD2511F53u), p1 = (c2 & low) * (uvec_f64)(0xCD9E8D57u);
    c0 = (p1 >> 32) ^ c1 ^ (uvec_f64)((uint64_t)k0);
    c2 = (p0 >> 32) ^ c3 ^ (uvec_f64)((uint64_t)k1);
    c1 = p1;
    c3 = p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (sk_words){{c0 & low, c1 & low, c2 & low, c3 & low}};
}

// The lanes of two vectors in turn: a0 b0 a1 b1 …
typedef struct {
  vec_f64 low, high;
} sk_zipped;

SK_INLINE sk_zipped zip_lanes(vec_f64 a, vec_f64 b) {
#if SK_VECTOR_BYTES == 64
  return (sk_zipped){__builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
                     __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
#elif SK_VECTOR_BYTES == 32
  return (sk_zipped){__builtin_shufflevector(a, b, 0, 4, 1, 5), __builtin_shufflevector(a, b, 2, 6, 3, 7)};
#else
  return (sk_zipped){__builtin_shufflevector(a, b, 0, 2), __builtin_shufflevector(a, b, 1, 3)};
#endif
}

// Four vectors with one entry of each block -> the blocks one after the other.
SK_INLINE void zip_blocks(const vec_f64 entry[4], vec_f64 out[4]) {
  sk_zipped even = zip_lanes(entry[0], entry[2]), odd = zip_lanes(entry[1], entry[3]);
  sk_zipped first = zip_lanes(even.low, odd.low), second = zip_lanes(even.high, odd.high);
  out[0] = first.low;
  out[1] = first.high;
  out[2] = second.low;
  out[3] = second.high;
}

// (word + 0.5) / 2^32, exactly. A word in the low bits of a double of size 2^52 is that double's distance from 2^52.
SK_INLINE vec_f64 unit_from_word(uvec_f64 word) {
  return ((vec_f64)(word | 0x4330000000000000u) - (0x1p52 - 0.5)) * 0x1p-32;
}
