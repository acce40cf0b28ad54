//! The claims of a proof.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use url::Url;

use super::cause::DpopCause;
use crate::domain::time::clock::Timestamp;
use crate::domain::values::members::Members;

/// The longest `jti`, in bytes. Libraries send 22 to 43, some put more into it.
const LONGEST_ID: usize = 128;

/// What a proof claims. Claims that are not named here are accepted and not looked at, `exp` and `nbf` among them: they
/// are by the device's clock, which is minutes off.
pub struct DpopClaims {
    pub jti: String,
    /// Method that the proof is for.
    pub htm: String,
    /// Address that the proof is for, without query and fragment.
    pub htu: Url,
    pub iat: Timestamp,
    /// SHA-256 of the token that the proof goes with.
    pub ath: Option<[u8; 32]>,
    pub nonce: Option<String>,
}

impl DpopClaims {
    /// Reads the claims.
    ///
    /// # Errors
    /// If a claim is missing, is there twice, or is of another type.
    pub fn read(json: &str) -> Result<Self, DpopCause> {
        let claims = Members::read(json, DpopCause::ClaimsMalformed, DpopCause::ClaimDoubled)?;
        let jti: String = claims.required("jti", DpopCause::JtiMissing, DpopCause::JtiMalformed)?;
        if !(1..=LONGEST_ID).contains(&jti.len()) {
            return Err(DpopCause::JtiMalformed);
        }
        let htm = claims.required("htm", DpopCause::HtmMissing, DpopCause::HtmMalformed)?;
        let htu: String = claims.required("htu", DpopCause::HtuMissing, DpopCause::HtuMalformed)?;
        // RFC 7519 §2: a date may have a fraction.
        let iat: f64 = claims.required("iat", DpopCause::IatMissing, DpopCause::IatMalformed)?;
        let iat = Duration::try_from_secs_f64(iat).map_err(|_| DpopCause::IatMalformed)?;
        let ath: Option<String> = claims.optional("ath", DpopCause::AthMalformed)?;
        Ok(Self {
            jti,
            htm,
            htu: address(&htu)?,
            iat: Timestamp::from_millis(0).plus(iat),
            ath: ath.as_deref().map(sha256).transpose()?,
            nonce: claims.optional("nonce", DpopCause::NonceMalformed)?,
        })
    }
}

/// The address as an HTTP client sees it, without query and fragment, which RFC 9449 §4.3 ignores.
fn address(text: &str) -> Result<Url, DpopCause> {
    let mut url = Url::parse(text).map_err(|_| DpopCause::HtuMalformed)?;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn sha256(text: &str) -> Result<[u8; 32], DpopCause> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| DpopCause::AthMalformed)?;
    bytes.try_into().map_err(|_| DpopCause::AthMalformed)
}
