//! Hashes, passwords, ciphers and random values.

use aes::Aes256;
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding};
use gotemplate::{FunctionError, Value};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use source::Text;

use super::base_n;
use super::call::Call;
use super::go::{Answer, derived};
use super::random::{Random, hash};
use super::slow::HASHES;

/// Longest random text. Secrets have tens of characters; a mebibyte bounds the work of a hostile count.
const MOST_RANDOM: i64 = 1 << 20;

/// Work factor of `bcrypt`: the original's default.
const BCRYPT_COST: u32 = 10;

/// AES works on blocks of 16 bytes.
const BLOCK: usize = 16;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hashed<D: Digest>(call: &Call<'_, '_>) -> Answer {
    Ok(derived(hexadecimal(&D::digest(&*call.bytes(0))).into_bytes(), &[call.value(0)]))
}

pub(crate) fn sha1sum(call: &mut Call<'_, '_>) -> Answer {
    hashed::<Sha1>(call)
}

pub(crate) fn sha256sum(call: &mut Call<'_, '_>) -> Answer {
    hashed::<Sha256>(call)
}

pub(crate) fn sha512sum(call: &mut Call<'_, '_>) -> Answer {
    hashed::<Sha512>(call)
}

pub(crate) fn adler32sum(call: &mut Call<'_, '_>) -> Answer {
    const MODULUS: u32 = 65_521;
    let (a, b) = call.bytes(0).iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % MODULUS;
        (a, (b + a) % MODULUS)
    });
    Ok(derived((b << 16 | a).to_string().into_bytes(), &[call.value(0)]))
}

/// A bcrypt hash with a random salt, or the words of the original's failure.
fn bcrypted(call: &Call<'_, '_>, password: &[u8]) -> Result<Vec<u8>, FunctionError> {
    call.note_nondeterministic();
    if password.len() > 72 {
        return Ok("failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".into());
    }
    let functions = call.functions;
    functions.slow_work.spend(17)?;
    let make = |random: &Random| {
        Ok(match ::bcrypt::hash_with_salt(password, BCRYPT_COST, random.array()?) {
            Ok(hash) => hash.format_for_version(::bcrypt::Version::TwoA).into_bytes(),
            Err(error) => format!("failed to encrypt string with bcrypt: {error}").into_bytes(),
        })
    };
    let hash = functions.slow_work.make(&HASHES, &functions.random, ("bcrypt", password), make);
    Ok(hash?.to_vec())
}

pub(crate) fn bcrypt(call: &mut Call<'_, '_>) -> Answer {
    let hash = bcrypted(call, &call.bytes(0))?;
    Ok(derived(hash, &[call.value(0)]))
}

pub(crate) fn htpasswd(call: &mut Call<'_, '_>) -> Answer {
    let user = call.text(0);
    if user.contains(':') {
        return Ok(format!("invalid username: {user}").into());
    }
    let hash = bcrypted(call, &call.bytes(1))?;
    Ok(derived([user.as_bytes(), b":", &hash].concat(), &[call.value(0), call.value(1)]))
}

/// A random text of characters from `alphabet`.
fn random_text(call: &mut Call<'_, '_>, alphabet: &[u8]) -> Answer {
    call.note_nondeterministic();
    let count = call.int(0);
    if count > MOST_RANDOM {
        return Err(FunctionError::limit(format!("a random text may have at most {MOST_RANDOM} characters")));
    }
    let count = usize::try_from(count).unwrap_or(0);
    call.exec.charge(count)?;
    let size = u64::try_from(alphabet.len()).unwrap_or(1);
    let mut text = String::with_capacity(count);
    for _ in 0..count {
        let index = usize::try_from(call.functions.random.below(size)?).unwrap_or(0);
        text.push(alphabet.get(index).map_or('?', |byte| char::from(*byte)));
    }
    Ok(call.drawn(text).into())
}

fn characters(wanted: fn(&u8) -> bool) -> Vec<u8> {
    (b' '..=b'~').filter(wanted).collect()
}

pub(crate) fn rand_alpha_num(call: &mut Call<'_, '_>) -> Answer {
    random_text(call, &characters(u8::is_ascii_alphanumeric))
}

pub(crate) fn rand_alpha(call: &mut Call<'_, '_>) -> Answer {
    random_text(call, &characters(u8::is_ascii_alphabetic))
}

pub(crate) fn rand_numeric(call: &mut Call<'_, '_>) -> Answer {
    random_text(call, &characters(u8::is_ascii_digit))
}

pub(crate) fn rand_ascii(call: &mut Call<'_, '_>) -> Answer {
    random_text(call, &characters(|_| true))
}

pub(crate) fn rand_bytes(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    let count = call.int(0);
    if count > MOST_RANDOM {
        return Err(FunctionError::limit(format!("at most {MOST_RANDOM} random bytes can be made at once")));
    }
    let Ok(count) = usize::try_from(count) else { return Err("runtime error: makeslice: len out of range".into()) };
    let mut bytes = vec![0; count];
    call.functions.random.fill(&mut bytes)?;
    Ok(call.drawn(base_n::base64(&bytes)).into())
}

