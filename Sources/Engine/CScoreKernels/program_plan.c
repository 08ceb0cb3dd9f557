// Plans a run of a fused elementwise program: which registers need a block of scratch memory, and which.
#include "program_plan.h"

int sk_arity(unsigned opcode) { return opcode == SK_CONSTANT ? 0 : opcode < SK_ADD ? 1 : opcode < SK_SELECT ? 2 : 3; }

static size_t scratch_bytes(const sk_program *program) {
  size_t registers = (size_t)(program->input_count + program->operation_count);
  // Slots, held vectors, and one padded vector for each input and output.
  return registers * (SK_ROW_BYTES + 64) + (size_t)(program->input_count + program->output_count + 1) * 64;
}

size_t sk_program_scratch_f32(const sk_program *program) { return scratch_bytes(program); }
size_t sk_program_scratch_f64(const sk_program *program) { return scratch_bytes(program); }

static void make_walk(const sk_program *program, const sk_view *view, sk_walk *w) {
  w->rank = 0;
  w->period = 0;
  for (int d = 0; d < program->rank; ++d) {
    int64_t size = program->size[d], stride = view->stride[d];
    if (size == 1) continue;
    int last = w->rank - 1;
    if (last >= 0 && w->stride[last] == size * stride) {
      w->size[last] *= size;
      w->stride[last] = stride;
    } else {
      w->size[w->rank] = size;
      w->stride[w->rank] = stride;
      ++w->rank;
    }
  }
  if (w->rank > 1 && w->stride[0] == 0) {
    w->period = 1;
    for (int d = 1; d < w->rank; ++d) w->period *= w->size[d];
  }
}

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t t = a % b;
    a = b;
    b = t;
  }
  return a;
}

// The registers that an operation reads; returns how many.
static int operands(const sk_operation *op, uint16_t out[3]) {
  out[0] = op->a;
  out[1] = op->b;
  out[2] = op->c;
  return sk_arity(op->opcode);
}

// Inputs: where they lie, and a block size that suits the periods of those that must be spread.
static void plan_inputs(const sk_program *program, const void *const *inputs, const void *const *outputs,
                        int64_t lanes, int64_t block, sk_plan *plan) {
  for (int r = 0; r < program->input_count; ++r) {
    sk_walk *w = &plan->walk[r];
    make_walk(program, &program->view[r], w);
    int held = w->rank == 0 || (w->rank == 1 && w->stride[0] == 0), contiguous = w->rank == 1 && w->stride[0] == 1;
    plan->kind[r] = held ? SK_HELD : contiguous ? SK_INPUT : SK_SLOT;
  }
  // An input that is stored as an output must survive until then, even if another output lies on it.
  for (int o = 0; o < program->output_count; ++o) {
    int r = program->output[o];
    for (int other = 0; other < program->output_count; ++other)
      if (r < program->input_count && plan->kind[r] == SK_INPUT && other != o && outputs[other] == inputs[r])
        plan->kind[r] = SK_SLOT;
  }
  int64_t step = lanes;
  for (int r = 0; r < program->input_count; ++r) {
    int64_t period = plan->walk[r].period;
    if (plan->kind[r] != SK_SLOT || period == 0 || period > block) continue;
    int64_t common = step / common_divisor(step, period) * period;
    if (common <= block) step = common;
  }
  plan->block = block / step * step;
  for (int r = 0; r < program->input_count; ++r)
    plan->lasting[r] =
        plan->kind[r] == SK_SLOT && plan->walk[r].period > 0 && plan->block % plan->walk[r].period == 0;
}

// An output may be computed in place where no later operation reads the input that lies there.
static void plan_outputs(const sk_program *program, const void *const *inputs, const void *const *outputs,
                         const int *last_use, sk_plan *plan) {
  for (int o = 0; o < program->output_count; ++o) {
    int r = program->output[o], direct = r >= program->input_count;
    for (int earlier = 0; earlier < o; ++earlier)
      if (program->output[earlier] == r) direct = 0;
    for (int in = 0; in < program->input_count; ++in)
      if (plan->kind[in] == SK_INPUT && inputs[in] == outputs[o] && last_use[in] > r - program->input_count) direct = 0;
    plan->direct[o] = direct;
  }
}

void sk_make_plan(const sk_program *program, const void *const *inputs, const void *const *outputs, int64_t lanes,
                  int64_t block, sk_plan *plan) {
  int input_count = program->input_count, count = input_count + program->operation_count;
  int last_use[SK_MAX_REGISTERS];
  for (int r = 0; r < count; ++r) last_use[r] = -1;
  uint16_t operand[3];
  for (int i = 0; i < program->operation_count; ++i) {
    int arity = operands(&program->operation[i], operand);
    for (int x = 0; x < arity; ++x) last_use[operand[x]] = i;
  }
  plan_inputs(program, inputs, outputs, lanes, block, plan);
  for (int o = 0; o < program->output_count; ++o)
    if (program->output[o] < input_count) last_use[program->output[o]] = SK_MAX_OPERATIONS;
  plan_outputs(program, inputs, outputs, last_use, plan);
  for (int r = 0; r < input_count; ++r)
    if (plan->lasting[r]) last_use[r] = SK_MAX_OPERATIONS;

  for (int r = input_count; r < count; ++r) {
    int arity = operands(&program->operation[r - input_count], operand), held = 1;
    for (int x = 0; x < arity; ++x) held &= plan->kind[operand[x]] == SK_HELD;
    plan->kind[r] = held ? SK_HELD : SK_SLOT;
    for (int o = 0; o < program->output_count; ++o) {
      if (program->output[o] != r) continue;
      if (held) plan->direct[o] = 0;
      if (plan->direct[o]) {
        plan->kind[r] = SK_OUTPUT;
        plan->slot[r] = o;
      } else {
        last_use[r] = SK_MAX_OPERATIONS;
      }
    }
  }

  uint8_t taken[SK_MAX_REGISTERS] = {0};
  for (int r = 0; r < count; ++r) {
    if (r >= input_count) {
      // Operands that are read for the last time give their slots back; the result may take one of them.
      int arity = operands(&program->operation[r - input_count], operand);
      for (int x = 0; x < arity; ++x)
        if (plan->kind[operand[x]] == SK_SLOT && last_use[operand[x]] == r - input_count)
          taken[plan->slot[operand[x]]] = 0;
    }
    if (plan->kind[r] != SK_SLOT) continue;
    int s = 0;
    while (taken[s]) ++s;
    plan->slot[r] = s;
    // An input that nothing reads keeps its slot: it is spread in every block, where others may last.
    taken[s] = r < input_count || last_use[r] >= 0;
  }
}
