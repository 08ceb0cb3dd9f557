// Sums and maxima along one axis of [outer, reduce, inner], row products, and the test for infinities and NaN.
//
// The order of a sum is fixed: entries are added one after the other within a run (of RUN entries a lane), and runs are
// added as a binary tree, so the error grows with the logarithm of the length. Along contiguous memory (inner = 1) a run
// is shared by 64 lanes of Float or 32 of Double, whatever the target, which are folded by halves in the end (rows of
// fewer than 16 or 8 entries are added one after the other). For
// other shapes each column is a lane of its own. Narrow columns (inner <= NARROW) are first treated as rows that are
// several times as long, so that the lanes are busy.

#define W F(wide)
#define WIDE F(WIDE)
enum { F(RUN) = 32, F(NARROW) = WIDE / 2, F(LEVELS) = 48 };

// Sums of runs on their way into the tree: level[i] is the sum of 2^i runs where bit i of `count` is set.
typedef struct {
  uint64_t count;
  W level[F(LEVELS)][4];
} F(tree);

SK_INLINE void F(tree_add)(F(tree) *tree, const W run[4]) {
  W sum[4] = {run[0], run[1], run[2], run[3]};
  int i = 0;
  for (; tree->count >> i & 1; ++i)
    for (int x = 0; x < 4; ++x) sum[x] = tree->level[i][x] + sum[x];
  for (int x = 0; x < 4; ++x) tree->level[i][x] = sum[x];
  ++tree->count;
}

SK_INLINE void F(tree_total)(const F(tree) *tree, W sum[4]) {
  int first = 1;
  for (int x = 0; x < 4; ++x) sum[x] = (W)((T)0);
  for (int i = 0; i < F(LEVELS) && tree->count >> i; ++i) {
    if (!(tree->count >> i & 1)) continue;
    for (int x = 0; x < 4; ++x) sum[x] = first ? tree->level[i][x] : tree->level[i][x] + sum[x];
    first = 0;
  }
}

SK_INLINE T F(fold)(const W x[4]) { return F(fold_lanes)((x[0] + x[2]) + (x[1] + x[3])); }

// Sum of n contiguous entries, or of their products with y's.
SK_INLINE T F(sum_run)(int64_t n, const T *x, const T *y) {
  F(tree) tree;
  tree.count = 0;
  W sum[4] = {(W)((T)0), (W)((T)0), (W)((T)0), (W)((T)0)};
  for (int64_t at = 0; at < n;) {
    for (int v = 0; v < 4; ++v) sum[v] = (W)((T)0);
    int64_t stop = SK_MIN_OF(n, at + F(RUN) * 4 * WIDE);
    for (; at + 4 * WIDE <= stop; at += 4 * WIDE)
      for (int v = 0; v < 4; ++v) {
        W a = F(load_wide)(x + at + v * WIDE);
        sum[v] = y ? FMA(a, F(load_wide)(y + at + v * WIDE), sum[v]) : sum[v] + a;
      }
    for (int v = 0; v < 4 && at < stop; ++v) {
      int64_t count = SK_MIN_OF(WIDE, stop - at);
      W a = F(load_wide_part)(x + at, count);
      if (y) sum[v] = FMA(a, F(load_wide_part)(y + at, count), sum[v]);
      else sum[v] = sum[v] + a;
      at += count;
    }
    if (at < n || tree.count) F(tree_add)(&tree, sum);
  }
  if (tree.count) F(tree_total)(&tree, sum);
  return F(fold)(sum);
}

// Rows shorter than a vector are not worth one: their entries are added one after the other.
static void F(short_rows)(int64_t rows, int64_t columns, const T *x, const T *y, T *out) {
  for (int64_t r = 0; r < rows; ++r, x += columns, y += y ? columns : 0) {
    T sum = 0;
    if (y)
      for (int64_t j = 0; j < columns; ++j) sum = FMA(x[j], y[j], sum);
    else
      for (int64_t j = 0; j < columns; ++j) sum += x[j];
    out[r] = sum;
  }
}

static void F(dot_rows)(int64_t rows, int64_t columns, const T *x, const T *y, T *out) {
  if (columns < WIDE) {
    F(short_rows)(rows, columns, x, y, out);
    return;
  }
  for (int64_t r = 0; r < rows; ++r) out[r] = F(sum_run)(columns, x + r * columns, y + r * columns);
}

