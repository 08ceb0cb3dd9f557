// Compares every kernel target that this program can run with plain loops in double precision, on shapes drawn at random, and
// the bits of all targets that have fused multiply-adds with each other. The Swift tests say the same at length; this one has no
// Swift in it, so that it can run under an emulator of another processor: see kernels_on_arm.sh and kernels_on_avx512.sh.
// Prints one line a target and kernel; the exit status is 1 where an error is too large or bits differ.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CScoreKernels.h"

static uint64_t state = 1;
static uint64_t bits(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}
static double number(void) { return (double)bits() / 1073741824.0 - 1; }
static int64_t between(int64_t low, int64_t high) { return low + (int64_t)(bits() % (uint64_t)(high - low + 1)); }

static void *room(size_t bytes) { return aligned_alloc(64, (bytes + 127) / 64 * 64); }
#define NUMBERS(T, name)                                           \
  static T *name(int64_t n) {                                      \
    T *x = room((size_t)n * sizeof(T));                            \
    for (int64_t i = 0; i < n; ++i) x[i] = (T)number();            \
    return x;                                                      \
  }
NUMBERS(float, numbers)
NUMBERS(double, doubles)

// What the results since the last report come to: FNV-1a over their bytes.
#define NOTHING 0xcbf29ce484222325u
static uint64_t digest = NOTHING;
static void mark(const void *results, int64_t bytes) {
  const unsigned char *p = results;
  for (int64_t i = 0; i < bytes; ++i) digest = (digest ^ p[i]) * 0x100000001b3u;
}

static int failures = 0;
// The digests of the first target with fused multiply-adds, kernel by kernel.
static uint64_t known[32];
static int known_count = 0, place = 0;
// A bound of 0: nothing but bits were looked at.
static void report(const sk_kernels *k, const char *what, double error, double bound) {
  const int fused = sk_kernels_target(k) != SK_GENERIC;
  if (fused && place == known_count) known[known_count++] = digest;
  const int good = error <= bound, same = !fused || digest == NOTHING || known[place] == digest;
  ++place;
  printf("%-10s %-16s", sk_kernels_name(k), what);
  if (bound > 0) printf(" error %.1e of %.0e ", error, bound);
  else printf("%23s", "");
  printf(" bits %016llx%s%s\n", (unsigned long long)digest, good ? "" : "  TOO LARGE", same ? "" : "  OTHER BITS");
  failures += !good + !same;
  digest = NOTHING;
}
static double larger(double a, double b) { return b <= a ? a : b; }  // NaN wins

static double gemm(const sk_kernels *k) {
  double worst = 0;
  for (int t = 0; t < 60; ++t) {
    // Now and then one of which A is copied.
    const int large = t % 10 == 9;
    const int64_t m = large ? between(257, 330) : between(1, 40), n = large ? between(129, 150) : between(1, 50);
    const int64_t d = between(1, 300);
    const int ta = (int)between(0, 1), tb = (int)between(0, 1);
    float *a = numbers(m * d), *b = numbers(d * n), *c = numbers(m * n);
    void *scratch = room(sk_gemm_scratch_f32(m, n, d));
    sk_gemm_f32(k, m, n, d, a, ta ? m : d, ta, b, tb ? d : n, tb, c, n, 0, NULL, SK_IDENTITY, NULL, scratch);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < d; ++p) sum += (double)a[ta ? p * m + i : i * d + p] * b[tb ? j * d + p : p * n + j];
        worst = larger(worst, fabs(c[i * n + j] - sum) / sqrt((double)d));
      }
    mark(c, m * n * 4);
    free(a), free(b), free(c), free(scratch);
  }
  return worst;
}

