//! One hash of an htpasswd file: what it is, how strong it is, and whether a password opens it.

use std::fmt;

use super::Password;

/// What new hashes get. The verifier runs bcrypt once per tenant and lifetime of its memory, not once per request, so that a quarter
/// of a second is cheap for us; to whoever guesses from a stolen file it is four times the work of [`LEAST_COST`].
pub const DEFAULT_COST: u32 = 12;

/// Below this, a stolen file gives way too fast: 2^10 rounds are what OWASP asks of bcrypt at least.
pub const LEAST_COST: u32 = 10;

/// Above this, one check takes more than two seconds of a core: whoever knows one name could keep all cores busy.
pub const MOST_COST: u32 = 15;

/// bcrypt does not look at what comes after; see `PasswordError::TooLong`.
pub const MOST_PASSWORD_BYTES: usize = 72;

/// How a password is kept, by the name that people know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// `$2a$`, `$2b$`, `$2y$`: all the same for what we write and check.
    Bcrypt,
    /// `$2x$`: written by the library that mistook every byte above 127.
    Bcrypt2x,
    /// `$2…` but not a bcrypt hash: cut, or of another alphabet.
    BcryptDamaged,
    /// `$apr1$`: Apache's MD5, the default of `htpasswd`.
    Apr1,
    /// `$1$`.
    Md5Crypt,
    /// `{SHA}`: one round, no salt.
    Sha1,
    /// `{SSHA}`: one round.
    Ssha,
    /// `$5$`.
    Sha256Crypt,
    /// `$6$`.
    Sha512Crypt,
    /// `$y$`, `$gy$`.
    Yescrypt,
    /// `$7$`.
    Scrypt,
    /// `$argon2…$`.
    Argon2,
    /// `{PLAIN}`: the password itself.
    Plain,
    /// Thirteen characters of crypt's alphabet: `htpasswd -d`, or a password of that length.
    DesCrypt,
    /// Anything else, most likely the password itself.
    Unknown,
}

impl Form {
    /// As the tools that write it call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bcrypt => "bcrypt",
            Self::Bcrypt2x => "bcrypt 2x",
            Self::BcryptDamaged => "damaged bcrypt",
            Self::Apr1 => "apr1",
            Self::Md5Crypt => "md5-crypt",
            Self::Sha1 => "sha1",
            Self::Ssha => "ssha",
            Self::Sha256Crypt => "sha256-crypt",
            Self::Sha512Crypt => "sha512-crypt",
            Self::Yescrypt => "yescrypt",
            Self::Scrypt => "scrypt",
            Self::Argon2 => "argon2",
            Self::Plain => "plain text",
            Self::DesCrypt => "des-crypt",
            Self::Unknown => "unknown",
        }
    }

    fn of(text: &str) -> Self {
        const PREFIXES: &[(&str, Form)] = &[
            ("$apr1$", Form::Apr1),
            ("$1$", Form::Md5Crypt),
            ("{SHA}", Form::Sha1),
            ("{SSHA}", Form::Ssha),
            ("{PLAIN}", Form::Plain),
            ("$5$", Form::Sha256Crypt),
            ("$6$", Form::Sha512Crypt),
            ("$y$", Form::Yescrypt),
            ("$gy$", Form::Yescrypt),
            ("$7$", Form::Scrypt),
            ("$argon2", Form::Argon2),
        ];
        if text.starts_with("$2") {
            return match cost_of_bcrypt(text) {
                None => Self::BcryptDamaged,
                Some(_) if text.starts_with("$2x$") => Self::Bcrypt2x,
                Some(_) => Self::Bcrypt,
            };
        }
        if let Some((_, form)) = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix)) {
            return *form;
        }
        let of_crypt = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
        if text.len() == 13 && text.bytes().all(of_crypt) { Self::DesCrypt } else { Self::Unknown }
    }
}

/// The cost of a well-formed bcrypt hash.
fn cost_of_bcrypt(text: &str) -> Option<u32> {
    let digits = text.get(4..6).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    text.parse::<bcrypt::HashParts>().ok()?;
    digits.parse().ok().filter(|cost| (4..=31).contains(cost))
}

