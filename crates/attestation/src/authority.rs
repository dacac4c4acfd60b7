//! The names and keys of those who issue certificates.

use chrono::{DateTime, Utc};
use x509_cert::{
    Certificate,
    der::{self, Decode as _},
    ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier},
    name::Name,
    time::Time,
};

/// An authority of a root.
#[derive(Debug)]
pub(crate) struct Authority {
    /// Whose it is.
    pub(crate) organization: String,
    /// The name of its key (RFC 5280 section 4.2.1.2).
    pub(crate) key_id: Option<Vec<u8>>,
    /// When its certificate begins to be valid.
    pub(crate) since: Option<DateTime<Utc>>,
}

/// What a certificate says of itself; nothing of it is proven.
#[derive(Debug)]
pub(crate) struct Issued {
    /// Whose authority issued it.
    pub(crate) by: String,
    /// The name of the key that it was issued with (RFC 5280 section 4.2.1.1).
    pub(crate) key_id: Option<Vec<u8>>,
    /// When it begins to be valid.
    pub(crate) at: DateTime<Utc>,
    /// When it ends to be.
    pub(crate) until: DateTime<Utc>,
}

impl Authority {
    pub(crate) fn read(certificate: &[u8]) -> Result<Self, der::Error> {
        let certificate = Certificate::from_der(certificate)?;
        let said = certificate.tbs_certificate();
        let key_id = said.get_extension::<SubjectKeyIdentifier>()?.map(|(_, id)| id.0.into_bytes().into());
        Ok(Self { organization: organization(said.subject())?, key_id, since: moment(said.validity().not_before) })
    }
}

impl Issued {
    pub(crate) fn read(certificate: &[u8]) -> Result<Self, der::Error> {
        let certificate = Certificate::from_der(certificate)?;
        let said = certificate.tbs_certificate();
        let authority = said.get_extension::<AuthorityKeyIdentifier>()?.and_then(|(_, id)| id.key_identifier);
        let time = |time| moment(time).ok_or(der::ErrorKind::DateTime);
        Ok(Self {
            by: organization(said.issuer())?,
            key_id: authority.map(|id| id.into_bytes().into()),
            at: time(said.validity().not_before)?,
            until: time(said.validity().not_after)?,
        })
    }
}

/// The organisation in a name, or the whole name where there is none.
fn organization(name: &Name) -> Result<String, der::Error> {
    Ok(name.organization()?.map_or_else(|| name.to_string(), |organization| organization.value().into_owned()))
}

fn moment(time: Time) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(time.to_unix_duration().as_secs()).ok()?, 0)
}
