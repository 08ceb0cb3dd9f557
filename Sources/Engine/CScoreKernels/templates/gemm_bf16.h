// Matrix products of Float operands rounded to bfloat16, summed in Float.
//
// Entries of k lie in pairs, the first in the upper half of a word. B is packed in advance in panels of TILE_N columns, pair
// after pair; blocks of A are packed by rows. A pair's products are added one after the other, the first first, so that
// an entry of C is one chain as in gemm_tile.h. A product of two bfloat16 is exact in Float, and with it one rounding a term,
// fused or not. Where SK_HAS_BF16 is 1 one instruction adds a pair; it takes subnormal numbers for 0.

#define N native_f32
#define LN NATIVE_f32
// Without the instruction a tile is lower, since its halves take registers too.
enum { PAIR_TILE_N = 2 * LN, PAIR_ROWS = SK_HAS_BF16 ? 12 : 4 };

typedef uint32_t pairs __attribute__((ext_vector_type(LN)));
typedef uint32_t pairs_at __attribute__((ext_vector_type(LN), aligned(4), may_alias));

#if !SK_HAS_BF16
SK_INLINE N upper_entries(pairs x) { return (N)(x & 0xffff0000u); }
SK_INLINE N lower_entries(pairs x) { return (N)(x << 16); }
#define SK_ADD_PAIRS(sum, a, b)                                                                                        \
  FMA(lower_entries(a), lower_entries(b), FMA(upper_entries(a), upper_entries(b), (sum)))
#endif

// rows is a constant at every call, so the tile lives in registers. It goes to sum, PAIR_TILE_N a row.
SK_INLINE void run_pair_tile(int64_t count, const uint32_t *a, const uint32_t *b, float *to, const int rows) {
  N sum[PAIR_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i) sum[i][0] = sum[i][1] = (N)(0.0f);
  for (int64_t q = 0; q < count; ++q, b += PAIR_TILE_N) {
    const pairs left = *(const pairs_at *)b, right = *(const pairs_at *)(b + LN);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; ++i) {
      const pairs x = (pairs)(a[i * count + q]);
      sum[i][0] = SK_ADD_PAIRS(sum[i][0], x, left);
      sum[i][1] = SK_ADD_PAIRS(sum[i][1], x, right);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i) {
    store_native_f32(to + i * PAIR_TILE_N, sum[i][0]);
    store_native_f32(to + i * PAIR_TILE_N + LN, sum[i][1]);
  }
}

typedef void (*pair_tile)(int64_t count, const uint32_t *a, const uint32_t *b, float *to);
#define TILE(rows)                                                                                                     \
  static void pair_tile_##rows(int64_t count, const uint32_t *a, const uint32_t *b, float *to) {                       \
    run_pair_tile(count, a, b, to, rows);                                                                              \
  }
TILE(1) TILE(2) TILE(3) TILE(4)
#if SK_HAS_BF16
TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)
#endif

static const pair_tile pair_tiles[PAIR_ROWS + 1] = {
    NULL, pair_tile_1, pair_tile_2, pair_tile_3, pair_tile_4,
#if SK_HAS_BF16
    pair_tile_5, pair_tile_6, pair_tile_7, pair_tile_8, pair_tile_9, pair_tile_10, pair_tile_11, pair_tile_12,
#endif
};

// out[q] is the pair of entries 2 q and 2 q + 1 of in, `step` apart; the last of an odd number stands beside a 0.
SK_INLINE void round_pairs(int64_t k, const float *in, const int64_t step, uint32_t *out, const int64_t out_step) {
  for (int64_t q = 0; q < k / 2; ++q) out[q * out_step] = sk_rounded_pair(in[2 * q * step], in[(2 * q + 1) * step]);
  if (k % 2) out[k / 2 * out_step] = sk_rounded_pair(in[(k - 1) * step], 0);
}

static size_t packed_count_bf16(int64_t n, int64_t k) {
  return (size_t)((n + PAIR_TILE_N - 1) / PAIR_TILE_N * PAIR_TILE_N * ((k + 1) / 2));
}

_Static_assert(SK_PACK_ROWS % PAIR_TILE_N == 0 && SK_PACK_ROWS % 2 == 0, "parts are whole panels, or whole pairs");

static void pack_bf16(int64_t n, int64_t k, const float *b, int64_t ldb, int trans_b, int64_t begin, int64_t end,
                      uint32_t *packed) {
  const int64_t column = trans_b ? ldb : 1, row = trans_b ? 1 : ldb, count = (k + 1) / 2;
  const int64_t j0 = trans_b ? begin : 0, j1 = trans_b ? end : n, p0 = trans_b ? 0 : begin, p1 = trans_b ? k : end;
  for (int64_t j = j0; j < (j1 + PAIR_TILE_N - 1) / PAIR_TILE_N * PAIR_TILE_N; ++j) {
    uint32_t *out = packed + (j / PAIR_TILE_N * count + p0 / 2) * PAIR_TILE_N + j % PAIR_TILE_N;
    if (j < j1) round_pairs(p1 - p0, b + j * column + p0 * row, row, out, PAIR_TILE_N);
    else for (int64_t q = 0; q < (p1 - p0 + 1) / 2; ++q) out[q * PAIR_TILE_N] = 0;
  }
}

static void gemm_bf16(int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, int trans_a, const uint32_t *packed,
                      float *c, int64_t ldc, int beta, const float *bias, sk_activation activation, float *pre,
                      void *scratch) {
  const target_f32 target = {c, pre, ldc, bias, beta, activation};
  const int64_t count = (k + 1) / 2;
  uint32_t *rounded = scratch;
  for (int64_t i0 = 0; i0 < m; i0 += SK_BLOCK_ROWS) {
    const int64_t i1 = SK_MIN_OF(m, i0 + SK_BLOCK_ROWS);
    for (int64_t i = i0; i < i1; ++i) {
      if (trans_a) round_pairs(k, a + i, lda, rounded + (i - i0) * count, 1);
      else round_pairs(k, a + i * lda, 1, rounded + (i - i0) * count, 1);
    }
    for (int64_t j = 0; j < n; j += PAIR_TILE_N) {
      for (int64_t i = i0, rows; i < i1; i += rows) {
        float sum[PAIR_ROWS * PAIR_TILE_N] __attribute__((aligned(64)));
        rows = tile_rows_f32(i1 - i, PAIR_ROWS);
        pair_tiles[rows](count, rounded + (i - i0) * count, packed + j * count, sum);
        finish_tile_f32(&target, sum, PAIR_TILE_N, i, rows, j, SK_MIN_OF(PAIR_TILE_N, n - j));
      }
    }
  }
}

#undef TILE
#undef N
#undef LN
