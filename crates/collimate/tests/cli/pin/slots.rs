//! Texts that know which of their bytes `pin` may write, and what it must write there.

/// Marks around a slot, which no file of ours holds: start, between the two texts, end.
const MARKS: [char; 3] = ['\u{1}', '\u{2}', '\u{3}'];

/// Bytes that hold `now` and must hold `want`.
pub(crate) fn slot(now: &str, want: &str) -> String {
    let [start, between, end] = MARKS;
    format!("{start}{now}{between}{want}{end}")
}

/// The text as it is before `pin`.
pub(crate) fn now(text: &str) -> String {
    filled(text, 0)
}

/// The text as `pin` must leave it.
pub(crate) fn want(text: &str) -> String {
    filled(text, 1)
}

fn filled(text: &str, side: usize) -> String {
    let [start, between, end] = MARKS;
    let mut out = String::new();
    for (index, piece) in text.split(start).enumerate() {
        match piece.split_once(end) {
            Some((slot, rest)) if index > 0 => {
                out.push_str(slot.split(between).nth(side).unwrap());
                out.push_str(rest);
            }
            _ => out.push_str(piece),
        }
    }
    out
}

/// The lines, from 1, on which something must change.
pub(crate) fn changing_lines(text: &str) -> Vec<usize> {
    let (now, want) = (now(text), want(text));
    now.split('\n')
        .zip(want.split('\n'))
        .enumerate()
        .filter(|(_, (now, want))| now != want)
        .map(|(at, _)| at + 1)
        .collect()
}
