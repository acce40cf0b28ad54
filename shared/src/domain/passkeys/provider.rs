//! Names of the programs and devices that keep passkeys, for lists that people read.

use super::ids::Aaguid;

/// Models and who makes them, from `passkey-authenticator-aaguids` (passkeydeveloper, combined list). Those that most
/// people have, and no more: the whole list is a moving target, and nothing depends on a name.
const PROVIDERS: [(&str, &str); 19] = [
    ("ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4", "Google Password Manager"),
    ("fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "Apple Passwords"),
    ("dd4ec289-e01d-41c9-bb89-70fa845d4bf2", "iCloud Keychain (Managed)"),
    ("08987058-cadc-4b81-b6e1-30de50dcbe96", "Windows Hello"),
    ("9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "Windows Hello"),
    ("6028b017-b1d4-4c02-b4b3-afcdafc96bb2", "Windows Hello"),
    ("bada5566-a7aa-401f-bd96-45619a55120d", "1Password"),
    ("d548826e-79b4-db40-a3d8-11116f7e8349", "Bitwarden"),
    ("531126d6-e717-415c-9320-3d9aa6981239", "Dashlane"),
    ("b84e4048-15dc-4dd0-8640-f4f60813c8af", "NordPass"),
    ("0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6", "Keeper"),
    ("f3809540-7f14-49c1-a8b3-8f813b225541", "Enpass"),
    ("53414d53-554e-4700-0000-000000000000", "Samsung Pass"),
    ("50726f74-6f6e-5061-7373-50726f746f6e", "Proton Pass"),
    ("fdb141b2-5d84-443e-8a35-4698c205a502", "KeePassXC"),
    ("adce0002-35bc-c60a-648b-0b25f1f05503", "Chrome on Mac"),
    ("771b48fd-d3d4-4f74-9232-fc157ab0507a", "Edge on Mac"),
    ("b5397666-4885-aa6b-cebf-e52262a439a2", "Chromium Browser"),
    ("891494da-2c90-4d31-a9cd-4eab0aed1309", "Sésame"),
];

/// Who makes passkeys of this model, if we know.
pub(super) fn provider_name(aaguid: &Aaguid) -> Option<&'static str> {
    PROVIDERS.iter().find(|(model, _)| *model == aaguid.as_str()).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_is_one_and_has_a_name() {
        for (place, (model, name)) in PROVIDERS.iter().enumerate() {
            let aaguid = Aaguid::parse(model).unwrap();
            assert_eq!(provider_name(&aaguid), Some(*name));
            assert!(PROVIDERS.iter().skip(place + 1).all(|(other, _)| other != model), "{model}");
        }
        assert_eq!(provider_name(&Aaguid::of([0; 16])), None);
    }
}
