// The innermost loops of the matrix products: one tile of C in registers.
//
// A tile has up to SK_GEMM_ROWS rows and a few registers of columns. For p = 0 … k-1 a row's entry of A is broadcast and
// multiplied into the tile's registers, so each entry of C is one chain of multiply-adds in the order of p: its bits
// depend on its row of A and column of B alone. B comes in panels of TILE_N columns: entry (p, j) of panel q is at
// b[q * panel + p * step + j]. A is read with any strides.

#define N F(native)
#define LN F(NATIVE)
enum { F(TILE_N) = 2 * LN };

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

// rows and vectors are constants at every call, so the tile lives in registers.
SK_INLINE void F(run_tile)(const F(tile) *t, const int rows, const int vectors) {
  N sum[SK_GEMM_ROWS][8];
  const T *a = t->a, *b = t->b;
  const int64_t row = t->row, column = t->column, step = t->step, panel = t->panel;
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v)
      sum[i][v] = t->from ? F(load_native)(t->from + i * t->from_row + v * LN) : (N)((T)0);
  for (int64_t p = t->k; p > 0; --p, a += column, b += step) {
    N right[8];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) right[v] = F(load_native)(b + (v / 2) * panel + (v % 2) * LN);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; ++i) {
      N left = (N)(a[i * row]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; ++v) sum[i][v] = FMA(left, right[v], sum[i][v]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) F(store_native)(t->to + i * t->to_row + v * LN, sum[i][v]);
}

typedef void (*F(tile_function))(const F(tile) *t);
#define TILE(rows, vectors)                                                                                            \
  static void F(tile_##rows##_##vectors)(const F(tile) *t) { F(run_tile)(t, rows, vectors); }

// One panel, half a panel (the last columns, where they are few), and for low tiles several panels at once, so that
// there are enough independent chains to keep the multipliers busy.
TILE(1, 2) TILE(1, 1) TILE(1, 8)
TILE(2, 2) TILE(2, 1) TILE(2, 6)
TILE(3, 2) TILE(3, 1) TILE(3, 4)
TILE(4, 2) TILE(4, 1)
#if SK_GEMM_ROWS >= 6
TILE(5, 2) TILE(5, 1)
TILE(6, 2) TILE(6, 1)
#endif
#if SK_GEMM_ROWS >= 12
TILE(7, 2) TILE(7, 1)
TILE(8, 2) TILE(8, 1)
TILE(9, 2) TILE(9, 1)
TILE(10, 2) TILE(10, 1)
TILE(11, 2) TILE(11, 1)
TILE(12, 2) TILE(12, 1)
#endif

typedef struct {
  F(tile_function) panel, half, several;
  int panels;  // that `several` takes
} F(tile_functions);

static const F(tile_functions) F(tiles)[SK_GEMM_ROWS + 1] = {
    [1] = {F(tile_1_2), F(tile_1_1), F(tile_1_8), 4},
    [2] = {F(tile_2_2), F(tile_2_1), F(tile_2_6), 3},
    [3] = {F(tile_3_2), F(tile_3_1), F(tile_3_4), 2},
    [4] = {F(tile_4_2), F(tile_4_1), NULL, 1},
#if SK_GEMM_ROWS >= 6
    [5] = {F(tile_5_2), F(tile_5_1), NULL, 1},
    [6] = {F(tile_6_2), F(tile_6_1), NULL, 1},
#endif
#if SK_GEMM_ROWS >= 12
    [7] = {F(tile_7_2), F(tile_7_1), NULL, 1},
    [8] = {F(tile_8_2), F(tile_8_1), NULL, 1},
    [9] = {F(tile_9_2), F(tile_9_1), NULL, 1},
    [10] = {F(tile_10_2), F(tile_10_1), NULL, 1},
    [11] = {F(tile_11_2), F(tile_11_1), NULL, 1},
    [12] = {F(tile_12_2), F(tile_12_1), NULL, 1},
#endif
};
enum { F(MOST_COLUMNS) = 8 * LN };

#undef TILE
#undef N
#undef LN
