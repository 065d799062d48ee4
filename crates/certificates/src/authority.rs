use std::time::Duration;

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;

use crate::algorithm::Algorithm;
use crate::error::{Error, ErrorKind};
use crate::key::PrivateKey;
use crate::san::San;
use crate::validity::Validity;

/// A certificate authority in memory: its certificate and its key.
///
/// It issues what it is asked for. Whether that is wise, such as a certificate that outlives its issuer, is decided by who asks.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    validity: Validity,
}

/// What a certificate is to say.
#[derive(Clone, Debug)]
pub struct Leaf {
    pub common_name: String,
    /// The names it is valid for. Verifiers of servers look at these only, never at the common name.
    pub sans: Vec<San>,
    /// What its holder may do with it.
    pub usages: Vec<Usage>,
    pub algorithm: Algorithm,
    pub validity: Validity,
}

/// What a certificate may be used for (`extendedKeyUsage`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Usage {
    /// To show that one is a server.
    Server,
    /// To show who a client is.
    Client,
}

/// A certificate and its key, as PEM texts.
#[derive(Clone, Debug)]
pub struct Issued {
    pub certificate_pem: String,
    pub key: PrivateKey,
}

/// Bytes of a serial number: 128 random bits cannot be guessed and do not repeat. RFC 5280 allows 20.
const SERIAL_BYTES: usize = 16;

impl Authority {
    /// A new authority. Its name ends in random letters, so that an old one and its successor can be told apart by name too.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn new(algorithm: Algorithm, validity: Validity) -> Result<Self, Error> {
        let mut mark = [0; 4];
        random(&mut mark)?;
        Self::named(&format!("collimate development CA {:08x}", u32::from_be_bytes(mark)), algorithm, validity)
    }

    /// A new authority of this common name.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn named(common_name: &str, algorithm: Algorithm, validity: Validity) -> Result<Self, Error> {
        let mut params = params(common_name, validity)?;
        // No authority below this one: it signs leafs only.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = algorithm.new_key()?;
        let certificate = params.self_signed(&key).map_err(|error| failed("sign a certificate", &error))?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            certificate: certificate.into(),
            issuer: Issuer::new(params, key),
            validity,
        })
    }

    /// An authority that was made before, from the texts of its two files.
    ///
    /// # Errors
    /// If one of them is not what it has to be, or they do not belong together.
    pub(crate) fn read(certificate_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let unusable = |reason: &str| Error::new(ErrorKind::Crypto { what: "use the CA", reason: reason.to_owned() });
        if key_pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || key_pem.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(unusable("its key is encrypted with a passphrase"));
        }
        let key = KeyPair::from_pem(key_pem).map_err(|_| unusable("its key cannot be read"))?;
        let block =
            crate::pem::first_certificate(certificate_pem).ok_or_else(|| unusable("its certificate cannot be read"))?;
        let certificate = CertificateDer::from(block);
        let facts = crate::certificate::Certificate::parse(&certificate)
            .map_err(|_| unusable("its certificate cannot be read"))?;
        if facts.public_key != rcgen::PublicKeyData::der_bytes(&key) {
            return Err(unusable("its key and its certificate do not belong together"));
        }
        let issuer =
            Issuer::from_ca_cert_der(&certificate, key).map_err(|_| unusable("its certificate cannot be read"))?;
        Ok(Self { issuer, certificate, certificate_pem: certificate_pem.to_owned(), validity: facts.validity })
    }

    /// Its certificate as a PEM text: what others are to trust.
    #[must_use]
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Its certificate as DER.
    #[must_use]
    pub fn certificate_der(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> PrivateKey {
        PrivateKey::new(self.issuer.key().serialize_pem())
    }

    /// From when to when it is valid.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// The kind of its key.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::of(self.issuer.key())
    }

    /// A new key and a certificate for it.
    ///
    /// # Errors
    /// If the operating system gives no random bytes, or a name cannot be written into a certificate.
    pub fn issue(&self, leaf: &Leaf) -> Result<Issued, Error> {
        let mut params = params(&leaf.common_name, leaf.validity)?;
        params.subject_alt_names = leaf.sans.iter().map(san).collect::<Result<_, _>>()?;
        // Said outright rather than by silence: some verifiers take a certificate without the extension for an old authority.
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if leaf.algorithm == Algorithm::Rsa {
            // TLS 1.2 may transport a key with RSA instead of signing.
            params.key_usages.push(KeyUsagePurpose::KeyEncipherment);
        }
        params.extended_key_usages = leaf.usages.iter().map(|usage| usage.purpose()).collect();
        let key = leaf.algorithm.new_key()?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(|error| failed("sign a certificate", &error))?;
        Ok(Issued { certificate_pem: certificate.pem(), key: PrivateKey::new(key.serialize_pem()) })
    }
}

impl Usage {
    /// Its word in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    fn purpose(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }
    }
}

/// What all certificates have in common.
fn params(common_name: &str, validity: Validity) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let mut serial = [0; SERIAL_BYTES];
    random(&mut serial)?;
    // A positive number without a leading zero byte, so that it has the same length everywhere.
    serial[0] = serial[0] & 0x7f | 0x40;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    // `rcgen` speaks `time`, this program `jiff`; seconds since 1970 are common to both.
    let moment = |time: Timestamp| {
        let seconds = Duration::from_secs(time.as_second().unsigned_abs());
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        if time.as_second() < 0 { epoch - seconds } else { epoch + seconds }
    };
    params.not_before = moment(validity.not_before);
    params.not_after = moment(validity.not_after);
    Ok(params)
}

fn san(san: &San) -> Result<SanType, Error> {
    Ok(match san {
        San::Dns(name) => SanType::DnsName(
            name.as_str().try_into().map_err(|error| failed("write a name into a certificate", &error))?,
        ),
        San::Ip(address) => SanType::IpAddress(*address),
    })
}

pub(crate) fn random(bytes: &mut [u8]) -> Result<(), Error> {
    getrandom::fill(bytes)
        .map_err(|error| Error::new(ErrorKind::Crypto { what: "get random bytes", reason: error.to_string() }))
}

fn failed(what: &'static str, error: &rcgen::Error) -> Error {
    Error::new(ErrorKind::Crypto { what, reason: error.to_string() })
}
