// Matrix products: blocks for the caches, tiles for the registers (gemm_tile.h), and what happens to a finished tile.
//
// Loops, from the outside: blocks of columns, for which B is packed; blocks of rows whose sums may have to wait; blocks of k;
// blocks of rows, for which A is packed where it is read badly; panels of B; tiles. Where k is very long, B is packed for a
// block of k at a time instead, and the sums of more rows wait. They wait in scratch memory at full precision, so a chain of
// multiply-adds is the same however it is cut. A finished tile gets + C, + bias and the activation while it is in the
// first-level cache. Few rows, of a B that is packed in advance or lies in rows, take a shorter way: B and A are read where
// they lie. Both ways do the same arithmetic for each entry.
//
// To add an activation: its value in the header, cases in activate and finish_tile, a line in the test of activations.

#define V F(vec)
#define LANES F(LANES)
#define TILE_N F(TILE_N)

// What a finished tile needs: C with all that is added and applied.
typedef struct {
  T *c, *pre;
  int64_t ldc;
  const T *bias;
  int beta;
  sk_activation activation;
} F(target);

SK_INLINE int F(is_plain)(const F(target) *t) {
  return !t->pre && !t->bias && !t->beta && t->activation == SK_IDENTITY;
}

SK_INLINE V F(activate)(const sk_activation activation, V x) {
  switch (activation) {
    case SK_SILU: case SK_SILU_SLOPE: return F(silu)(x);
    case SK_TANH: return F(tanh)(x);
    case SK_RELU: return x < 0 ? (V)((T)0) : x;
    default: return x;
  }
}

// Finished sums, `rows` of them `sum_row` apart, into rows i … and columns j …, `some` of each, at most LANES.
SK_INLINE void F(finish_columns)(const F(target) *t, const sk_activation activation, const T *sum, int64_t sum_row,
                                 int64_t i, int64_t rows, int64_t j, const int64_t some) {
  T *c = t->c + i * t->ldc + j, *pre = t->pre ? t->pre + i * t->ldc + j : NULL;
  const int beta = t->beta, has_bias = t->bias != NULL;
  const int64_t ldc = t->ldc;
  const V shift = has_bias ? F(load_part)(t->bias + j, some) : (V)((T)0);
  for (int64_t r = 0; r < rows; ++r) {
    V value = F(load)(sum + r * sum_row);
    if (beta) value += F(load_part)(c + r * ldc, some);
    if (has_bias) value += shift;
    if (pre && activation == SK_SILU_SLOPE) {
      F(store_part)(pre + r * ldc, F(silu_slope)(value, &value), some);
      F(store_part)(c + r * ldc, value, some);
    } else if (activation == SK_TIMES) {
      F(store_part)(c + r * ldc, value * F(load_part)(pre + r * ldc, some), some);
    } else {
      if (pre) F(store_part)(pre + r * ldc, value, some);
      F(store_part)(c + r * ldc, F(activate)(activation, value), some);
    }
  }
}

SK_INLINE void F(finish)(const F(target) *t, const sk_activation activation, const T *sum, int64_t sum_row, int64_t i,
                         int64_t rows, int64_t j, int64_t count) {
  int64_t x = 0;
  for (; x + LANES <= count; x += LANES) F(finish_columns)(t, activation, sum + x, sum_row, i, rows, j + x, LANES);
  if (x < count) F(finish_columns)(t, activation, sum + x, sum_row, i, rows, j + x, count - x);
}

// One function for each activation, chosen once for a tile.
static __attribute__((noinline)) void F(finish_tile)(const F(target) *t, const T *sum, int64_t sum_row, int64_t i,
                                                     int64_t rows, int64_t j, int64_t count) {
  switch (t->activation) {
    case SK_SILU: F(finish)(t, SK_SILU, sum, sum_row, i, rows, j, count); break;
    case SK_SILU_SLOPE: F(finish)(t, SK_SILU_SLOPE, sum, sum_row, i, rows, j, count); break;
    case SK_TIMES: F(finish)(t, SK_TIMES, sum, sum_row, i, rows, j, count); break;
    case SK_TANH: F(finish)(t, SK_TANH, sum, sum_row, i, rows, j, count); break;
    case SK_RELU: F(finish)(t, SK_RELU, sum, sum_row, i, rows, j, count); break;
    default: F(finish)(t, SK_IDENTITY, sum, sum_row, i, rows, j, count); break;
  }
}

