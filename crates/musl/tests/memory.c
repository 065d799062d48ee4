/* Holds the functions of src/memory.c, which are called our_… here, against those of this machine's C library. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *our_memmove(void *, const void *, size_t);
void *our_memcpy(void *, const void *, size_t);
int our_memcmp(const void *, const void *, size_t);

enum { SIZE = 1600, LONGEST = 700 };

static unsigned char expected[SIZE], moved[SIZE], other[SIZE];

static size_t below(size_t end) { return (size_t)rand() % end; }
static int sign(int order) { return (order > 0) - (order < 0); }

static void fail(const char *what, size_t n, size_t from, size_t to) {
  printf("%s of %zu bytes, %zu to %zu\n", what, n, from, to);
  exit(1);
}

int main(void) {
  for (int round = 0; round < 60; round++) {
    for (size_t n = 0; n < LONGEST; n++) {
      for (size_t at = 0; at < SIZE; at++) expected[at] = moved[at] = other[at] = (unsigned char)rand();
      /* Mostly so near that they overlap. */
      size_t from = below(SIZE - LONGEST - 80), to = from + below(80);
      if (round % 2) { size_t swap = from; from = to; to = swap; }
      memmove(expected + to, expected + from, n);
      our_memmove(moved + to, moved + from, n);
      if (memcmp(expected, moved, SIZE)) fail("memmove", n, from, to);
      our_memcpy(moved + to, other + from, n);
      memcpy(expected + to, other + from, n);
      if (memcmp(expected, moved, SIZE)) fail("memcpy", n, from, to);

      our_memcpy(moved, expected, SIZE);
      if (n && below(3)) moved[to + below(n)] ^= (unsigned char)(1 << below(8));
      if (n && below(3)) moved[to + below(n)] ^= (unsigned char)(1 << below(8));
      if (sign(our_memcmp(moved + to, expected + to, n)) != sign(memcmp(moved + to, expected + to, n)))
        fail("memcmp", n, to, to);
    }
  }
  puts("agreed");
  return 0;
}
