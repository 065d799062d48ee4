use zeroize::Zeroizing;

use super::*;

/// Of crypt_blowfish's own tests: the password `U*U`.
const U_U: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// `htpasswd -nbm t long-enough-secret`, and others as their tools write them.
const FORMS: &[(&str, &str)] = &[
    (U_U, "bcrypt"),
    ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "bcrypt"),
    ("$2b$10$abcdefghijklmnopqrstuuVYO0fGl.lPkUxqC7zLkoYOaDMmtYwVK", "bcrypt"),
    ("$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", "bcrypt 2x"),
    ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlC", "damaged bcrypt"),
    ("$2y$+5$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "damaged bcrypt"),
    ("$2y$03$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", "damaged bcrypt"),
    ("$2", "damaged bcrypt"),
    ("$apr1$r31....$HqJZimcKQFAMYayBlzkrA/", "apr1"),
    ("$1$r31$abc", "md5-crypt"),
    ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "sha1"),
    ("{SSHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "ssha"),
    ("{PLAIN}hunter2", "plain text"),
    ("$5$salt$x", "sha256-crypt"),
    ("$6$salt$x", "sha512-crypt"),
    ("$y$j9T$x$y", "yescrypt"),
    ("$7$x", "scrypt"),
    ("$argon2id$v=19$m=1$x", "argon2"),
    ("rqXexS6ZhobKA", "des-crypt"),
    ("hunter2", "unknown"),
];

fn lines_of_problems(bytes: &[u8]) -> Vec<String> {
    File::parse(bytes).problems().iter().map(|problem| format!("{}: {problem}", problem.line)).collect()
}

#[test]
fn every_form_has_its_name() {
    for (text, name) in FORMS {
        let hash = Hash::new(text);
        assert_eq!(hash.form().name(), *name, "{text}");
        assert_eq!(format!("{hash:?}"), format!("Hash({name}, …)"));
        assert_eq!(hash.weakness().is_none(), text.starts_with("$2b$10"), "{text}");
    }
    assert_eq!(Hash::new(U_U).weakness().unwrap().to_string(), "bcrypt of cost 5, below 10");
    assert_eq!(Hash::new(&U_U.replace("$05$", "$16$")).weakness().unwrap().to_string(), "bcrypt of cost 16, above 15");
}

#[test]
fn only_the_right_password_of_a_bcrypt_hash_opens() {
    assert!(Hash::new(U_U).verify(b"U*U"));
    assert!(!Hash::new(U_U).verify(b"U*u"));
    assert!(!Hash::new(U_U).verify(b""));
    assert!(!Hash::new(U_U).verify(b"U*U\0"));
    assert!(Hash::new(&U_U.replace("$2a$", "$2b$")).verify(b"U*U"));
    assert!(Hash::new("$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq").verify(b"\xa3"));
    for (text, name) in FORMS.iter().filter(|(_, name)| *name != "bcrypt") {
        assert!(!Hash::new(text).verify(b"hunter2") && !Hash::new(text).verify(b"\xa3"), "{name}");
    }
    // Too costly to be tried: this would take a day.
    assert!(!Hash::new(&U_U.replace("$05$", "$31$")).verify(b"U*U"));
}

#[test]
fn bcrypt_looks_at_72_bytes_and_we_at_all() {
    let long = "0123456789ab".repeat(6);
    let password = Password::chosen(Zeroizing::new(long.clone()), "t").unwrap();
    let hash = Hash::bcrypt(&password, 4, [7; 16]);
    assert!(hash.reveal().starts_with("$2y$04$"));
    assert!(hash.verify(long.as_bytes()));
    assert!(!hash.verify(format!("{long}x").as_bytes()), "the same to bcrypt");
}

#[test]
fn a_file_is_read_as_nginx_reads_it() {
    let text = format!("# tenants\r\n\r\nacme:{U_U}:since May\r\n  # more\r\nb c:{{SHA}}x=\r\nüber:{U_U}");
    let file = File::parse(text.as_bytes());
    assert_eq!(file.problems(), []);
    let read: Vec<_> = file.entries().iter().map(|entry| (entry.line(), entry.name(), entry.hash().reveal())).collect();
    assert_eq!(read, [(3, "acme", U_U), (5, "b c", "{SHA}x="), (6, "über", U_U)]);
    for entry in file.entries() {
        assert_eq!(&text[entry.hash_span()], entry.hash().reveal());
        assert_eq!(&text[entry.name_span()], entry.name());
    }
    assert!(file.entry("acme").is_some() && file.entry("Acme").is_none() && file.entry("").is_none());
    assert_eq!(File::parse(b"").entries(), []);
}

#[test]
fn every_unreadable_line_is_named_without_what_it_holds() {
    let mut text =
        format!("a:{U_U}\nhunter2\n:{U_U}\n b:{U_U}\nc\u{7}:{U_U}\nd:\na:{U_U}\ne:$2y$10$short\n").into_bytes();
    text.extend_from_slice(b"\xff\xfe:x\n");
    text.extend_from_slice(format!("{}:x\n", "n".repeat(129)).as_bytes());
    let problems = lines_of_problems(&text);
    assert_eq!(
        problems,
        [
            "2: it has no `:` between a name and a hash",
            "3: its name is empty",
            "4: its name begins or ends with a blank",
            "5: its name has a control character",
            "6: tenant `d` has no hash",
            "7: tenant `a` stands in line 1 already",
            "8: the hash of tenant `e` is not a whole bcrypt hash",
            "9: it is not UTF-8 text",
            "10: its name has more than 128 bytes",
        ]
    );
}