// A layer and what its gradient needs: a product with packed weights, a bias and SiLU, whose derivative is kept.
#define LAYER(T, S, draw)                                                                                              \
  static double layer_##S(const sk_kernels *k) {                                                                       \
    double worst = 0;                                                                                                  \
    for (int t = 0; t < 30; ++t) {                                                                                     \
      const int64_t m = between(1, 40), n = between(1, 50), d = between(1, 100);                                       \
      T *a = draw(m * d), *b = draw(d * n), *bias = draw(n), *c = draw(m * n), *slope = draw(m * n);                   \
      T *packed = room(sk_gemm_packed_count_##S(k, n, d) * sizeof(T));                                                 \
      void *scratch = room(sk_gemm_scratch_##S(m, n, d));                                                              \
      const int64_t half = d / 2 / SK_PACK_ROWS * SK_PACK_ROWS;                                                        \
      sk_gemm_pack_##S(k, n, d, b, n, 0, half, d, packed);                                                             \
      sk_gemm_pack_##S(k, n, d, b, n, 0, 0, half, packed);                                                             \
      sk_gemm_packed_##S(k, m, n, d, a, d, 0, packed, c, n, 0, bias, SK_SILU_SLOPE, slope, scratch);                   \
      for (int64_t i = 0; i < m; ++i)                                                                                  \
        for (int64_t j = 0; j < n; ++j) {                                                                              \
          double x = bias[j];                                                                                          \
          for (int64_t p = 0; p < d; ++p) x += (double)a[i * d + p] * b[p * n + j];                                    \
          const double s = 1 / (1 + exp(-x));                                                                          \
          worst = larger(worst, fabs(c[i * n + j] - x * s) / sqrt((double)d));                                         \
          worst = larger(worst, fabs(slope[i * n + j] - s * (1 + x * (1 - s))) / sqrt((double)d));                     \
        }                                                                                                              \
      mark(c, m * n * (int64_t)sizeof(T));                                                                             \
      mark(slope, m * n * (int64_t)sizeof(T));                                                                         \
      free(a), free(b), free(bias), free(c), free(slope), free(packed), free(scratch);                                 \
    }                                                                                                                  \
    return worst;                                                                                                      \
  }
LAYER(float, f32, numbers)
LAYER(double, f64, doubles)

// A product of operands rounded to bfloat16. One target adds it in an order of its own: its bits are not compared.
static double rounded(const sk_kernels *k) {
  double worst = 0;
  for (int t = 0; t < 30; ++t) {
    const int64_t m = between(1, 40), n = between(1, 50), d = between(1, 100);
    float *a = numbers(m * d), *b = numbers(d * n), *c = numbers(m * n);
    uint32_t *packed = room(sk_gemm_bf16_packed_count(k, n, d) * 4);
    void *scratch = room(sk_gemm_bf16_scratch(m, d));
    const int64_t half = d / 2 / SK_PACK_ROWS * SK_PACK_ROWS;
    sk_gemm_bf16_pack(k, n, d, b, n, 0, half, d, packed);
    sk_gemm_bf16_pack(k, n, d, b, n, 0, 0, half, packed);
    sk_gemm_bf16(k, m, n, d, a, d, 0, packed, c, n, 0, NULL, SK_IDENTITY, NULL, scratch);
    sk_round_bf16(m * d, a, a);
    sk_round_bf16(d * n, b, b);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (int64_t p = 0; p < d; ++p) sum += (double)a[i * d + p] * b[p * n + j];
        worst = larger(worst, fabs(c[i * n + j] - sum) / sqrt((double)d));
      }
    if (sk_kernels_target(k) != SK_AVX512_BF16) mark(c, m * n * 4);
    free(a), free(b), free(c), free(packed), free(scratch);
  }
  return worst;
}

