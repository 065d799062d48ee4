//! Compiles `memory.c` where the C library is musl's.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("musl") {
        cc::Build::new()
            .file("src/memory.c")
            .opt_level(2)
            // A loop that copies is not to become a call of the function that it stands in.
            .flag("-fno-builtin")
            .flag("-fno-tree-loop-distribute-patterns")
            .compile("memory");
    }
}
