// Scratch memory of the matrix products: a packed block of B, a packed block of A, sums in waiting.
#include "gemm_blocks.h"

static size_t scratch_bytes(int64_t m, int64_t n, int64_t k, int64_t size) {
  int64_t block_n = SK_BLOCK_N_BYTES / size, tile_n = SK_TILE_N_BYTES / size;
  int64_t columns = (n < block_n ? n : block_n) + 2 * tile_n, depth = k < SK_BLOCK_K ? k : SK_BLOCK_K;
  int64_t most = k <= SK_BLOCK_DEPTH ? SK_BLOCK_ROWS : SK_BLOCK_SUPER, waiting = m < most ? m : most;
  int64_t rows = (m < SK_BLOCK_ROWS ? m : SK_BLOCK_ROWS) + SK_TILE_ROWS;
  int64_t packed_b = (k <= SK_BLOCK_DEPTH ? k : depth) * columns;
  int64_t entries = packed_b + depth * rows + (k > SK_BLOCK_K ? waiting * columns : 0) + 64;
  return ((size_t)(entries * size) + 63) / 64 * 64 + 256;
}

size_t sk_gemm_scratch_f32(int64_t m, int64_t n, int64_t k) { return scratch_bytes(m, n, k, 4); }
size_t sk_gemm_scratch_f64(int64_t m, int64_t n, int64_t k) { return scratch_bytes(m, n, k, 8); }