enum { PLAIN, WIDE, NARROW };
// Both the convolution and its filter gradient, from one walk over all products.
static double convolution(const sk_kernels *k, int kind) {
  double worst = 0;
  for (int t = 0; t < 12; ++t) {
    sk_convolution s = {.height = between(2, 9), .width = between(2, 9), .stride = 1, .spread = 1};
    s.channels = kind == WIDE ? between(16, 40) : kind == NARROW ? 16 * between(1, 4) : between(1, 12);
    s.out_channels = kind == WIDE ? between(16, 40) : kind == NARROW ? between(1, 3) : between(1, 12);
    s.kernel_height = s.kernel_width = kind == WIDE ? 3 : between(1, 4);
    if (kind != WIDE) s.stride = between(1, 2);
    s.top = s.left = between(0, s.kernel_height - 1);
    s.out_height = (s.height + 2 * s.top - s.kernel_height) / s.stride + 1;
    s.out_width = (s.width + 2 * s.left - s.kernel_width) / s.stride + 1;
    if (s.height + 2 * s.top < s.kernel_height || s.width + 2 * s.left < s.kernel_width) continue;
    const int64_t images = 2, nx = images * s.height * s.width * s.channels;
    const int64_t ny = images * s.out_height * s.out_width * s.out_channels;
    const int64_t nw = s.kernel_height * s.kernel_width * s.channels * s.out_channels;
    float *x = numbers(nx), *w = numbers(nw), *y = numbers(ny), *dy = numbers(ny), *dw = numbers(nw);
    double *ry = calloc((size_t)ny, 8), *rw = calloc((size_t)nw, 8);
    float *packed = room(sk_conv_packed_count_f32(k, &s) * 4);
    void *scratch = room(sk_conv_scratch_f32(k, &s));
    sk_conv_pack_f32(k, &s, w, 0, packed);
    sk_conv_packed_f32(k, &s, 0, images, x, packed, y, 0, NULL, 0, scratch);
    const int64_t units = sk_conv_filter_units_f32(k, &s), part = between(0, units);
    sk_conv_filter_gradient_f32(k, &s, 0, part, images, x, dy, dw, 0, scratch);
    sk_conv_filter_gradient_f32(k, &s, part, units, images, x, dy, dw, 0, scratch);
    for (int64_t i = 0; i < images; ++i)
      for (int64_t r = 0; r < s.out_height; ++r)
        for (int64_t c = 0; c < s.out_width; ++c)
          for (int64_t a = 0; a < s.kernel_height; ++a)
            for (int64_t b = 0; b < s.kernel_width; ++b) {
              const int64_t u = r * s.stride + a - s.top, v = c * s.stride + b - s.left;
              if (u < 0 || v < 0 || u >= s.height || v >= s.width) continue;
              for (int64_t p = 0; p < s.channels; ++p)
                for (int64_t o = 0; o < s.out_channels; ++o) {
                  const int64_t at = ((i * s.height + u) * s.width + v) * s.channels + p;
                  const int64_t to = ((i * s.out_height + r) * s.out_width + c) * s.out_channels + o;
                  const int64_t weight = ((a * s.kernel_width + b) * s.channels + p) * s.out_channels + o;
                  ry[to] += (double)x[at] * w[weight];
                  rw[weight] += (double)x[at] * dy[to];
                }
            }
    const double size = sqrt((double)(s.kernel_height * s.kernel_width * s.channels));
    for (int64_t i = 0; i < ny; ++i) worst = larger(worst, fabs(y[i] - ry[i]) / size);
    const double many = sqrt((double)(images * s.out_height * s.out_width));
    for (int64_t i = 0; i < nw; ++i) worst = larger(worst, fabs(dw[i] - rw[i]) / many);
    mark(y, ny * 4);
    mark(dw, nw * 4);
    free(x), free(w), free(y), free(dy), free(dw), free(ry), free(rw), free(packed), free(scratch);
  }
  return worst;
}

