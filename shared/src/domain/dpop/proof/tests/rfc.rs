//! The proofs that are printed in RFC 9449.

use super::*;

/// §4.2: to a token endpoint, without a token.
const FOR_TOKEN: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
    "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2Vu",
    "IiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37x",
    "RZT3Lg",
);

/// §7.1: to a resource, with a token.
const FOR_RESOURCE: &str = concat!(
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs",
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2",
    "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90",
    "ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFF",
    "byJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA",
);

#[test]
fn the_proofs_of_the_rfc_are_accepted_at_their_time() {
    let of_token = DpopCall {
        method: "POST",
        base_url: "https://server.example.com",
        path: "/token",
        presented: Presented::Nothing,
        freshness: Freshness::NonceOrClock,
        now: at(1_562_262_616_000),
    };
    let of_resource = DpopCall {
        method: "GET",
        base_url: "https://resource.example.org",
        path: "/protectedresource",
        presented: Presented::Bound(TOKEN),
        now: at(1_562_262_618_000),
        ..of_token
    };
    for (proof, call) in [(FOR_TOKEN, of_token), (FOR_RESOURCE, of_resource)] {
        let verify = |call: &DpopCall<'_>| UnverifiedDpopProof::parse(proof).unwrap().verify(call, &NONCES);
        let proof = verify(&call).unwrap();
        assert_eq!(proof.thumbprint().as_str(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
        assert_eq!(verify(&DpopCall { now: now(), ..call }).unwrap_err(), DpopCause::IatPast);
        assert_eq!(verify(&DpopCall { freshness: Freshness::Nonce, ..call }).unwrap_err(), DpopCause::NonceMissing);
    }
}
