// The upper half of a Float: bfloat16, eight bits of significand.
#ifndef SK_BFLOAT16_H
#define SK_BFLOAT16_H

#include <stdint.h>
#include <string.h>

// The bits of the nearest bfloat16, ties to even, in the upper half of a word and zeros below. What is not a number stays so.
static inline uint32_t sk_rounded_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t quiet = bits | 0x400000, rounded = bits + 0x7fff + (bits >> 16 & 1);
  return ((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) & 0xffff0000;
}

// A pair of entries, of which products take the upper one first.
static inline uint32_t sk_rounded_pair(float first, float second) {
  return sk_rounded_bits(first) | sk_rounded_bits(second) >> 16;
}

#endif
