//! Asking for a secret on a terminal. [`Ctx`](crate::context::Ctx) is the door to it.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;

use mirror::htpasswd::Zeroizing;
use nix::sys::termios::{LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcgetattr, tcsetattr};

/// A terminal hands over no longer line than this.
const MOST_BYTES: usize = 4096;

/// What Ctrl-C sends.
const INTERRUPT: u8 = 3;

/// Shows `question` and reads one line that the terminal does not show. `None` if it was cancelled, by Ctrl-C or Ctrl-D.
pub(crate) fn ask_unseen(question: &str) -> io::Result<Option<Zeroizing<String>>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "stdin is not a terminal"));
    }
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes())?;
    let line = {
        let _unseen = Unseen::begin()?;
        read_line()
    };
    // The line end that was typed was not shown either.
    stderr.write_all(b"\n")?;
    line
}

/// Byte by byte: what is behind the line belongs to the next question.
fn read_line() -> io::Result<Option<Zeroizing<String>>> {
    let stdin = io::stdin();
    // Room for all of it at once: growing would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_BYTES));
    let mut byte = Zeroizing::new([0]);
    loop {
        // Past the buffer of `Stdin`, where the secret would stay.
        if nix::unistd::read(stdin.as_fd(), byte.as_mut())? == 0 || byte[0] == INTERRUPT {
            return Ok(None);
        }
        if byte[0] == b'\n' || line.len() == MOST_BYTES {
            break;
        }
        line.push(byte[0]);
    }
    let text = std::str::from_utf8(&line).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// The terminal without echo, for as long as this lives. Ctrl-C comes as a byte that ends the line: a signal would end us here, and
/// leave the terminal mute.
struct Unseen {
    before: Termios,
}

impl Unseen {
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(stdin.as_fd())?;
        let mut mute = before.clone();
        mute.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL | LocalFlags::ISIG);
        mute.control_chars[SpecialCharacterIndices::VEOL as usize] = INTERRUPT;
        // What was typed ahead was shown, so that it is not the answer.
        tcsetattr(stdin.as_fd(), SetArg::TCSAFLUSH, &mute)?;
        Ok(Self { before })
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to put back.
        let _ = tcsetattr(io::stdin().as_fd(), SetArg::TCSANOW, &self.before);
    }
}