#[test]
fn names_that_cannot_be_one_are_refused() {
    for (name, reason) in [
        ("", "is empty"),
        ("a:b", "has a `:`, where Basic authentication ends the name"),
        (" a", "begins or ends with a blank"),
        ("a\t", "begins or ends with a blank"),
        ("a\nb", "has a control character"),
        ("a\u{202e}b", "has a control character"),
        ("a\u{200b}", "has a control character"),
        ("#a", "begins with `#`, as a comment does"),
        (&"n".repeat(129), "has more than 128 bytes"),
    ] {
        assert_eq!(check_name(name).unwrap_err().to_string(), reason);
    }
    for name in ["acme", "acme corp", "ünï", "a#b", "a@b.example", &"n".repeat(128)] {
        assert_eq!(check_name(name), Ok(()));
    }
}

#[test]
fn an_edit_touches_one_line() {
    let (old, new) = (Hash::new(U_U), Hash::new("NEW"));
    let before = format!("# x\r\n\r\na:{U_U}:note\r\nbroken\r\nb:{U_U}\r\n");
    let file = File::parse(before.as_bytes());
    let edited = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert_eq!(edited(file.with("a", &new).unwrap()), format!("# x\r\n\r\na:NEW:note\r\nbroken\r\nb:{U_U}\r\n"));
    assert_eq!(edited(file.with("c", &new).unwrap()), format!("{before}c:NEW\r\n"));
    assert_eq!(edited(file.without("a").0), format!("# x\r\n\r\nbroken\r\nb:{U_U}\r\n"));
    assert_eq!(file.without("none"), (before.clone().into_bytes(), 0));
    assert_eq!(file.with("a:b", &old), Err(NameError::Colon));
    // A last line without its end gets one.
    assert_eq!(edited(File::parse(b"a:x").with("b", &new).unwrap()), "a:x\nb:NEW\n");
    assert_eq!(edited(File::parse(b"").with("b", &new).unwrap()), "b:NEW\n");
}

#[test]
fn a_name_that_stands_twice_is_one_afterwards_and_none_when_removed() {
    let file = File::parse(b"a:1\nb:2\na:3\nc:4\n a :5\na:\n");
    assert_eq!(file.entry("a").unwrap().hash().reveal(), "1");
    assert_eq!(file.with("a", &Hash::new("N")).unwrap(), b"a:N\nb:2\nc:4\n a :5\na:\n");
    assert_eq!(file.without("a"), (b"b:2\nc:4\n".to_vec(), 4));
}

#[test]
fn a_file_verifies_with_the_work_of_its_highest_cost() {
    let password = Password::generated(&[9; RANDOM_BYTES]);
    let file = File::parse(format!("a:{}\nb:{U_U}\n", Hash::bcrypt(&password, 7, [1; 16]).reveal()).as_bytes());
    assert_eq!(file.highest_cost(), 7);
    assert_eq!(file.verify("a", password.reveal().as_bytes()).map(Entry::name), Some("a"));
    assert_eq!(file.verify("b", b"U*U").map(Entry::name), Some("b"));
    assert!(file.verify("b", password.reveal().as_bytes()).is_none());
    assert!(file.verify("nobody", b"U*U").is_none());
    assert_eq!(File::parse(b"a:plain\n").highest_cost(), DEFAULT_COST);
    assert_eq!(
        File::parse(U_U.replace("$05$", "$31$").replacen('$', "a:$", 1).as_bytes()).highest_cost(),
        DEFAULT_COST
    );
}

#[test]
fn chosen_passwords_are_judged() {
    let judged = |text: &str| Password::chosen(Zeroizing::new(text.to_owned()), "acme-corporation").err();
    for (text, reason) in [
        ("", "it is empty"),
        ("abc\0defghijklmn", "it has a NUL, where bcrypt stops reading"),
        ("two\nlines of text", "it has more than one line"),
        ("bell\u{7}bell-and-more", "it has a control character"),
        ("short-one", "it has 9 characters, fewer than 12"),
        ("ChangeMe", "it is a password that everybody knows, or the tenant's own name"),
        ("change-me:mirror-acme", "it is a password that everybody knows, or the tenant's own name"),
        ("Acme-Corporation", "it is a password that everybody knows, or the tenant's own name"),
        ("aaaaaaaaaaaaaaaa", "it is a password that everybody knows, or the tenant's own name"),
    ] {
        assert_eq!(judged(text).map(|error| error.to_string()).as_deref(), Some(reason), "{text}");
    }
    assert_eq!(judged(&"x1".repeat(37)).unwrap().to_string(), "it has 74 bytes, and bcrypt does not look beyond 72");
    assert_eq!(judged("horse staple battery"), None);
    assert_eq!(judged("zwölf Zeichen"), None);
}

#[test]
fn generated_passwords_use_all_their_bits() {
    assert_eq!(Password::generated(&[0; RANDOM_BYTES]).reveal(), "0".repeat(32));
    assert_eq!(Password::generated(&[255; RANDOM_BYTES]).reveal(), "z".repeat(32));
    let random = std::array::from_fn(|index| u8::try_from(index * 13).unwrap());
    let text = Password::generated(&random).reveal().to_owned();
    assert_eq!(text.len(), 32);
    // One bit changes one character: nothing is thrown away.
    for bit in 0..RANDOM_BYTES * 8 {
        let mut other = random;
        other[bit / 8] ^= 1 << (bit % 8);
        let other = Password::generated(&other).reveal().to_owned();
        assert_eq!(text.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count(), 1, "bit {bit}");
    }
}
