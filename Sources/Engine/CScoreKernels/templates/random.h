// Random numbers from Philox blocks: LANES blocks at a time become 4 LANES numbers in the order of the header's contract.
//
// Box–Muller in Float works on the words themselves. The radius needs log u for u up to 1 - 2^-33, where u in Float would
// have lost all digits: from 1/2 on the distance to 1 is kept instead. The angle is a word too: its top bits are the
// quadrant and the rest, read as a signed number, is the angle within it, so no reduction and no loss.
//
// To add a law: a case in emit, and a door like the three at the end.

#define V F(vec)
#define LANES LANES_f64

typedef enum { F(UNIFORM), F(NORMAL), F(RADEMACHER) } F(law);

#if SK_IS_F32
SK_INLINE void emit_normal_f32(const sk_words *w, float *out) {
  // Two words a lane: the radii's w0 and w2, the angles' w1 and w3.
  ivec_f32 radius_word = (ivec_f32)(w->word[0] | w->word[2] << 32);
  uvec_f32 angle_word = (uvec_f32)(w->word[1] | w->word[3] << 32);

  ivec_f32 upper = radius_word >> 31;  // all ones from 2^31 on
  V distance = (__builtin_convertvector(radius_word ^ upper, V) + 0.5f) * 0x1p-32f;
  V e, f = log_reduce_f32(upper ? 1.0f - distance : distance, &e);
  f = e == 0.0f ? -distance : f;
  V radius = __builtin_elementwise_sqrt(-2.0f * log_polynomial_f32(f, e));

  uvec_f32 quadrant = (angle_word + 0x20000000u) >> 30;
  V angle = (__builtin_convertvector((ivec_f32)(angle_word - (quadrant << 30)), V) + 0.5f) * 0x1.921fb6p-30f;
  V s = sin_polynomial_f32(angle), c = cos_polynomial_f32(angle);
  ivec_f32 odd = (quadrant & 1u) != 0u;
  V x = radius * (odd ? s : c), y = radius * (odd ? c : s);
  uvec_f64 first = (uvec_f64)((uvec_f32)x ^ (((quadrant + 1u) & 2u) << 30));
  uvec_f64 second = (uvec_f64)((uvec_f32)y ^ ((quadrant & 2u) << 30));

  uvec_f64 pair01 = (first & 0xffffffffu) | second << 32, pair23 = first >> 32 | (second & 0xffffffff00000000u);
  sk_zipped z = zip_lanes((vec_f64)pair01, (vec_f64)pair23);
  store_f32(out, (V)z.low);
  store_f32(out + 2 * LANES, (V)z.high);
}
#else
// r cos and r sin for the words of a radius and an angle.
SK_INLINE void emit_pair_f64(uvec_f64 radius_word, uvec_f64 angle_word, V *x, V *y) {
  V e, f = log_reduce_f64(unit_from_word(radius_word), &e);
  V radius = __builtin_elementwise_sqrt(-2.0 * log_polynomial_f64(f, e));
  uvec_f64 quadrant = (angle_word + 0x20000000u) >> 30;
  V rest = (V)(angle_word - (quadrant << 30) + 0x4338000000000000u) - 0x1.8p52;
  V angle = (rest + 0.5) * 0x1.921fb54442d18p-30;
  V s = sin_polynomial_f64(angle), c = cos_polynomial_f64(angle);
  ivec_f64 odd = (quadrant & 1u) != 0u;
  *x = radius * (V)((uvec_f64)(odd ? s : c) ^ (((quadrant + 1u) & 2u) << 62));
  *y = radius * (V)((uvec_f64)(odd ? c : s) ^ ((quadrant & 2u) << 62));
}
#endif