// Sums of `count` neighbouring columns (at most four vectors' worth) over rows that lie `stride` apart.
SK_INLINE void F(sum_columns)(int64_t rows, int64_t stride, int64_t count, const T *in, T *out) {
  F(tree) tree;
  tree.count = 0;
  W sum[4];
  const int vectors = (int)((count + WIDE - 1) / WIDE);
  const int64_t last = count - (vectors - 1) * WIDE;
  for (int64_t r = 0; r < rows;) {
    for (int v = 0; v < 4; ++v) sum[v] = (W)((T)0);
    int64_t stop = SK_MIN_OF(rows, r + F(RUN));
    if (count == 4 * WIDE) {
      for (; r < stop; ++r)
        for (int v = 0; v < 4; ++v) sum[v] += F(load_wide)(in + r * stride + v * WIDE);
    } else {
      for (; r < stop; ++r) {
        const T *row = in + r * stride;
        for (int v = 0; v < vectors - 1; ++v) sum[v] += F(load_wide)(row + v * WIDE);
        sum[vectors - 1] += F(load_wide_part)(row + (vectors - 1) * WIDE, last);
      }
    }
    F(tree_add)(&tree, sum);
  }
  F(tree_total)(&tree, sum);
  T lanes[4 * WIDE];
  for (int v = 0; v < 4; ++v) F(store_wide)(lanes + v * WIDE, sum[v]);
  memcpy(out, lanes, (size_t)count * sizeof(T));
}

// Columns fewer than lanes: rows are taken `fold` at a time as one long row, then the long row's parts are added.
static void F(sum_narrow)(int64_t reduce, int64_t inner, const T *in, T *out) {
  T parts[4 * WIDE], rest[F(NARROW)];
  int64_t fold = 4 * WIDE / inner, long_rows = reduce / fold, left = reduce % fold;
  F(sum_columns)(long_rows, fold * inner, fold * inner, in, parts);
  F(sum_columns)(left, inner, inner, in + long_rows * fold * inner, rest);
  while (fold > 1) {
    int64_t half = fold / 2, from = fold - half;
    for (int64_t i = 0; i < half * inner; ++i) parts[i] += parts[from * inner + i];
    fold = from;
  }
  for (int64_t i = 0; i < inner; ++i) out[i] = parts[i] + rest[i];
}

static void F(sum)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,
                   int64_t inner_end, const T *in, T *out) {
  if (inner_begin >= inner_end) return;
  if (inner == 1 && reduce < WIDE) {
    if (outer_begin < outer_end)
      F(short_rows)(outer_end - outer_begin, reduce, in + outer_begin * reduce, NULL, out + outer_begin);
    return;
  }
  for (int64_t o = outer_begin; o < outer_end; ++o) {
    const T *from = in + o * reduce * inner;
    T *to = out + o * inner;
    if (inner == 1) {
      to[0] = F(sum_run)(reduce, from, NULL);
    } else if (inner <= F(NARROW)) {
      T all[F(NARROW)];
      F(sum_narrow)(reduce, inner, from, all);
      memcpy(to + inner_begin, all + inner_begin, (size_t)(inner_end - inner_begin) * sizeof(T));
    } else {
      for (int64_t i = inner_begin; i < inner_end; i += 4 * WIDE)
        F(sum_columns)(reduce, inner, SK_MIN_OF(4 * WIDE, inner_end - i), from + i, to + i);
    }
  }
}

// NaN wins.
SK_INLINE W F(larger)(W x, W best) { return ((x > best) | (x != x)) ? x : best; }

static void F(max)(int64_t reduce, int64_t inner, int64_t outer_begin, int64_t outer_end, int64_t inner_begin,
                   int64_t inner_end, const T *in, T *out) {
  const T lowest = -(T)INFINITY;
  for (int64_t o = outer_begin; o < outer_end; ++o) {
    const T *from = in + o * reduce * inner;
    if (inner == 1) {
      if (inner_begin >= inner_end) continue;
      W best = (W)(lowest);
      int64_t r = 0;
      for (; r + WIDE <= reduce; r += WIDE) best = F(larger)(F(load_wide)(from + r), best);
      T top = lowest;
      for (int i = 0; i < WIDE; ++i) top = best[i] > top || best[i] != best[i] ? best[i] : top;
      for (; r < reduce; ++r) top = from[r] > top || from[r] != from[r] ? from[r] : top;
      out[o] = top;
      continue;
    }
    T *to = out + o * inner;
    int64_t i = inner_begin;
    for (; i + WIDE <= inner_end; i += WIDE) {
      W best = (W)(lowest);
      for (int64_t r = 0; r < reduce; ++r) best = F(larger)(F(load_wide)(from + r * inner + i), best);
      F(store_wide)(to + i, best);
    }
    for (; i < inner_end; ++i) {
      T top = lowest;
      for (int64_t r = 0; r < reduce; ++r) {
        T x = from[r * inner + i];
        top = x > top || x != x ? x : top;
      }
      to[i] = top;
    }
  }
}

static int F(all_finite)(int64_t n, const T *x) {
  // x - x is 0 for a finite x and NaN otherwise, and NaN stays in a sum.
  int64_t i = 0;
  while (i + WIDE <= n) {
    W sum = (W)((T)0);
    for (int64_t stop = SK_MIN_OF(n, i + 4096); i + WIDE <= stop; i += WIDE) {
      W a = F(load_wide)(x + i);
      sum += a - a;
    }
    for (int lane = 0; lane < WIDE; ++lane)
      if (sum[lane] != 0) return 0;
  }
  for (; i < n; ++i)
    if (x[i] - x[i] != 0) return 0;
  return 1;
}

#undef W
#undef WIDE