pub(crate) fn rand_int(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    let (least, bound) = (call.int(0), call.int(1));
    match u64::try_from(bound.wrapping_sub(least)) {
        Ok(span) if span > 0 => {
            let offset = i64::try_from(call.functions.random.below(span)?).unwrap_or(0);
            Ok(Value::int(least.wrapping_add(offset)))
        }
        _ => Err("invalid argument to Intn".into()),
    }
}

pub(crate) fn shuffle(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    let text = call.text(0);
    let mut characters: Vec<char> = text.chars().collect();
    for index in (1..characters.len()).rev() {
        let bound = u64::try_from(index).unwrap_or(0) + 1;
        let other = usize::try_from(call.functions.random.below(bound)?).unwrap_or(0);
        characters.swap(index, other);
    }
    Ok(Text::derived_from(characters.into_iter().collect::<String>(), [&text]).into())
}

pub(crate) fn uuidv4(call: &mut Call<'_, '_>) -> Answer {
    call.note_nondeterministic();
    let mut bytes: [u8; 16] = call.functions.random.array()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hexadecimal(&bytes);
    let text = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    Ok(call.drawn(text).into())
}

fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    key
}

pub(crate) fn encrypt_aes(call: &mut Call<'_, '_>) -> Answer {
    let plain = call.bytes(1);
    if plain.is_empty() {
        return Ok("".into());
    }
    call.note_nondeterministic();
    let start: [u8; BLOCK] = call.functions.random.array()?;
    let padding = BLOCK - plain.len() % BLOCK;
    let mut content = plain.to_vec();
    content.extend(std::iter::repeat_n(u8::try_from(padding).unwrap_or(0), padding));
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(&call.bytes(0)).into(), &start.into());
    let encrypted = cipher.encrypt_padded_vec::<NoPadding>(&content);
    let encoded = base_n::base64(&[&start[..], &encrypted].concat());
    Ok(derived(encoded.into_bytes(), &[call.value(0), call.value(1)]))
}

pub(crate) fn decrypt_aes(call: &mut Call<'_, '_>) -> Answer {
    if call.bytes(1).is_empty() {
        return Ok("".into());
    }
    let crypt = base_n::from_base64(&call.bytes(1))?;
    let Some((start, content)) = crypt.split_first_chunk::<BLOCK>() else {
        let capacity = call.bytes(1).len() / 4 * 3;
        return Err(format!("runtime error: slice bounds out of range [:{BLOCK}] with capacity {capacity}").into());
    };
    if content.len() % BLOCK != 0 {
        return Err("crypto/cipher: input not full blocks".into());
    }
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(&call.bytes(0)).into(), &(*start).into());
    let plain = cipher
        .decrypt_padded_vec::<NoPadding>(content)
        .map_err(|_| FunctionError::new("crypto/cipher: input not full blocks"))?;
    let Some(last) = plain.last() else { return Err("runtime error: index out of range [-1]".into()) };
    let padding = usize::from(*last);
    let Some(length) = plain.len().checked_sub(padding) else {
        let end = i64::try_from(plain.len()).unwrap_or(0) - i64::from(*last);
        return Err(format!("runtime error: slice bounds out of range [:{end}]").into());
    };
    Ok(derived(plain[..length].to_vec(), &[call.value(0), call.value(1)]))
}

/// The templates of the Master Password algorithm, by type.
fn password_templates(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn template_characters(class: u8) -> &'static [u8] {
    match class {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// The Master Password algorithm: a site's password from a master password.
pub(crate) fn derive_password(call: &mut Call<'_, '_>) -> Answer {
    const SCOPE: &[u8] = b"com.lyndir.masterpassword";
    // A constant beyond 32 bits loses its upper half, as Go's `reflect` sets it.
    let counter = match call.value(0) {
        Value::Uint(_, number) => (*number & u64::from(u32::MAX)) as u32,
        _ => 0,
    };
    let kind = call.text(1);
    let Some(templates) = password_templates(&kind) else {
        return Ok(format!("cannot find password template {kind}").into());
    };
    let (password, user, site) = (call.bytes(2), call.bytes(3), call.bytes(4));
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SCOPE, &length(&user), &user].concat();
    call.functions.slow_work.spend(35)?;
    let key = HASHES.obtain(hash(&[b"derivePassword", &password, &salt]), || {
        let mut key = vec![0; 64];
        // Cost 2¹⁵, 8, 2: fixed by the algorithm; 32 MiB and a fraction of a second.
        ::scrypt::Params::new(15, 8, 2)
            .map_err(|error| error.to_string())
            .and_then(|params| ::scrypt::scrypt(&password, &salt, &params, &mut key).map_err(|error| error.to_string()))
            .map(|()| key)
            .map_err(FunctionError::new)
    });
    let key = match key {
        Ok(key) => key,
        Err(error) => return Ok(format!("failed to derive password: {error}").into()),
    };
    let message = [SCOPE, &length(&site), &site, &counter.to_be_bytes()].concat();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return Ok("".into()) };
    mac.update(&message);
    let seed = mac.finalize().into_bytes();
    let pick = |index: usize, count: usize| usize::from(seed.get(index).copied().unwrap_or(0)) % count;
    let template = templates[pick(0, templates.len())];
    let text: Vec<u8> = template
        .bytes()
        .enumerate()
        .map(|(index, class)| {
            let characters = template_characters(class);
            characters[pick(index + 1, characters.len())]
        })
        .collect();
    Ok(derived(text, &[call.value(2), call.value(3), call.value(4)]))
}
