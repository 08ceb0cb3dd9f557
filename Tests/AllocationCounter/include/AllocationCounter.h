// How often a thread has asked the C library for memory.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

// The number of calls of malloc, calloc, realloc and their aligned kin by this thread so far, or -1 where they are not counted.
long allocation_count(void);

#endif
