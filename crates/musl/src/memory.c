/*
 * memcpy, memmove and memcmp, of which the engines call a million in a check of some profiles, nearly all of them for a few dozen bytes.
 * musl's memcpy for x86-64 starts a string instruction for each (50 ns and more on machines of 2026), its memcmp takes one byte at a time.
 */

#include <stddef.h>
#include <stdint.h>

typedef uint64_t block __attribute__((vector_size(16)));
typedef struct { block a, b; } pair;
typedef struct { block a, b, c, d; } line;

#define READ(type, at) ({ type value; __builtin_memcpy(&value, (at), sizeof value); value; })
#define WRITE(at, value) __builtin_memcpy((at), &(value), sizeof(value))

/* Moves what is at least as long as the type and at most twice as long: both ends, which may overlap, are read before one is written. */
#define MOVE_ENDS(type) do { \
    type first = READ(type, from), last = READ(type, from + n - sizeof(type)); \
    WRITE(to, first); \
    WRITE(to + n - sizeof(type), last); \
    return target; \
  } while (0)

void *memmove(void *target, const void *source, size_t n) {
  unsigned char *to = target;
  const unsigned char *from = source;
  if (n <= 16) {
    if (n >= 8) MOVE_ENDS(uint64_t);
    if (n >= 4) MOVE_ENDS(uint32_t);
    if (n >= 2) MOVE_ENDS(uint16_t);
    if (n) *to = *from;
    return target;
  }
  if (n <= 32) MOVE_ENDS(block);
  if (n <= 64) MOVE_ENDS(pair);
  if (n <= 128) MOVE_ENDS(line);
  if ((uintptr_t)to - (uintptr_t)from >= n) {
    /* What is written lies before all that is still to be read, or beyond it; but the end may be written over, and is read first. */
    line last = READ(line, from + n - sizeof last);
    for (size_t at = 0; at < n - sizeof last; at += sizeof last) {
      line next = READ(line, from + at);
      WRITE(to + at, next);
    }
    WRITE(to + n - sizeof last, last);
  } else {
    line first = READ(line, from);
    for (size_t at = n; at > sizeof first; at -= sizeof first) {
      line next = READ(line, from + at - sizeof next);
      WRITE(to + at - sizeof next, next);
    }
    WRITE(to, first);
  }
  return target;
}

void *memcpy(void *restrict target, const void *restrict source, size_t n) {
  return memmove(target, source, n);
}

/* The order of numbers that are read with their highest byte first is that of their bytes. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BIG_64(at) __builtin_bswap64(READ(uint64_t, at))
#define BIG_32(at) __builtin_bswap32(READ(uint32_t, at))
#else
#define BIG_64(at) READ(uint64_t, at)
#define BIG_32(at) READ(uint32_t, at)
#endif

int memcmp(const void *left, const void *right, size_t n) {
  const unsigned char *l = left, *r = right;
  uint64_t a = 0, b = 0;
  if (n >= 8) {
    for (size_t at = 0; at < n - 8; at += 8) {
      a = BIG_64(l + at), b = BIG_64(r + at);
      if (a != b) return a < b ? -1 : 1;
    }
    a = BIG_64(l + n - 8), b = BIG_64(r + n - 8);
  } else if (n >= 4) {
    a = (uint64_t)BIG_32(l) << 32 | BIG_32(l + n - 4);
    b = (uint64_t)BIG_32(r) << 32 | BIG_32(r + n - 4);
  } else {
    for (size_t at = 0; at < n; at++) {
      a = a << 8 | l[at], b = b << 8 | r[at];
    }
  }
  return a == b ? 0 : a < b ? -1 : 1;
}
