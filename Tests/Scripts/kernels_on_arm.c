// Compares every kernel target that this program can run with plain loops in double precision, on shapes drawn at random.
// The Swift tests say the same at length; this one has no Swift in it, so that it can run under an emulator of another
// processor: see kernels_on_arm.sh. Prints one line a target and kernel; the exit status is 1 where an error is too large.
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
static float *numbers(int64_t n) {
  float *x = room((size_t)n * 4);
  for (int64_t i = 0; i < n; ++i) x[i] = (float)number();
  return x;
}

static int failures = 0;
static void report(const sk_kernels *k, const char *what, double error, double bound) {
  const int good = error <= bound;
  printf("%-8s %-20s largest error %.1e, bound %.0e%s\n", sk_kernels_name(k), what, error, bound, good ? "" : "  TOO LARGE");
  failures += !good;
}
static double larger(double a, double b) { return b <= a ? a : b; }  // NaN wins

static double gemm(const sk_kernels *k) {
  double worst = 0;
  for (int t = 0; t < 60; ++t) {
    const int64_t m = between(1, 40), n = between(1, 50), d = between(1, 300);
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
    free(a), free(b), free(c), free(scratch);
  }
  return worst;
}

// Both the convolution and its filter gradient, from one walk over all products.
static double convolution(const sk_kernels *k, int wide) {
  double worst = 0;
  for (int t = 0; t < 12; ++t) {
    sk_convolution s = {.height = between(2, 9), .width = between(2, 9), .stride = 1, .spread = 1};
    s.channels = wide ? between(16, 40) : between(1, 12);
    s.out_channels = wide ? between(16, 40) : between(1, 12);
    s.kernel_height = s.kernel_width = wide ? 3 : between(1, 4);
    if (!wide) s.stride = between(1, 2);
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
    free(x), free(w), free(y), free(dy), free(dw), free(ry), free(rw), free(packed), free(scratch);
  }
  return worst;
}

static double elementwise(const sk_kernels *k, sk_opcode op, double (*f)(double)) {
  enum { N = 1001 };
  float *x = numbers(N), *y = numbers(N);
  double worst = 0;
  for (int i = 0; i < N; ++i) x[i] *= 9;
  sk_map_f32(k, op, N, x, y);
  for (int i = 0; i < N; ++i) worst = larger(worst, fabs(y[i] - f(x[i])) / (fabs(f(x[i])) + 1e-6));
  free(x), free(y);
  return worst;
}
static double silu(double x) { return x / (1 + exp(-x)); }

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
  free(x);
  return worst;
}

int main(void) {
  for (int target = 0; target < 4; ++target) {
    const sk_kernels *k = sk_kernels_for((sk_target)target);
    if (!k) continue;
    state = 1;
    report(k, "gemm", gemm(k), 1e-6);
    report(k, "convolution", convolution(k, 0), 1e-6);
    report(k, "convolution 3x3", convolution(k, 1), 3e-6);
    report(k, "exp", elementwise(k, SK_EXP, exp), 2e-7);
    report(k, "tanh", elementwise(k, SK_TANH_, tanh), 3e-7);
    report(k, "sin", elementwise(k, SK_SIN, sin), 2e-6);
    report(k, "silu", elementwise(k, SK_SILU_, silu), 3e-7);
    report(k, "normal", normals(k), 2e-6);
  }
  return failures > 0;
}
