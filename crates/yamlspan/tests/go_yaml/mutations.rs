//! Small random texts: pieces of seeds, changed by a few steps. The same number gives the same texts on every machine.

const LETTERS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n  ",
    "\t",
    ":",
    ": ",
    "-",
    "- ",
    "? ",
    "?",
    ",",
    "[",
    "]",
    "{",
    "}",
    "#",
    " #",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "!!int ",
    "!<x>",
    "|",
    ">",
    "|-",
    ">+",
    "|2",
    "'",
    "\"",
    "%",
    "@",
    "`",
    "a",
    "b: ",
    "1",
    "0x1f",
    "0",
    "~",
    "null",
    "true",
    "yes",
    "n",
    "<<: ",
    "---\n",
    "...\n",
    "\\",
    "\\n",
    "\\x41",
    "\\u00e9",
    "é",
    "\u{85}",
    "\u{2028}",
    "\r\n",
    "\r",
    "\u{feff}",
    "1.5",
    ".5",
    "1e3",
    "2001-01-01",
    "%YAML 1.1\n",
    "%TAG ! x\n",
    "=",
    "_",
    "\u{7f}",
    "\u{1}",
    "🦀",
    "x y",
    "''",
    "\"\"",
    "{}",
    "[]",
];

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end.max(1)
    }

    fn boundary(&mut self, text: &str) -> usize {
        let mut at = self.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }
}

pub(crate) fn mutate(seeds: &[&str], random: &mut Random) -> String {
    let mut text = seeds[random.below(seeds.len())].to_owned();
    for _ in 0..=random.below(4) {
        let at = random.boundary(&text);
        match random.below(9) {
            0..=3 => text.insert_str(at, LETTERS[random.below(LETTERS.len())]),
            4 => {
                let other = random.boundary(&text);
                let range = at.min(other)..at.max(other).min(at.min(other) + 6);
                if text.is_char_boundary(range.end) {
                    text.replace_range(range, "");
                }
            }
            5 => {
                let other = random.boundary(&text);
                let piece = text[at.min(other)..at.max(other)].to_owned();
                let to = random.boundary(&text);
                text.insert_str(to, &piece);
            }
            6 => {
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                if !lines.is_empty() {
                    lines.swap(a, b);
                }
                text = lines.concat();
            }
            7 => {
                let lines: Vec<String> = text
                    .split_inclusive('\n')
                    .map(|line| match random.below(4) {
                        0 => format!(" {line}"),
                        1 => line.strip_prefix(' ').unwrap_or(line).to_owned(),
                        _ => line.to_owned(),
                    })
                    .collect();
                text = lines.concat();
            }
            _ => {
                let other = seeds[random.below(seeds.len())];
                let from = random.boundary(other);
                text.insert_str(at, &other[from..]);
            }
        }
    }
    text.truncate((0..=400.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap());
    text
}

const WORDS: &[&str] = &[
    "a",
    "word",
    "two words",
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    ": ",
    ":",
    " #",
    "#",
    "- ",
    "-",
    "? ",
    "'",
    "\"",
    "\\",
    "é",
    "日本",
    "🦀",
    "\u{85}",
    "\u{2028}",
    "\u{a0}",
    "\u{feff}",
    "\u{7f}",
    "\u{90}",
    "\r",
    "\r\n",
    "0",
    "1",
    "12",
    "007",
    "1.5",
    "true",
    "no",
    "null",
    "~",
    "<<",
    "=",
    "2001-01-01",
    "1:30",
    "x:y",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&",
    "*",
    "!",
    "|",
    ">",
    "%",
    "@",
    "`",
    "---",
    "...",
    "A",
    "B",
    "_",
    "10",
    "9",
    "a1",
    "a10",
    "a2",
    "a02",
    "ab",
    "lorem ipsum dolor sit amet",
    "consectetur adipiscing elit sed do eiusmod tempor incididunt",
    "\u{1}",
    "\u{8}",
    "\u{1b}",
    "\u{fffe}",
    "<b>",
    ".",
    "+",
    "0x1F",
    "1e3",
    ".inf",
    "0b1",
    "0o7",
    "1_000",
    "y",
    "off",
];

/// A JSON text with odd strings: a test of what is written more than of what is read.
pub(crate) fn json(random: &mut Random) -> String {
    let mut text = String::new();
    write_value(random, 3, &mut text);
    text
}

fn write_value(random: &mut Random, depth: usize, text: &mut String) {
    match random.below(if depth == 0 { 7 } else { 12 }) {
        0 => text.push_str(["null", "true", "false", "0", "-1", "1.5"][random.below(6)]),
        1 => {
            let numbers = [
                "1000000",
                "1e21",
                "1e20",
                "123456789.125",
                "0.00001",
                "-0.5",
                "9007199254740993",
                "12345678901234567890",
            ];
            text.push_str(numbers[random.below(numbers.len())]);
        }
        2..=6 => write_string(random, text),
        7..=9 => {
            text.push('{');
            let mut keys = std::collections::BTreeSet::new();
            for _ in 0..random.below(6) {
                let mut key = String::new();
                write_string(random, &mut key);
                if !keys.insert(key.clone()) {
                    continue;
                }
                text.push_str(if keys.len() > 1 { ", " } else { "" });
                text.push_str(&key);
                text.push_str(": ");
                write_value(random, depth - 1, text);
            }
            text.push('}');
        }
        _ => {
            text.push('[');
            for index in 0..random.below(4) {
                text.push_str(if index > 0 { ", " } else { "" });
                write_value(random, depth - 1, text);
            }
            text.push(']');
        }
    }
}

fn write_string(random: &mut Random, text: &mut String) {
    let mut string = String::new();
    let words = if random.below(8) == 0 { 30 } else { 5 };
    for _ in 0..random.below(words) {
        string.push_str(WORDS[random.below(WORDS.len())]);
        if random.below(3) == 0 {
            string.push(' ');
        }
    }
    text.push('"');
    for letter in string.chars() {
        match letter {
            ' '..='~' if !matches!(letter, '"' | '\\') => text.push(letter),
            '\u{a0}'..='\u{fffd}' if !matches!(letter, '\u{2028}' | '\u{feff}') => text.push(letter),
            '\u{1f980}' => text.push(letter),
            _ => text.push_str(&format!("\\u{:04x}", u32::from(letter))),
        }
    }
    text.push('"');
}
