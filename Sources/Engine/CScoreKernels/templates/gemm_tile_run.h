// One tile, for registers of type N with LN entries; G(name) is the name for these registers. Included by gemm_tile.h.

// One step: the rows' entries of A, the first of every three rows `offset` entries from the pointers in `base`, times the
// panels' at b.
SK_INLINE void G(tile_step)(const T *const base[], int64_t offset, int64_t row, int64_t two_rows, const T *b,
                            int64_t panel, const int rows, const int vectors, N sum[][8]) {
  N left[F(MOST_ROWS)], right[8];
#define LEFT(i) ((N)(base[(i) / 3][offset + ((i) % 3 == 0 ? 0 : (i) % 3 == 1 ? row : two_rows)]))
#define RIGHT(v) G(load)(b + (v) / 2 * panel + (v) % 2 * LN)
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
SK_INLINE void G(tile_steps)(const T *base[], const int column, int64_t row, int64_t two_rows, const T **b,
                             int64_t panel, const int rows, const int vectors, N sum[][8]) {
#pragma clang loop unroll(full)
  for (int u = 0; u < SK_GEMM_STEPS; ++u)
    G(tile_step)(base, u * column, row, two_rows, *b + u * F(TILE_N), panel, rows, vectors, sum);
  *b += SK_GEMM_STEPS * F(TILE_N);
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i += 3) base[i / 3] += SK_GEMM_STEPS * column;
}

// rows and vectors are constants at every call, so the tile lives in registers.
SK_INLINE void G(run_tile)(const F(tile) *t, const int rows, const int vectors) {
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
    for (int v = 0; v < vectors; ++v) sum[i][v] = from ? G(load)(from + i * from_row + v * LN) : (N)((T)0);
  int64_t p = t->k;
  // Where B is a packed panel and A a packed strip or rows as they lie, several steps share their counting.
  const int shared = SK_GEMM_STEPS > 1 && step == F(TILE_N);
  if (shared && column == 1) {
    for (; p >= SK_GEMM_STEPS; p -= SK_GEMM_STEPS)
      G(tile_steps)(base, 1, row, two_rows, &b, panel, rows, vectors, sum);
  } else if (shared && column == rows) {
    for (; p >= SK_GEMM_STEPS; p -= SK_GEMM_STEPS)
      G(tile_steps)(base, rows, row, two_rows, &b, panel, rows, vectors, sum);
  }
  for (; p > 0; --p) {
    G(tile_step)(base, 0, row, two_rows, b, panel, rows, vectors, sum);
    b += step;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i += 3) base[i / 3] += column;
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; ++i)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; ++v) G(store)(to + i * to_row + v * LN, sum[i][v]);
}
