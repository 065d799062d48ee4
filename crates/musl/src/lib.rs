//! `memcpy`, `memmove` and `memcmp` for the static programs that are handed out. It has nothing to call: who depends on it is linked with these
//! functions in place of those of musl's C library (`memory.c`). Where the C library is another one, it is empty.