// The normalisation with SiLU against its definition; of its gradients only the bits.
static double normalization(const sk_kernels *k) {
  enum { IMAGES = 2 };
  double worst = 0;
  for (int t = 0; t < 12; ++t) {
    const int64_t groups = between(1, 5), size = between(1, 9), channels = groups * size, pixels = between(1, 90);
    const int64_t n = IMAGES * pixels * channels;
    float *x = numbers(n), *y = numbers(n), *dy = numbers(n), *dx = numbers(n);
    float *scale = numbers(channels), *shift = numbers(channels), *dscale = numbers(channels), *dshift = numbers(channels);
    void *scratch = room(sk_group_norm_scratch_f32(channels));
    sk_group_norm_f32(k, 0, IMAGES, pixels, channels, groups, 1e-5f, x, scale, shift, 1, y, scratch);
    sk_group_norm_gradient_f32(k, 0, IMAGES, 0, groups, pixels, channels, groups, 1e-5f, x, scale, shift, 1, dy, dx, dscale,
                               dshift, scratch);
    for (int64_t i = 0; i < IMAGES; ++i)
      for (int64_t g = 0; g < groups; ++g) {
        double mean = 0, variance = 0;
        const float *from = x + i * pixels * channels + g * size, *to = y + i * pixels * channels + g * size;
        for (int64_t p = 0; p < pixels; ++p)
          for (int64_t c = 0; c < size; ++c) mean += from[p * channels + c];
        mean /= (double)(pixels * size);
        for (int64_t p = 0; p < pixels; ++p)
          for (int64_t c = 0; c < size; ++c) variance += pow(from[p * channels + c] - mean, 2);
        variance /= (double)(pixels * size);
        for (int64_t p = 0; p < pixels; ++p)
          for (int64_t c = 0; c < size; ++c) {
            const double z = (from[p * channels + c] - mean) / sqrt(variance + 1e-5) * scale[g * size + c] + shift[g * size + c];
            worst = larger(worst, fabs(to[p * channels + c] - z / (1 + exp(-z))));
          }
      }
    mark(y, n * 4), mark(dx, n * 4), mark(dscale, channels * 4), mark(dshift, channels * 4);
    free(x), free(y), free(dy), free(dx), free(scale), free(shift), free(dscale), free(dshift), free(scratch);
  }
  return worst;
}

static double sums(const sk_kernels *k) {
  double worst = 0;
  for (int t = 0; t < 40; ++t) {
    const int64_t outer = between(1, 3), reduce = between(1, 3000), inner = t % 2 ? between(1, 70) : 1;
    float *x = numbers(outer * reduce * inner), *y = numbers(outer * inner);
    sk_sum_f32(k, reduce, inner, 0, outer, 0, inner, x, y);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        double sum = 0;
        for (int64_t r = 0; r < reduce; ++r) sum += x[(o * reduce + r) * inner + i];
        worst = larger(worst, fabs(y[o * inner + i] - sum) / sqrt((double)reduce));
      }
    mark(y, outer * inner * 4);
    free(x), free(y);
  }
  return worst;
}

// One step of Adam from rest: the moments are known, and the parameter moves by the step.
static double adam(const sk_kernels *k) {
  enum { N = 301 };
  float *g = numbers(N), *p = numbers(N), *m = calloc(N, 4), *v = calloc(N, 4), *average = numbers(N), *before = room(N * 4);
  memcpy(before, p, N * 4);
  sk_adam_f32(k, N, g, 1, p, m, v, average, 0.1f, 0.9f, 0.999f, 31.6227766f, 1e-8f, 0.99f);
  double worst = 0;
  for (int i = 0; i < N; ++i) {
    const double rate = 0.1 * (0.1 * g[i]) / (sqrt(0.001) * fabs(g[i]) * 31.6227766 + 1e-8);
    worst = larger(worst, fabs(p[i] - (before[i] - rate)));
  }
  mark(p, N * 4), mark(m, N * 4), mark(v, N * 4), mark(average, N * 4);
  free(g), free(p), free(m), free(v), free(average), free(before);
  return worst;
}

