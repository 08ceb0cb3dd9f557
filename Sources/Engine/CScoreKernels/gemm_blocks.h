// Block sizes of the matrix products, the same for every target so that scratch sizes are too.
#ifndef SK_GEMM_BLOCKS_H
#define SK_GEMM_BLOCKS_H

#include "include/CScoreKernels.h"

enum {
  SK_BLOCK_K = 256,          // a panel of B, SK_BLOCK_K x one tile's columns, stays in the first-level cache
  SK_BLOCK_ROWS = 96,        // a block of A, SK_BLOCK_ROWS x SK_BLOCK_K, stays in the second-level cache …
  SK_BLOCK_N_BYTES = 1024,   // … with a block of B, SK_BLOCK_K x (SK_BLOCK_N_BYTES / size of an entry)
  SK_BLOCK_DEPTH = 2048,     // up to this k all of a block of columns of B is packed at once, and a block of A's sums wait
  SK_BLOCK_SUPER = 960,      // beyond it, sums of this many rows wait while SK_BLOCK_K of B is packed
  SK_TILE_N_BYTES = 128,     // columns of the widest tile of any target, in bytes
  SK_TILE_ROWS = 12,         // rows of the highest
};

#endif
