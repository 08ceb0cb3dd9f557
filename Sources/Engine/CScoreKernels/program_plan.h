// What a run of a fused elementwise program does with each register: the same for every target and scalar type.
#ifndef SK_PROGRAM_PLAN_H
#define SK_PROGRAM_PLAN_H

#include "include/CScoreKernels.h"

enum {
  SK_MAX_REGISTERS = SK_MAX_INPUTS + SK_MAX_OPERATIONS,
  SK_BLOCK_BYTES = 2048,                // of a register's block
  SK_ROW_BYTES = SK_BLOCK_BYTES + 64,   // of a slot: spreading may write up to a vector past the end
};

typedef enum {
  SK_HELD,    // one vector of equal entries: constants, inputs that are one number, what is computed from those alone
  SK_INPUT,   // a contiguous input, read where it lies
  SK_SLOT,    // a block in scratch memory: results, and inputs that must be spread out first
  SK_OUTPUT,  // a result that is computed straight into the caller's memory
} sk_register_kind;

// How one input is read, with neighbouring axes merged, outermost first.
typedef struct {
  int32_t rank;
  int64_t size[SK_MAX_RANK], stride[SK_MAX_RANK];
  int64_t period;  // entries after which it repeats, or 0
} sk_walk;

typedef struct {
  int64_t block;                           // entries in a block
  sk_register_kind kind[SK_MAX_REGISTERS];
  int32_t slot[SK_MAX_REGISTERS];          // SLOT: its number; OUTPUT: the output's
  int32_t lasting[SK_MAX_INPUTS];          // the input is spread once for all blocks
  int32_t direct[SK_MAX_OUTPUTS];          // the output is computed in place, not copied at the end of a block
  sk_walk walk[SK_MAX_INPUTS];
} sk_plan;

int sk_arity(unsigned opcode);
// lanes: entries of a vector, which divide a block; block: entries of a block at most.
void sk_make_plan(const sk_program *program, const void *const *inputs, const void *const *outputs, int64_t lanes,
                  int64_t block, sk_plan *plan);

#endif