static double elementwise(const sk_kernels *k, sk_opcode op, double (*f)(double)) {
  enum { N = 1001 };
  float *x = numbers(N), *y = numbers(N);
  double worst = 0;
  for (int i = 0; i < N; ++i) x[i] *= 9;
  sk_map_f32(k, op, N, x, y);
  for (int i = 0; i < N; ++i) worst = larger(worst, fabs(y[i] - f(x[i])) / (fabs(f(x[i])) + 1e-6));
  mark(y, N * 4);
  free(x), free(y);
  return worst;
}
static double silu(double x) { return x / (1 + exp(-x)); }

// Of all functions of one number the bits, of both types; what C's library computes is left out. Which NaN it is, is the
// processor's own.
static double functions(const sk_kernels *k) {
  enum { N = 1001 };
  float *x = numbers(N), *y = numbers(N);
  double *u = doubles(N), *v = doubles(N);
  for (int i = 0; i < N; ++i) x[i] *= 20, u[i] *= 20;
  for (int op = SK_NEG; op <= SK_COPY; ++op) {
    sk_map_f32(k, (sk_opcode)op, N, x, y);
    for (int i = 0; i < N; ++i) y[i] = isnan(y[i]) ? NAN : y[i];
    mark(y, N * 4);
    if (op == SK_ERF) continue;
    sk_map_f64(k, (sk_opcode)op, N, u, v);
    for (int i = 0; i < N; ++i) v[i] = isnan(v[i]) ? NAN : v[i];
    mark(v, N * 8);
  }
  free(x), free(y), free(u), free(v);
  return 0;
}

static double normals(const sk_kernels *k) {
  enum { ROWS = 5, COLUMNS = 37 };
  float *x = numbers(ROWS * COLUMNS);
  double worst = 0;
  sk_normal_f32(k, 42, NULL, 7, ROWS, COLUMNS, x);
  for (int r = 0; r < ROWS; ++r)
    for (int c = 0; c < COLUMNS; ++c) {
      uint32_t counter[4] = {(uint32_t)(c / 4), 0, (uint32_t)(7 + r), 0}, key[2] = {42, 0}, word[4];
      sk_philox(counter, key, word);
      const int pair = c % 4 / 2 * 2;
      const double u = (word[pair] + 0.5) / 4294967296.0, v = (word[pair + 1] + 0.5) / 4294967296.0;
      const double angle = 2 * 3.14159265358979323846 * v, expected = sqrt(-2 * log(u)) * (c % 2 ? sin(angle) : cos(angle));
      worst = larger(worst, fabs(x[r * COLUMNS + c] - expected));
    }
  mark(x, ROWS * COLUMNS * 4);
  free(x);
  return worst;
}

int main(void) {
  for (int target = SK_GENERIC; target <= SK_AVX512_BF16; ++target) {
    const sk_kernels *k = sk_kernels_for((sk_target)target);
    if (!k) continue;
    state = 1;
    place = 0;
    report(k, "gemm", gemm(k), 2e-6);
    report(k, "layer", layer_f32(k), 1e-6);
    report(k, "layer in Double", layer_f64(k), 2e-15);
    report(k, "rounded gemm", rounded(k), 1e-6);
    report(k, "convolution", convolution(k, PLAIN), 1e-6);
    report(k, "convolution 3x3", convolution(k, WIDE), 3e-6);
    report(k, "convolution thin", convolution(k, NARROW), 1e-6);
    report(k, "group norm", normalization(k), 3e-6);
    report(k, "sum", sums(k), 1e-6);
    report(k, "Adam", adam(k), 1e-6);
    report(k, "exp", elementwise(k, SK_EXP, exp), 2e-7);
    report(k, "tanh", elementwise(k, SK_TANH_, tanh), 3e-7);
    report(k, "sin", elementwise(k, SK_SIN, sin), 2e-6);
    report(k, "silu", elementwise(k, SK_SILU_, silu), 3e-7);
    report(k, "all functions", functions(k), 0);
    report(k, "normal", normals(k), 2e-6);
  }
  return failures > 0;
}
