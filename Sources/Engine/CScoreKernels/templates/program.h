// The interpreter of fused elementwise programs.
//
// The range of entries is cut into blocks that stay in the first-level cache; each operation runs over a whole block
// (operations.h), so its dispatch costs next to nothing. ../program_plan.h says where each register lives. Slots are
// reused as soon as their register has been read for the last time, so that a long program needs few. Inputs that repeat
// with a period are spread once for all blocks where the block can be a multiple of it. The last entries, less than a
// vector, go through padded copies and the same loops, so bits do not depend on how the range was split.

#define LANES F(LANES)
enum { F(BLOCK) = SK_BLOCK_BYTES / sizeof(T), F(ROW) = SK_ROW_BYTES / sizeof(T), F(PAD) = 64 / sizeof(T) };

// Writes entries at ..< at + count of an input to `out`, which has room for a vector of 64 bytes beyond.
static void F(spread)(const sk_walk *w, const T *in, int64_t at, int64_t count, T *out) {
  int64_t wanted = w->period > 0 ? SK_MIN_OF(w->period, count) : count;
  int64_t index[SK_MAX_RANK], offset = 0, rest = at;
  const int last = w->rank - 1, above = SK_MAX_OF(last - 1, 0);
  for (int d = last; d >= 0; --d) {
    index[d] = rest % w->size[d];
    rest /= w->size[d];
    offset += index[d] * w->stride[d];
  }
  const int64_t width = w->size[last], stride = w->stride[last];
  int64_t done = 0;
  while (done < wanted) {
    if (stride == 0 && index[last] == 0 && width <= 4 && last > 0) {
      // Narrow rows of equal entries, such as one coefficient for each sample of two numbers.
      int64_t rows = SK_MIN_OF((wanted - done) / width, w->size[above] - index[above]);
      for (int64_t i = 0; i < rows; ++i)
        F(store_quad)(out + done + i * width, (F(quad))(in[offset + i * w->stride[above]]));
      done += rows * width;
      offset += rows * w->stride[above];
      index[above] += rows;
    }
    int64_t run = SK_MIN_OF(width - index[last], wanted - done);
    if (index[above] < w->size[above]) {
      const T *from = in + offset;
      T *to = out + done;
      if (stride == 0) {
        for (int64_t i = 0; i < run; i += F(WIDE)) F(store_wide)(to + i, (F(wide))(*from));
      } else if (stride == 1 && run >= F(WIDE)) {
        memcpy(to, from, (size_t)run * sizeof(T));
      } else {
        for (int64_t i = 0; i < run; ++i) to[i] = from[i * stride];
      }
      done += run;
      offset += run * stride;
      index[last] += run;
    }
    for (int d = last; d > 0; --d) {
      if (index[d] < w->size[d]) continue;
      index[d] = 0;
      ++index[d - 1];
      offset += w->stride[d - 1] - w->size[d] * w->stride[d];
    }
  }
  // One period is there: double it.
  for (int64_t more; done < count; done += more) {
    more = SK_MIN_OF(done, count - done);
    memcpy(out + done, out, (size_t)more * sizeof(T));
  }
}

typedef struct {
  const T *at[SK_MAX_REGISTERS];
  int64_t step[SK_MAX_REGISTERS];
} F(registers);

static void F(run_operation)(const sk_program *program, int i, int64_t count, F(registers) *reg) {
  const sk_operation *op = &program->operation[i];
  T *out = (T *)reg->at[program->input_count + i];
  if (op->opcode == SK_CONSTANT) {
    for (int64_t x = 0; x < count; ++x) out[x] = (T)op->imm;
    return;
  }
  int arity = sk_arity(op->opcode);
  int a = op->a, b = arity > 1 ? op->b : a, c = arity > 2 ? op->c : a;
  F(loops)[op->opcode](count, reg->at[a], reg->step[a], reg->at[b], reg->step[b], reg->at[c], reg->step[c], out);
}

static void F(program_run)(const sk_program *program, const T *const *inputs, T *const *outputs, int64_t begin,
                           int64_t end, void *scratch) {
  if (begin >= end) return;
  sk_plan plan;
  sk_make_plan(program, (const void *const *)inputs, (const void *const *)outputs, LANES, F(BLOCK), &plan);
  const int input_count = program->input_count, count = input_count + program->operation_count;
  T *held = scratch, *pads = held + count * F(PAD), *slots = pads + (input_count + program->output_count) * F(PAD);
  F(registers) reg;
  for (int r = 0; r < count; ++r) {
    reg.step[r] = plan.kind[r] == SK_HELD ? 0 : LANES;
    if (plan.kind[r] == SK_SLOT) reg.at[r] = slots + plan.slot[r] * F(ROW);
    if (plan.kind[r] != SK_HELD) continue;
    reg.at[r] = held + r * F(PAD);
    if (r >= input_count) F(run_operation)(program, r - input_count, LANES, &reg);
    else
      for (int x = 0; x < LANES; ++x) held[r * F(PAD) + x] = inputs[r][0];
  }

  for (int64_t at = begin, size; at < end; at += size) {
    // Whole vectors as long as there are any, then one padded vector.
    size = SK_MIN_OF(plan.block, end - at);
    const int padded = size < LANES;
    if (!padded) size -= size % LANES;
    for (int r = 0; r < count; ++r) {
      if (plan.kind[r] == SK_INPUT) {
        reg.at[r] = inputs[r] + at;
        if (padded) {
          memset(pads + r * F(PAD), 0, 64);
          reg.at[r] = memcpy(pads + r * F(PAD), inputs[r] + at, (size_t)size * sizeof(T));
        }
      } else if (plan.kind[r] == SK_OUTPUT) {
        reg.at[r] = padded ? pads + (input_count + plan.slot[r]) * F(PAD) : outputs[plan.slot[r]] + at;
      } else if (plan.kind[r] == SK_SLOT && r < input_count) {
        if (padded) memset((T *)reg.at[r], 0, 64);
        if (padded || at == begin || !plan.lasting[r]) {
          if (plan.walk[r].rank == 1 && plan.walk[r].stride[0] == 1)
            memcpy((T *)reg.at[r], inputs[r] + at, (size_t)size * sizeof(T));
          else
            F(spread)(&plan.walk[r], inputs[r], at, size, (T *)reg.at[r]);
        }
      }
    }
    const int64_t whole = padded ? LANES : size;
    for (int i = 0; i < program->operation_count; ++i)
      if (plan.kind[input_count + i] != SK_HELD) F(run_operation)(program, i, whole, &reg);
    for (int o = 0; o < program->output_count; ++o) {
      int r = program->output[o];
      if (plan.kind[r] == SK_HELD)
        for (int64_t x = 0; x < size; ++x) outputs[o][at + x] = reg.at[r][0];
      else if ((!plan.direct[o] || padded) && reg.at[r] != outputs[o] + at)
        memcpy(outputs[o] + at, reg.at[r], (size_t)size * sizeof(T));
    }
  }
}

#undef LANES
