//! Registering a passkey.

use super::{BrowserAnswer, Passkeys, descriptors, items};
use crate::domain::{
    AccountName, Action, Ceremony, CeremonyKind, CreationOptions, DisplayName, EventType, Hint, NewPasskey, Passkey,
    PasskeyCause, PasskeyName, PersonRef, RelayPerson, RelyingParty, StoredPasskey, Tenant, UserEntity, WebauthnOrigin,
    challenge_of, credential_id_of, verify_registration,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{ATTEMPTS, Commit, Condition, Transaction};
use crate::store::people::{self, MOST_PASSKEYS, PasskeyEntry, StoredPerson};

/// The name of a passkey for which none was given, and whose provider is not known.
const UNNAMED: &str = "Passkey";

/// What a person is to register.
#[derive(Debug)]
pub struct RegistrationRequest<'a> {
    pub of: &'a PersonRef,
    pub origin: &'a WebauthnOrigin,
    pub username: AccountName,
    pub display_name: AccountName,
    pub hints: Vec<Hint>,
}

impl Passkeys<'_> {
    /// Begins the registration of a passkey: what the browser is asked for. A person that was never named is made. Two
    /// calls.
    ///
    /// # Errors
    /// If the tenant has no passkeys at that origin, if nobody has our id that was given, or if the person has as many
    /// passkeys as it may have.
    pub async fn begin_registration(&self, request: RegistrationRequest<'_>) -> Result<CreationOptions> {
        let RegistrationRequest { of, origin, username, display_name, hints } = request;
        for _ in 0..ATTEMPTS {
            let (tenant, found) = self.read(vec![people::key(self.tenant, of)]).await?;
            let rp_id = self.party(&tenant.configuration, origin)?;
            let known = people::find(self.tenant, of, &found)?;
            if known.as_ref().is_some_and(|known| known.passkeys.len() >= MOST_PASSKEYS) {
                return Err(Error::QuotaExceeded);
            }
            let person = self.person(of, known.as_ref())?;
            let (username, display_name) = (username.clone(), display_name.clone());
            let kind = CeremonyKind::Registration {
                person: person.clone(),
                username: username.clone(),
                display_name: display_name.clone(),
            };
            let ceremony = self.ceremony(kind, rp_id.clone(), origin)?;
            if !self.open(&ceremony, known.is_none().then_some(&person)).await? {
                // Somebody else has made the person in the meantime.
                continue;
            }
            let name = tenant.configuration.branding_display_name.as_ref().map(DisplayName::to_string);
            let party =
                RelyingParty { id: rp_id.clone(), name: name.unwrap_or_else(|| tenant.summary.name.to_string()) };
            let user = UserEntity {
                id: person.user_handle,
                name: username.to_string(),
                display_name: display_name.to_string(),
            };
            let exclude = descriptors(known.as_ref(), &rp_id);
            return Ok(CreationOptions::new(party, user, ceremony.challenge, exclude, hints));
        }
        Err(Error::StaleUpdate)
    }

    fn person(&self, of: &PersonRef, known: Option<&StoredPerson>) -> Result<RelayPerson> {
        match (known, of.backend_user_id()) {
            (Some(known), _) => Ok(known.person.clone()),
            (None, Some(id)) => Ok(RelayPerson::new(id.clone(), self.tenants.random)?),
            (None, None) => Err(Error::PersonNotFound),
        }
    }

    /// Writes a ceremony, and the person if it is new. Whether it was.
    async fn open(&self, ceremony: &Ceremony, new: Option<&RelayPerson>) -> Result<bool> {
        let item = items::ceremony(self.tenant, ceremony);
        let Some(person) = new else {
            // Its challenge is random: what is there already is this very item, and the answer to an attempt was lost.
            self.table.insert(item).await?;
            return Ok(true);
        };
        let mut transaction = Transaction::new();
        transaction.put(item, Condition::none());
        people::put(&mut transaction, self.tenant, person, self.change.at);
        Ok(matches!(self.table.commit(transaction).await?, Commit::Done))
    }

    /// Ends a registration: keeps the passkey, if the response is in order. Two calls.
    ///
    /// # Errors
    /// If it is not, if the tenant has no passkeys at that origin any more, or if the person has as many as it may
    /// have.
    pub async fn finish_registration(&self, answer: BrowserAnswer<'_>, name: Option<PasskeyName>) -> Result<Passkey> {
        let challenge = challenge_of(answer.credential)?;
        let id = credential_id_of(answer.credential)?;
        let keys = vec![items::ceremony_key(self.tenant, &challenge), items::passkey_key(self.tenant, &id)];
        let (tenant, found) = self.read(keys).await?;
        let Some(ceremony) = items::find_ceremony(self.tenant, &challenge, &found)? else {
            return Err(PasskeyCause::UnknownCeremony.into());
        };
        let known = items::find_passkey(self.tenant, &id, &found)?;
        let registered = match self.registered(&ceremony, &tenant, answer, name) {
            Ok(_) if known.is_some() => return self.refuse(&challenge, PasskeyCause::KnownCredential.into()).await,
            Ok(registered) => registered,
            Err(refusal) => return self.refuse(&challenge, refusal).await,
        };
        let mut transaction = Transaction::new();
        let taken = transaction.delete(items::ceremony_key(self.tenant, &challenge), Condition::exists());
        let put = transaction.put(items::passkey(self.tenant, &registered), Condition::is_new());
        let entry = PasskeyEntry {
            credential_id: id.clone(),
            rp_id: registered.rp_id.clone(),
            transports: registered.transports.clone(),
        };
        people::add_passkey(&mut transaction, self.tenant, &registered.person, &id.digest(), &entry);
        transaction.update(items::counted(self.tenant, &id, 1), Condition::none());
        self.record(&mut transaction, Action::PasskeyRegistered, &registered)?;
        self.owe(&mut transaction, &tenant, EventType::PasskeyRegistered, &registered)?;
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(registered),
            Commit::Refused(refused) if refused.failed(taken) => Err(PasskeyCause::UnknownCeremony.into()),
            Commit::Refused(refused) if refused.failed(put) => {
                self.refuse(&challenge, PasskeyCause::KnownCredential.into()).await
            }
            Commit::Refused(_) => self.refuse(&challenge, Error::QuotaExceeded).await,
        }
    }

    /// The passkey that a response makes, if it is in order.
    fn registered(
        &self,
        ceremony: &Ceremony,
        tenant: &Tenant,
        answer: BrowserAnswer<'_>,
        name: Option<PasskeyName>,
    ) -> Result<Passkey> {
        let CeremonyKind::Registration { person, username, display_name } = &ceremony.kind else {
            return Err(PasskeyCause::UnknownCeremony.into());
        };
        if answer.of.is_some_and(|of| !of.names(person)) {
            return Err(PasskeyCause::AnotherPerson.into());
        }
        let expected = self.expected(ceremony, tenant, &answer, Some(&person.user_handle))?;
        let new = verify_registration(&expected, answer.credential)?;
        let NewPasskey { credential_id, public_key, algorithm, counter, backup_eligible, .. } = new;
        let user_handle = person.user_handle.clone();
        let mut passkey = Passkey {
            stored: StoredPasskey { credential_id, public_key, algorithm, counter, backup_eligible, user_handle },
            person: person.clone(),
            rp_id: ceremony.rp_id.clone(),
            name: PasskeyName::from_stored(UNNAMED),
            username: username.clone(),
            display_name: display_name.clone(),
            aaguid: new.aaguid,
            transports: new.transports,
            backup_state: new.backup_state,
            created_at: self.change.at,
            last_used_at: None,
            revoked_at: None,
            revision: 1,
        };
        let provider = passkey.provider_name().map(PasskeyName::from_stored);
        if let Some(name) = name.or(provider) {
            passkey.name = name;
        }
        Ok(passkey)
    }
}
