// The innermost loops of the matrix products: one tile of C in registers.
//
// A tile has up to SK_GEMM_ROWS rows and a few registers of columns. For p = 0 … k-1 a row's entry of A is broadcast and
// multiplied into the tile's registers, so each entry of C is one chain of multiply-adds in the order of p: its bits
// depend on its row of A and column of B alone. B comes in panels of TILE_N columns: entry (p, j) of panel q is at
// b[q * panel + p * step + j]. A is read with any strides.

#define N F(native)
#define LN F(NATIVE)
// Tiles of half a panel may be higher, so that they too have enough chains.
enum { F(TILE_N) = 2 * LN, F(MOST_ROWS) = SK_GEMM_HALF_ROWS > SK_GEMM_ROWS ? SK_GEMM_HALF_ROWS : SK_GEMM_ROWS };

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

// One step: the rows' entries of A, the first of every three rows `offset` entries from the pointers in `base`, times the
// panels' at b.
SK_INLINE void F(tile_step)(const T *const base[], int64_t offset, int64_t row, int64_t two_rows, const T *b,
                            int64_t panel, const int rows, const int vectors, N sum[][8]) {
  N left[F(MOST_ROWS)], right[8];
#define LEFT(i) ((N)(base[(i) / 3][offset + ((i) % 3 == 0 ? 0 : (i) % 3 == 1 ? row : two_rows)]))
#define RIGHT(v) F(load_native)(b + (v) / 2 * panel + (v) % 2 * LN)
  // The operand with fewer registers is held, the other streams by.
  if (rows < vectors) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; ++i) left[i] = LEFT(i);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) {
      right[v] = RIGHT(v);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; ++i) sum[i][v] = FMA(left[i], right[v], sum[i][v]);
    }
  } else {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) right[v] = RIGHT(v);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; ++i) {
      left[i] = LEFT(i);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; ++v) sum[i][v] = FMA(left[i], right[v], sum[i][v]);
    }
  }
#undef LEFT
#undef RIGHT
}

// SK_GEMM_STEPS steps of constant strides.
SK_INLINE void F(tile_steps)(const T *base[], const int column, int64_t row, int64_t two_rows, const T **b,
                             int64_t panel, const int rows, const int vectors, N sum[][8]) {
#pragma clang loop unroll(full)
  for (int u = 0; u < SK_GEMM_STEPS; ++u)
    F(tile_step)(base, u * column, row, two_rows, *b + u * F(TILE_N), panel, rows, vectors, sum);
  *b += SK_GEMM_STEPS * F(TILE_N);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i += 3) base[i / 3] += SK_GEMM_STEPS * column;
}

// rows and vectors are constants at every call, so the tile lives in registers.
SK_INLINE void F(run_tile)(const F(tile) *t, const int rows, const int vectors) {
  N sum[F(MOST_ROWS)][8];
  const int64_t column = t->column, step = t->step, panel = t->panel, from_row = t->from_row, to_row = t->to_row;
  int64_t row = t->row, two_rows = 2 * row;
  const T *from = t->from, *b = t->b, *base[(F(MOST_ROWS) + 2) / 3];
  T *to = t->to;
  SK_OPAQUE(row);
  SK_OPAQUE(two_rows);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i += 3) {
    base[i / 3] = t->a + i * t->row;
    SK_OPAQUE(base[i / 3]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) sum[i][v] = from ? F(load_native)(from + i * from_row + v * LN) : (N)((T)0);
  int64_t p = t->k;
  // Where B is a packed panel and A a packed strip or rows as they lie, several steps share their counting.
  const int shared = SK_GEMM_STEPS > 1 && step == F(TILE_N);
  if (shared && column == 1) {
    for (; p >= SK_GEMM_STEPS; p -= SK_GEMM_STEPS)
      F(tile_steps)(base, 1, row, two_rows, &b, panel, rows, vectors, sum);
  } else if (shared && column == rows) {
    for (; p >= SK_GEMM_STEPS; p -= SK_GEMM_STEPS)
      F(tile_steps)(base, rows, row, two_rows, &b, panel, rows, vectors, sum);
  }
  for (; p > 0; --p) {
    F(tile_step)(base, 0, row, two_rows, b, panel, rows, vectors, sum);
    b += step;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i += 3) base[i / 3] += column;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) F(store_native)(to + i * to_row + v * LN, sum[i][v]);
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
// Tiles of 1, 2 and 3 rows that are 4, 3 and 2 panels wide.
static const F(tile_function) F(several_tiles)[4] = {NULL, F(tile_1_8), F(tile_2_6), F(tile_3_4)};
enum { F(MOST_ENTRIES) = 12 * 2 * LN };  // of a tile of any of these

#undef SK_OPAQUE
#undef TILE
#undef N
#undef LN
