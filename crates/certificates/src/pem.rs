//! PEM texts: blocks between `-----BEGIN …-----` and `-----END …-----`, anything between them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One block.
pub(crate) struct Block {
    /// What it says it is, such as `CERTIFICATE`.
    pub(crate) label: String,
    /// The line of its beginning, from 1.
    pub(crate) line: usize,
    /// What it holds, or why that cannot be read. Wiped when dropped: it may be a key.
    pub(crate) content: Result<Zeroizing<Vec<u8>>, &'static str>,
}

const CERTIFICATE: &str = "CERTIFICATE";

impl Block {
    pub(crate) fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), CERTIFICATE | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
    }

    pub(crate) fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }
}

/// All blocks of a text, in order. What stands outside of blocks is passed over, as OpenSSL does.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(label) = boundary(line, "-----BEGIN ") else { continue };
        let mut body = Zeroizing::new(String::new());
        let mut end = None;
        for (_, line) in lines.by_ref() {
            if let Some(label) = boundary(line, "-----END ") {
                end = Some(label);
                break;
            }
            body.push_str(line.trim());
            body.push('\n');
        }
        let content = match end {
            None => Err("it has no end"),
            Some(end) if end != label => Err("its end has another name"),
            Some(_) => decode(&body),
        };
        blocks.push(Block { label: label.to_owned(), line: index + 1, content });
    }
    blocks
}

/// The first certificate of a text, if it can be read.
pub(crate) fn first_certificate(text: &str) -> Option<Vec<u8>> {
    let block = blocks(text).into_iter().find(Block::is_certificate)?;
    block.content.ok().map(|content| content.to_vec())
}

fn boundary<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    line.trim_end().strip_prefix(start)?.strip_suffix("-----")
}

fn decode(body: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    // Headers such as `Proc-Type: 4,ENCRYPTED` end with an empty line.
    let body = match body.split_once("\n\n") {
        Some((headers, rest)) if headers.contains(':') => {
            if headers.contains("ENCRYPTED") {
                return Err("it is encrypted");
            }
            rest
        }
        _ => body,
    };
    let joined: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    match STANDARD.decode(joined.as_bytes()) {
        Ok(content) if content.is_empty() => Err("it is empty"),
        Ok(content) => Ok(Zeroizing::new(content)),
        Err(_) => Err("it is not base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let show = |block: Block| {
            let content = match block.content {
                Ok(content) => String::from_utf8_lossy(&content).into_owned(),
                Err(reason) => reason.to_owned(),
            };
            format!("{}:{} {content}", block.line, block.label)
        };
        blocks(text).into_iter().map(show).collect()
    }

    #[test]
    fn blocks_are_found_between_anything() {
        let text = "Bag Attributes\r\n-----BEGIN CERTIFICATE-----\r\naGVs\r\nbG8=\r\n-----END CERTIFICATE-----\r\nx\n-----BEGIN PRIVATE KEY-----\naGk=\n-----END PRIVATE KEY-----";
        assert_eq!(shown(text), ["2:CERTIFICATE hello", "7:PRIVATE KEY hi"]);
    }

    #[test]
    fn what_is_broken_is_named() {
        assert_eq!(shown("-----BEGIN A-----\naGk=\n"), ["1:A it has no end"]);
        assert_eq!(shown("-----BEGIN A-----\naGk=\n-----END B-----\n"), ["1:A its end has another name"]);
        assert_eq!(shown("-----BEGIN A-----\na$k=\n-----END A-----\n"), ["1:A it is not base64"]);
        assert_eq!(shown("-----BEGIN A-----\n-----END A-----\n"), ["1:A it is empty"]);
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES\n\naGk=\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(shown(encrypted), ["1:RSA PRIVATE KEY it is encrypted"]);
    }
}
