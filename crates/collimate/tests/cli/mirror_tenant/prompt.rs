//! `--password-prompt`, on a terminal that Python makes.

use testkit::{Cli, Sandbox};

use super::{GOOD, PRIMARY, opens, workspace};

/// Runs the program on a terminal and answers each question with the next of these lines. Shows what the terminal showed.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
answers = [answer.encode().decode('unicode_escape').encode('latin1') for answer in sys.argv[2].split('|')]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], 'mirror', 'tenant', 'add', 'primary', 'acme', '--cost', '10', '--password-prompt'])
shown, deadline = b'', time.monotonic() + 60
while time.monotonic() < deadline:
    if not select.select([terminal], [], [], 1)[0]:
        continue
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    shown += part
    # Only when the terminal is mute: what is typed before would be shown, and thrown away.
    while answers and shown.endswith(b': '):
        import termios
        if termios.tcgetattr(terminal)[3] & termios.ECHO:
            time.sleep(0.01)
            continue
        os.write(terminal, answers.pop(0))
        break
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode().replace('\r', ''))
sys.exit(os.waitstatus_to_exitcode(status))
"#;

fn typed(sandbox: &Sandbox, answers: &str) -> Option<Cli> {
    let python = testkit::tool("python3")?;
    let arguments = ["-c", TERMINAL, env!("CARGO_BIN_EXE_collimate"), answers];
    Some(Cli::new(python).folder(sandbox.root()).args(arguments))
}

#[test]
fn a_password_is_asked_for_twice_and_never_shown() {
    let sandbox = workspace();
    let Some(run) = typed(&sandbox, &format!("{GOOD}\\n|{GOOD}\\n")) else { return };
    run.stdout(format!(
        "new password for `acme`: \nonce more: \nadded tenant `acme` to `{PRIMARY}`: bcrypt of cost 10\n"
    ))
    .run();
    assert!(opens(&sandbox, PRIMARY, "acme", GOOD));
}

#[test]
fn two_that_differ_and_ctrl_c_change_nothing() {
    let sandbox = workspace();
    let Some(run) = typed(&sandbox, &format!("{GOOD}\\n|another one\\n")) else { return };
    run.exit(2)
        .stdout("new password for `acme`: \nonce more: \nerror: the two passwords differ; nothing was changed\n")
        .run();
    let Some(run) = typed(&sandbox, "half\\x03") else { return };
    run.exit(2).stdout("new password for `acme`: \nerror: cancelled; nothing was changed\n").run();
    assert!(!sandbox.path(PRIMARY).exists());
}
