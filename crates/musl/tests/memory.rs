//! The functions of `memory.c` are compiled under other names, so that a program can hold them against those of the C library here.

use std::process::Command;

#[test]
fn they_do_what_those_of_the_c_library_do() {
    let Some(cc) = testkit::tool("cc") else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = |command: &mut Command| {
        let output = command.current_dir(folder.path()).output().expect("it starts");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{command:?}: {said}");
        said
    };
    let home = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let renamed = ["memmove", "memcpy", "memcmp"].map(|name| format!("-D{name}=our_{name}"));
    let ours = [&format!("{home}src/memory.c"), "-c", "-o", "ours.o", "-Wall", "-Wextra", "-Werror"].map(str::to_owned);
    let flags = ["-O2", "-fno-builtin", "-fno-tree-loop-distribute-patterns"];
    run(Command::new(&cc).args(flags).args(renamed).args(ours));
    run(Command::new(&cc).args(["-O1", "-fno-builtin", &format!("{home}tests/memory.c"), "ours.o", "-o", "held"]));
    assert_eq!(run(&mut Command::new(folder.path().join("held"))), "agreed\n");
}