// Runs the tile and finishes its `count` columns, which start at column j. The tile is changed where it lies: a copy would be
// read in wide pieces right after its fields were written one by one, which stalls.
SK_INLINE void F(make_tile)(const F(target) *target, F(tile) *tile, F(tile_function) function, int64_t i, int64_t rows,
                            int64_t j, int64_t width, int64_t count) {
  // What the finished tile meets comes from far away, a row on a page of its own: it is asked for before the sums begin.
  for (int64_t r = i; r < i + rows; ++r) {
    __builtin_prefetch(target->c + r * target->ldc + j, 1);
    if (target->pre) __builtin_prefetch(target->pre + r * target->ldc + j, 1);
  }
  if (width == count && F(is_plain)(target)) {
    tile->to = target->c + i * target->ldc + j;
    tile->to_row = target->ldc;
    function(tile);
    return;
  }
  T sum[F(MOST_ENTRIES)] __attribute__((aligned(64)));
  tile->to = sum;
  tile->to_row = width;
  function(tile);
  F(finish_tile)(target, sum, width, i, rows, j, count);
}

// Rows of the next tile where `left` remain: `most`, but the last two tiles share evenly rather than leave a low one.
SK_INLINE int64_t F(tile_rows)(int64_t left, int64_t most) {
  return left <= most || left >= 2 * most ? SK_MIN_OF(left, most) : (left + 1) / 2;
}

// Few rows: no copies of A, all of k at once. Columns 0 ..< n; panels as in gemm_tile.h.
static void F(gemm_few_rows)(const F(target) *target, int64_t m, int64_t n, F(tile) tile) {
  for (int64_t i = 0, rows; i < m; i += rows) {
    rows = F(tile_rows)(m - i, SK_GEMM_ROWS);
    const int64_t several = rows <= 3 ? (5 - rows) * TILE_N : 0;
    F(tile) t = tile;
    t.a = tile.a + i * tile.row;
    for (int64_t j = 0, count; j < n; j += count) {
      t.b = tile.b + j / TILE_N * tile.panel;
      if (several && n - j >= several) {
        count = several;
        F(make_tile)(target, &t, F(several_tiles)[rows], i, rows, j, several, several);
      } else {
        count = SK_MIN_OF(n - j, TILE_N);
        int64_t width;
        const F(tile_function) *functions = F(tiles_for)(count, &width);
        F(make_tile)(target, &t, functions[rows], i, rows, j, width, count);
      }
    }
  }
}

// One block of C: `rows` rows from i0, columns j0 ..< j1, over one block of k.
typedef struct {
  int64_t i0, i1, j0, j1;
  const T *a;           // op(A)'s row i0, at the block of k
  int64_t row, column;  // strides of op(A)
  const T *b;           // panels of the columns, at the block of k
  int64_t panel, k;
  T *packed_a;          // room for a block of A, or NULL to read it where it lies
  T *waiting;           // sums in waiting of the block's first row, or NULL
  int64_t waiting_row;
  int first, last;      // blocks of k
} F(block);

// Whether rows so many entries apart compete for the same lines of the first-level cache.
SK_INLINE int F(is_crowded)(int64_t row) { return row * (int64_t)sizeof(T) % 4096 == 0; }

static void F(run_block)(const F(target) *target, const F(block) *s) {
  if (s->packed_a) {
    T *to = s->packed_a;
    for (int64_t i = s->i0, rows; i < s->i1; i += rows, to += rows * s->k) {
      const int64_t left = s->i1 - i;
      const T *from = s->a + (i - s->i0) * s->row;
      rows = F(tile_rows)(left, SK_GEMM_ROWS);
      if (s->row == 1 && (left == F(STRIPS_ROWS) || left > F(STRIPS_ROWS) + SK_GEMM_ROWS)) {
        F(pack_strips)(F(STRIPS), SK_GEMM_ROWS, s->k, from, s->column, to, s->k * SK_GEMM_ROWS);
        rows = F(STRIPS_ROWS);
      } else if (rows == SK_GEMM_ROWS) {
        F(pack_strip)(SK_GEMM_ROWS, SK_GEMM_ROWS, s->k, from, s->row, s->column, to);
      } else {
        F(pack_strip)(rows, rows, s->k, from, s->row, s->column, to);
      }
    }
  }
  for (int64_t j = s->j0; j < s->j1; j += TILE_N) {
    const int64_t count = SK_MIN_OF(TILE_N, s->j1 - j);
    int64_t width;
    const F(tile_function) *functions = F(tiles_for)(count, &width);
    // Packed A comes in strips of the ordinary height.
    const int64_t most = width < TILE_N && !s->packed_a && !F(is_crowded)(s->row) ? F(MOST_ROWS) : SK_GEMM_ROWS;
    const T *packed = s->packed_a;
    for (int64_t i = s->i0, rows; i < s->i1; i += rows) {
      rows = F(tile_rows)(s->i1 - i, most);
      F(tile) t = {.k = s->k, .b = s->b + (j - s->j0) / TILE_N * s->panel, .step = TILE_N};
      t.a = packed ? packed : s->a + (i - s->i0) * s->row;
      t.row = packed ? 1 : s->row;
      t.column = packed ? rows : s->column;
      if (packed) packed += rows * s->k;
      T *waiting = s->waiting ? s->waiting + (i - s->i0) * s->waiting_row + (j - s->j0) : NULL;
      if (!s->first) {
        t.from = waiting;
        t.from_row = s->waiting_row;
      }
      if (s->last) {
        F(make_tile)(target, &t, functions[rows], i, rows, j, width, count);
      } else {
        t.to = waiting;
        t.to_row = s->waiting_row;
        functions[rows](&t);
      }
    }
  }
}

