// The innermost loops of the matrix products: one tile of C in registers.
//
// A tile has up to SK_GEMM_ROWS rows and a few registers of columns. For p = 0 … k-1 a row's entry of A is broadcast and
// multiplied into the tile's registers, so each entry of C is one chain of multiply-adds in the order of p: its bits
// depend on its row of A and column of B alone. B comes in panels of TILE_N columns: entry (p, j) of panel q is at
// b[q * panel + p * step + j]. A is read with any strides.

// Tiles of half a panel may be higher, so that they too have enough chains.
enum { F(TILE_N) = 2 * F(NATIVE), F(MOST_ROWS) = SK_GEMM_HALF_ROWS > SK_GEMM_ROWS ? SK_GEMM_HALF_ROWS : SK_GEMM_ROWS };

typedef struct {
  int64_t k;
  const T *a;
  int64_t row, column;  // strides of A
  const T *b;
  int64_t step, panel;  // strides of B
  const T *from;        // sums to go on from, or NULL for 0
  int64_t from_row;
  T *to;
  int64_t to_row;
} F(tile);

// Hides where a value comes from, so that the compiler keeps it in a register of its own rather than derive it from another
// in every step, one after the other.
#define SK_OPAQUE(x) __asm__("" : "+r"(x))

#define G(name) SK_JOIN(name, SK_JOIN(native, S))
#define N F(native)
#define LN F(NATIVE)
#include "gemm_tile_run.h"
#undef G
#undef N
#undef LN

typedef void (*F(tile_function))(const F(tile) *t);
#define TILE(rows, vectors)                                                                                            \
  static void F(tile_##rows##_##vectors)(const F(tile) *t) { F(run_tile_native)(t, rows, vectors); }

// One panel, half a panel (the last columns, where they are few), and for low tiles several panels at once, so that
// there are enough independent chains to keep the multipliers busy.
TILE(1, 2) TILE(1, 1) TILE(1, 8)
TILE(2, 2) TILE(2, 1) TILE(2, 6)
TILE(3, 2) TILE(3, 1) TILE(3, 4)
TILE(4, 2) TILE(4, 1)
#if SK_GEMM_ROWS >= 6
TILE(5, 2) TILE(6, 2)
#endif
#if SK_GEMM_ROWS >= 12
TILE(7, 2) TILE(8, 2) TILE(9, 2) TILE(10, 2) TILE(11, 2) TILE(12, 2)
#endif
#if SK_GEMM_HALF_ROWS >= 12
TILE(5, 1) TILE(6, 1) TILE(7, 1) TILE(8, 1) TILE(9, 1) TILE(10, 1) TILE(11, 1) TILE(12, 1)
#endif

static const F(tile_function) F(panel_tiles)[SK_GEMM_ROWS + 1] = {
    NULL, F(tile_1_2), F(tile_2_2), F(tile_3_2), F(tile_4_2),
#if SK_GEMM_ROWS >= 6
    F(tile_5_2), F(tile_6_2),
#endif
#if SK_GEMM_ROWS >= 12
    F(tile_7_2), F(tile_8_2), F(tile_9_2), F(tile_10_2), F(tile_11_2), F(tile_12_2),
#endif
};
static const F(tile_function) F(half_tiles)[F(MOST_ROWS) + 1] = {
    NULL, F(tile_1_1), F(tile_2_1), F(tile_3_1), F(tile_4_1),
#if SK_GEMM_HALF_ROWS >= 12
    F(tile_5_1), F(tile_6_1), F(tile_7_1), F(tile_8_1), F(tile_9_1), F(tile_10_1), F(tile_11_1), F(tile_12_1),
#endif
};

// Columns that fill half a register of 64 bytes at most take one of 32, of which processors multiply two at a time.
#if SK_NATIVE_BYTES == 64
#define G(name) SK_JOIN(name, SK_JOIN(slim, S))
#define N F(slim)
#define LN F(SLIM)
#include "gemm_tile_run.h"
#undef G
#undef N
#undef LN
#define SLIM_TILE(rows) static void F(slim_tile_##rows)(const F(tile) *t) { F(run_tile_slim)(t, rows, 1); }
SLIM_TILE(1) SLIM_TILE(2) SLIM_TILE(3) SLIM_TILE(4) SLIM_TILE(5) SLIM_TILE(6)
SLIM_TILE(7) SLIM_TILE(8) SLIM_TILE(9) SLIM_TILE(10) SLIM_TILE(11) SLIM_TILE(12)
#undef SLIM_TILE
static const F(tile_function) F(slim_tiles)[F(MOST_ROWS) + 1] = {
    NULL, F(slim_tile_1), F(slim_tile_2), F(slim_tile_3), F(slim_tile_4), F(slim_tile_5), F(slim_tile_6),
    F(slim_tile_7), F(slim_tile_8), F(slim_tile_9), F(slim_tile_10), F(slim_tile_11), F(slim_tile_12),
};
#endif

// The tiles by rows that take so many columns of one panel, and their width.
SK_INLINE const F(tile_function) *F(tiles_for)(int64_t columns, int64_t *width) {
#if SK_NATIVE_BYTES == 64
  if (columns <= F(SLIM)) {
    *width = F(SLIM);
    return F(slim_tiles);
  }
#endif
  const int half = columns <= F(NATIVE);
  *width = half ? F(NATIVE) : F(TILE_N);
  return half ? F(half_tiles) : F(panel_tiles);
}

// Tiles of 1, 2 and 3 rows that are 4, 3 and 2 panels wide.
static const F(tile_function) F(several_tiles)[4] = {NULL, F(tile_1_8), F(tile_2_6), F(tile_3_4)};
enum { F(MOST_ENTRIES) = 12 * F(TILE_N) };  // of a tile of any of these

#undef SK_OPAQUE
#undef TILE
