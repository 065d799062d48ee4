//! What is wrong, and the way out.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::pairs::Pair;
use super::{BUNDLE, Chain, Finding, Question, Read};
use crate::authority::Usage;
use crate::certificate::{Certificate, KeyKind};
use crate::folder::AUTHORITY;

/// The least bits of an RSA key that browsers and NIST (SP 800-131A) accept.
const LEAST_RSA_BITS: usize = 2048;

/// What may be wrong with one certificate: a rule, what is said, and the way out.
type Wrong = (&'static str, String, String);

pub(super) fn judge(
    question: &Question<'_>,
    files: &[Read],
    chains: &[Vec<Chain>],
    pairs: &[Pair],
    stopped: Option<(Utf8PathBuf, &'static str)>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A CA that lies beside every component has one finding, not one for each.
    let mut known: BTreeMap<(&'static str, &[u8]), usize> = BTreeMap::new();
    let mut more: BTreeMap<usize, usize> = BTreeMap::new();
    let mut keys_at: BTreeMap<&[u8], &Utf8Path> = BTreeMap::new();

    for ((file, chains), pair) in files.iter().zip(chains).zip(pairs) {
        for problem in &file.problems {
            findings.push(wrong(file, "unreadable", format!("cannot be read: {problem}"), restore(&file.file)));
        }
        let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
        for ((index, certificate), chain) in file.certificates.iter().enumerate().zip(chains) {
            if !seen.insert(&certificate.der) {
                let message = format!("holds the certificate `{}` twice", certificate.short_subject());
                findings.push(wrong(file, "duplicate", message, "remove one of them".to_owned()));
                continue;
            }
            for (rule, message, help) in of_certificate(question, file, index, certificate, chain) {
                match known.get(&(rule, certificate.der.as_slice())) {
                    Some(first) => *more.entry(*first).or_default() += 1,
                    None => {
                        known.insert((rule, &certificate.der), findings.len());
                        findings.push(wrong(file, rule, message, help));
                    }
                }
            }
        }
        if let Some(key) = pair.wrong_key.and_then(|key| files.get(key)) {
            let message = format!("the key in `{}` does not belong to it", key.file);
            findings.push(wrong(file, "key-mismatch", message, renew(&file.file)));
        }
        for (key, belongs_to) in file.keys.iter().zip(&pair.belongs_to) {
            findings.extend(of_key(file, key, belongs_to.is_some()));
            if let Ok(key) = key {
                match keys_at.get(key.bits.as_slice()) {
                    Some(first) if *first != file.file => {
                        let message = format!("is the same key as `{first}`");
                        let help = "a key that is in one place only can be lost in one place only".to_owned();
                        findings.push(Finding { is_note: true, ..wrong(file, "shared-key", message, help) });
                    }
                    _ => {
                        keys_at.insert(&key.bits, &file.file);
                    }
                }
            }
        }
    }
    for (index, count) in more {
        if let Some(finding) = findings.get_mut(index) {
            let files = if count == 1 { "1 more file".to_owned() } else { format!("{count} more files") };
            finding.message = format!("{} (in {files} too)", finding.message);
        }
    }
    if let Some((file, reason)) = stopped {
        findings.push(Finding {
            rule: "not-examined",
            is_note: false,
            message: format!("was not examined, nor what comes after it: {reason}"),
            help: "name the folders that hold certificates".to_owned(),
            file,
        });
    }
    findings
}

fn wrong(file: &Read, rule: &'static str, message: String, help: String) -> Finding {
    Finding { rule, is_note: false, file: file.file.clone(), message, help }
}

fn of_certificate(
    question: &Question<'_>,
    file: &Read,
    index: usize,
    certificate: &Certificate,
    chain: &Chain,
) -> Vec<Wrong> {
    let name = certificate.short_subject();
    let path = &file.file;
    let is_bundle = path.file_name() == Some(BUNDLE);
    let mut wrongs: Vec<Wrong> = Vec::new();
    let mut add = |rule: &'static str, message: String, help: String| wrongs.push((rule, message, help));

    let validity = certificate.validity;
    let days = validity.days_left(question.now);
    let renewal = if certificate.is_ca { rotate(path) } else { renew(path) };
    if validity.is_over(question.now) {
        // An authority that has expired needs no rotation: nobody accepts anything of it any more.
        add("expired", format!("`{name}` expired {} ({})", ago(-days), date(validity.not_after)), renew(path));
    } else if validity.is_ahead(question.now) {
        let help = "look at this machine's clock first".to_owned();
        add("not-yet-valid", format!("`{name}` is not valid before {}", validity.not_before), help);
    } else if validity.ends_within(question.now, question.warn) {
        add("expires-soon", format!("`{name}` expires {} ({})", ahead(days), date(validity.not_after)), renewal);
    }
    if let Chain::Broken(reason) = chain {
        add("wrong-ca", format!("`{name}` is not to be trusted: {reason}"), renew(path));
    }
    if let KeyKind::Rsa { bits } = certificate.key_kind
        && bits < LEAST_RSA_BITS
    {
        let message =
            format!("the RSA key of `{name}` has {bits} bits; {LEAST_RSA_BITS} are the least that is accepted");
        add("weak-key", message, renew(path));
    }
    // Nobody looks at the signature of a certificate that is trusted itself.
    if let Some(hash) = certificate.weak_hash.filter(|_| !certificate.is_self_issued()) {
        add("weak-signature", format!("`{name}` is signed with {hash}, which is broken"), renew(path));
    }
    let is_used_as_leaf = !certificate.sans.is_empty() || certificate.has_usages || path.file_name() == Some("tls.crt");
    if certificate.is_ca && index == 0 && !is_bundle && is_used_as_leaf {
        let message = format!("`{name}` is a CA but is used as the certificate of a server or client");
        add("ca-as-leaf", message, "whoever has its key can issue certificates; use one that the CA issued".to_owned());
    }
    if is_bundle && !certificate.is_ca {
        let message = format!("`{name}` is not a CA, so nothing can be verified with it");
        add("not-a-ca", message, format!("put the CA's certificate into `{path}`"));
    }
    let serves = !certificate.has_usages || certificate.usages.contains(&Usage::Server);
    if !certificate.is_ca && serves && certificate.sans.is_empty() && !certificate.other_names && !is_bundle {
        let message = format!("`{name}` has no alternative name, and clients do not look at the common name");
        add("no-names", message, renew(path));
    }
    wrongs
}

fn of_key(file: &Read, key: &Result<super::Public, &'static str>, is_paired: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let open_to = if file.mode & 0o007 != 0 {
        Some("everyone")
    } else if file.mode & 0o020 != 0 {
        Some("its group, which may replace it")
    } else {
        None
    };
    if let Some(who) = open_to {
        let message = format!("a private key is open to {who} (mode {:04o})", file.mode);
        let help = format!("run `chmod 600 {}`; if others may have read it, make a new one", file.file);
        findings.push(wrong(file, "key-permissions", message, help));
    }
    let note = |message: &str, help: &str| Finding {
        is_note: true,
        ..wrong(file, "key-unpaired", message.to_owned(), help.to_owned())
    };
    match key {
        Err("it is not a private key") => findings.push(wrong(
            file,
            "unreadable",
            "cannot be read: it is not a private key".to_owned(),
            restore(&file.file),
        )),
        Err(reason) => findings.push(note(
            &format!("which certificate this key belongs to cannot be told: {reason}"),
            "compare what `openssl pkey -pubout` and `openssl x509 -pubkey` print",
        )),
        Ok(_) if !is_paired => {
            findings.push(note("belongs to no certificate of its folder", "remove it if nothing needs it"));
        }
        Ok(_) => {}
    }
    findings
}

/// The folder that `tls generate` filled and that this file lies in, if it does.
fn generated(file: &Utf8Path) -> Option<&Utf8Path> {
    file.ancestors().skip(1).find(|folder| folder.join(AUTHORITY).join(BUNDLE).is_file())
}

fn renew(file: &Utf8Path) -> String {
    match generated(file) {
        Some(folder) => format!("run `collimate tls generate {}`", shown(folder)),
        None => "get a new one from where it came from".to_owned(),
    }
}

fn rotate(file: &Utf8Path) -> String {
    match generated(file) {
        Some(folder) => format!("run `collimate tls rotate {} --phase trust`", shown(folder)),
        None => "get a new one from where it came from, and let everyone trust both for a while".to_owned(),
    }
}

fn restore(file: &Utf8Path) -> String {
    match generated(file) {
        Some(folder) if file.starts_with(folder.join(AUTHORITY)) => format!(
            "restore it from a backup; without one, remove `{0}` and run `collimate tls generate {0}` for everything new",
            shown(folder)
        ),
        Some(folder) => format!("remove it, then run `collimate tls generate {}`", shown(folder)),
        None => "copy it again from where it came from".to_owned(),
    }
}

fn shown(folder: &Utf8Path) -> &str {
    if folder == "" { "." } else { folder.as_str() }
}

fn date(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn ago(days: i64) -> String {
    match days {
        ..=1 => "less than a day ago".to_owned(),
        2 => "1 day ago".to_owned(),
        days => format!("{} days ago", days - 1),
    }
}

fn ahead(days: i64) -> String {
    match days {
        ..=0 => "in less than a day".to_owned(),
        1 => "in 1 day".to_owned(),
        days => format!("in {days} days"),
    }
}
