// Independent chains of multiply-adds in registers and nothing else: all that a core can do in its time.

#define N F(native)
enum { F(CHAINS) = 12 };

static double F(multiply_adds)(int64_t rounds, T factor, T *result) {
  N sum[F(CHAINS)];
  const N by = (N)(factor), more = (N)((T)1);
#pragma clang loop unroll(full)
  for (int i = 0; i < F(CHAINS); ++i) sum[i] = (N)((T)i);
  for (int64_t r = 0; r < rounds; ++r) {
#pragma clang loop unroll(full)
    for (int i = 0; i < F(CHAINS); ++i) sum[i] = FMA(sum[i], by, more);
  }
  N total = (N)((T)0);
  for (int i = 0; i < F(CHAINS); ++i) total += sum[i];
  *result = 0;
  for (int lane = 0; lane < F(NATIVE); ++lane) *result += total[lane];
  return 2.0 * F(CHAINS) * F(NATIVE) * (double)rounds;
}

#undef N