// B is packed in advance where `packed` is not NULL.
static void F(gemm_any)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *b, int64_t ldb,
                        int trans_b, const T *packed, const F(target) *target, void *scratch) {
  const int64_t row = trans_a ? 1 : lda, column = trans_a ? lda : 1;
  int64_t start = 0;
  if (m <= 2 * SK_GEMM_ROWS && (packed || !trans_b)) {
    F(tile) t = {.k = k, .a = a, .row = row, .column = column};
    t.b = packed ? packed : b;
    t.step = packed ? TILE_N : ldb;
    t.panel = packed ? k * TILE_N : TILE_N;
    // Unpacked, the last columns cannot be read a whole panel wide.
    start = packed ? n : n / TILE_N * TILE_N;
    F(gemm_few_rows)(target, m, start, t);
    if (start == n) return;
  }

  const int64_t most = SK_BLOCK_N_BYTES / (int64_t)sizeof(T);
  const int64_t k_blocks = SK_MAX_OF(1, (k + SK_BLOCK_K - 1) / SK_BLOCK_K);
  const int64_t k_size = (k + k_blocks - 1) / k_blocks;
  const int64_t n_blocks = (n - start + most - 1) / most;
  const int64_t n_size = ((n - start + n_blocks - 1) / n_blocks + TILE_N - 1) / TILE_N * TILE_N;
  // The sums of one block of rows stay in the second-level cache from one block of k to the next; B comes from further away.
  const int whole = k <= SK_BLOCK_DEPTH;
  const int64_t super_size = whole && k_blocks > 1 ? SK_BLOCK_ROWS : SK_BLOCK_SUPER;
  T *packed_b = scratch, *packed_a = packed_b + (whole ? k : k_size) * n_size;
  T *waiting = packed_a + SK_MIN_OF(k, SK_BLOCK_K) * (SK_MIN_OF(m, SK_BLOCK_ROWS) + SK_TILE_ROWS);
  for (int64_t j0 = start; j0 < n; j0 += n_size) {
    const int64_t j1 = SK_MIN_OF(n, j0 + n_size);
    // Rows of A are read as well where they lie, unless they compete for the same cache lines. Columns touch a line a step: where
    // a page holds few steps, that pays only a few times over.
    const int far = trans_a && column * (int64_t)sizeof(T) > 1024;
    const int copy_a = (far || F(is_crowded)(row)) && j1 - j0 > 4 * TILE_N;
    for (int64_t super = 0; super < m; super += super_size) {
      const int64_t super_end = SK_MIN_OF(m, super + super_size);
      for (int64_t block = 0, p = 0; block < k_blocks; ++block, p += k_size) {
        F(block) s = {.j0 = j0, .j1 = j1, .row = row, .column = column, .k = SK_MIN_OF(k_size, k - p)};
        s.first = block == 0;
        s.last = block == k_blocks - 1;
        if (packed) {
          s.b = packed + j0 * k + p * TILE_N;
          s.panel = k * TILE_N;
        } else {
          T *place = whole ? packed_b + p * n_size : packed_b;
          if (!whole || super == 0) F(pack_panels)(j0, j1, s.k, trans_b ? b + p : b + p * ldb, ldb, trans_b, place, s.k);
          s.b = place;
          s.panel = s.k * TILE_N;
        }
        s.packed_a = copy_a ? packed_a : NULL;
        s.waiting_row = n_size;
        for (s.i0 = super; s.i0 < super_end; s.i0 = s.i1) {
          s.i1 = SK_MIN_OF(super_end, s.i0 + SK_BLOCK_ROWS);
          s.a = a + s.i0 * row + p * column;
          s.waiting = k_blocks > 1 ? waiting + (s.i0 - super) * n_size : NULL;
          F(run_block)(target, &s);
        }
      }
    }
  }
}

static void F(gemm)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *b, int64_t ldb,
                    int trans_b, T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,
                    void *scratch) {
  const F(target) target = {c, pre, ldc, bias, beta, activation};
  if (m > 0 && n > 0) F(gemm_any)(m, n, k, a, lda, trans_a, b, ldb, trans_b, NULL, &target, scratch);
}

static void F(gemm_packed)(int64_t m, int64_t n, int64_t k, const T *a, int64_t lda, int trans_a, const T *packed,
                           T *c, int64_t ldc, int beta, const T *bias, sk_activation activation, T *pre,
                           void *scratch) {
  const F(target) target = {c, pre, ldc, bias, beta, activation};
  if (m > 0 && n > 0) F(gemm_any)(m, n, k, a, lda, trans_a, NULL, 0, 0, packed, &target, scratch);
}

#undef V
#undef LANES
#undef TILE_N
