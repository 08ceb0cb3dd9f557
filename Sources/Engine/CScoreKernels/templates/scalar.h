// Every template for one scalar type: T with suffix S.
#include "operations.h"
#include "program.h"
#include "gemm_tile.h"
#include "gemm_pack.h"
#include "gemm.h"
#include "reduce.h"
#include "moves.h"
#include "random.h"