SK_INLINE void F(emit)(F(law) law, const sk_words *w, T *out) {
  vec_f64 entry[4], block[4];
#if SK_IS_F32
  if (law == F(NORMAL)) {
    emit_normal_f32(w, out);
    return;
  }
  if (law == F(RADEMACHER)) {
    uvec_f64 sign = (uvec_f64)(0x8000000080000000u), one = (uvec_f64)(0x3f8000003f800000u);
    sk_zipped z = zip_lanes((vec_f64)(((w->word[0] | w->word[1] << 32) & sign) | one),
                            (vec_f64)(((w->word[2] | w->word[3] << 32) & sign) | one));
    store_f32(out, (V)z.low);
    store_f32(out + 2 * LANES, (V)z.high);
    return;
  }
  for (int i = 0; i < 4; ++i) {
    vec_f64 u = unit_from_word(w->word[i]);
    entry[i] = u > 0x1.fffffep-1 ? (vec_f64)(0x1.fffffep-1) : u;
  }
#else
  if (law == F(NORMAL)) {
    emit_pair_f64(w->word[0], w->word[1], &entry[0], &entry[1]);
    emit_pair_f64(w->word[2], w->word[3], &entry[2], &entry[3]);
  }
  for (int i = 0; i < 4; ++i) {
    if (law == F(RADEMACHER)) entry[i] = (V)((w->word[i] >> 31 << 63) | 0x3ff0000000000000u);
    if (law == F(UNIFORM)) entry[i] = unit_from_word(w->word[i]);
  }
#endif
  zip_blocks(entry, block);
  typedef T U __attribute__((ext_vector_type(LANES_f64)));
  typedef T U_at __attribute__((ext_vector_type(LANES_f64), aligned(sizeof(T)), may_alias));
  for (int i = 0; i < 4; ++i) *(U_at *)(out + i * LANES) = __builtin_convertvector(block[i], U);
}

SK_INLINE void F(draw)(F(law) law, uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns,
                       T *out) {
  const int64_t blocks = (columns + 3) / 4;
  T buffer[4 * LANES];
  if (blocks >= LANES) {
    // Long rows: the lanes are neighbouring blocks of one row.
    uvec_f64 lane;
    for (int i = 0; i < LANES; ++i) lane[i] = (uint64_t)i;
    for (int64_t r = 0; r < rows; ++r) {
      const uint64_t row = (uint64_t)(index ? index[r] : first + r);
      const uvec_f64 c2 = (uvec_f64)(row & 0xffffffffu), c3 = (uvec_f64)(row >> 32);
      for (int64_t j = 0; j < blocks; j += LANES) {
        sk_words w = philox_lanes(lane + (uint64_t)j, c2, c3, key);
        T *to = out + r * columns + 4 * j;
        int64_t count = SK_MIN_OF(4 * LANES, columns - 4 * j);
        F(emit)(law, &w, count == 4 * LANES ? to : buffer);
        if (count < 4 * LANES) memcpy(to, buffer, (size_t)count * sizeof(T));
      }
    }
    return;
  }
  // Short rows: the lanes run on from one row to the next.
  int64_t r = 0, j = 0;
  while (r < rows && columns > 0) {
    uint64_t c0[LANES] = {0}, c2[LANES] = {0}, c3[LANES] = {0};
    const int64_t first_row = r, first_block = j;
    int filled = 0;
    for (; filled < LANES && r < rows; ++filled) {
      const uint64_t row = (uint64_t)(index ? index[r] : first + r);
      c0[filled] = (uint64_t)j;
      c2[filled] = row & 0xffffffffu;
      c3[filled] = row >> 32;
      if (++j == blocks) {
        j = 0;
        ++r;
      }
    }
    uvec_f64 v0, v2, v3;
    memcpy(&v0, c0, sizeof v0);
    memcpy(&v2, c2, sizeof v2);
    memcpy(&v3, c3, sizeof v3);
    sk_words w = philox_lanes(v0, v2, v3, key);
    T *to = out + first_row * columns + 4 * first_block;
    const int whole = filled == LANES && columns % 4 == 0;
    F(emit)(law, &w, whole ? to : buffer);
    if (whole) continue;
    int64_t row = first_row, block = first_block;
    for (int i = 0; i < filled; ++i) {
      int64_t count = SK_MIN_OF(4, columns - 4 * block);
      for (int64_t x = 0; x < count; ++x) out[row * columns + 4 * block + x] = buffer[4 * i + x];
      if (++block == blocks) {
        block = 0;
        ++row;
      }
    }
  }
}

static void F(uniform)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(UNIFORM), key, index, first, rows, columns, out);
}

static void F(normal)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(NORMAL), key, index, first, rows, columns, out);
}

static void F(rademacher)(uint64_t key, const int64_t *index, int64_t first, int64_t rows, int64_t columns, T *out) {
  F(draw)(F(RADEMACHER), key, index, first, rows, columns, out);
}

#undef V
#undef LANES