/// Why a hash should be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Not bcrypt: fast to guess, or the password itself. The verifier lets nobody in with it.
    Form(Form),
    /// Below [`LEAST_COST`].
    CostTooLow(u32),
    /// Above [`MOST_COST`]. The verifier lets nobody in with it.
    CostTooHigh(u32),
}

impl fmt::Display for Weakness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(Form::Unknown) => f.write_str("not a hash that is known, perhaps the password itself"),
            Self::Form(Form::Plain) => f.write_str("the password itself, not a hash"),
            Self::Form(Form::BcryptDamaged) => f.write_str("not a whole bcrypt hash"),
            Self::Form(Form::Bcrypt2x) => f.write_str("bcrypt of the faulty kind `2x`"),
            Self::Form(form) => write!(f, "{}, not bcrypt", form.name()),
            Self::CostTooLow(cost) => write!(f, "bcrypt of cost {cost}, below {LEAST_COST}"),
            Self::CostTooHigh(cost) => write!(f, "bcrypt of cost {cost}, above {MOST_COST}"),
        }
    }
}

/// The second field of a line. Not a secret, but what guessing starts from: it has no `Display`, and its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    text: String,
    form: Form,
}

impl Hash {
    /// Any second field is a hash of some form; what is wrong with it, [`weakness`](Self::weakness) says.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { form: Form::of(text), text: text.to_owned() }
    }

    /// The bcrypt hash (`$2y$`) of a password. The salt must be random and used once.
    ///
    /// # Panics
    /// Never: a cost outside 4 … [`MOST_COST`] is brought inside, and a [`Password`] is short enough.
    #[must_use]
    pub fn bcrypt(password: &Password, cost: u32, salt: [u8; 16]) -> Self {
        let cost = cost.clamp(4, MOST_COST);
        let text = bcrypt::hash_with_salt(password.reveal(), cost, salt)
            .map_or_else(|_| String::new(), |parts| parts.format_for_version(bcrypt::Version::TwoY));
        Self::new(&text)
    }

    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// The cost of a bcrypt hash: the logarithm to base 2 of its rounds.
    #[must_use]
    pub fn cost(&self) -> Option<u32> {
        matches!(self.form, Form::Bcrypt | Form::Bcrypt2x).then(|| cost_of_bcrypt(&self.text)).flatten()
    }

    /// Whether the password is the one of this hash. Only bcrypt up to [`MOST_COST`] is tried; all else is "no", at once. Takes the
    /// time of the hash's cost, whatever the password is. For a name of a file, prefer [`File::verify`](super::File::verify).
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let usable = self.form == Form::Bcrypt && self.cost().is_some_and(|cost| cost <= MOST_COST);
        // Both are worked out before they are judged, so that what is refused costs no less than what is wrong.
        let opens = usable && bcrypt::verify(password, &self.text).unwrap_or(false);
        opens && password.len() <= MOST_PASSWORD_BYTES && !password.contains(&0)
    }

    /// Why it should be replaced.
    #[must_use]
    pub fn weakness(&self) -> Option<Weakness> {
        match (self.form, self.cost()) {
            (Form::Bcrypt, Some(cost)) if cost < LEAST_COST => Some(Weakness::CostTooLow(cost)),
            (Form::Bcrypt, Some(cost)) if cost > MOST_COST => Some(Weakness::CostTooHigh(cost)),
            (Form::Bcrypt, Some(_)) => None,
            (form, _) => Some(Weakness::Form(form)),
        }
    }

    /// The field as it stands in the file. Only for writing such a file.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({}, …)", self.form.name())
    }
}

/// Does the work of one check at this cost, and finds nothing: what an unknown name costs. Costs outside 4 … [`MOST_COST`] are brought
/// inside.
pub fn spend(cost: u32, password: &[u8]) {
    let salt = [0x5a; 16];
    // The result must not be thrown away before it is worked out.
    let _ = std::hint::black_box(bcrypt::hash_with_salt(password, cost.clamp(4, MOST_COST), salt));
}
