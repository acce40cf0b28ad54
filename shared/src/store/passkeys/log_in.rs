//! Logging in with a passkey.

use super::{BrowserAnswer, Passkeys, descriptors, items};
use crate::domain::{
    Action, Ceremony, CeremonyKind, Challenge, CredentialId, EventType, ExpectedResponse, Hint, Passkey, PasskeyCause,
    PersonRef, RequestOptions, Tenant, UnknownCredential, VerifiedLogin, WebauthnOrigin, challenge_of,
    credential_id_of, verify_login,
};
use crate::error::{CredentialRefusal, Error, Result};
use crate::store::dynamodb::{CONFLICT_ATTEMPTS, Commit, Condition, Transaction};
use crate::store::people;

/// A login that was accepted.
#[derive(Debug)]
pub struct LoggedIn {
    /// The passkey as it is after it.
    pub passkey: Passkey,
    /// Whether the authenticator verified the person.
    pub user_verified: bool,
}

/// How a response was judged.
enum Judged {
    Accepted(Box<Passkey>, VerifiedLogin),
    /// All of it is in order but for the counter.
    CounterBack(Box<Passkey>),
}

impl Passkeys<'_> {
    /// Begins a login of a person, or of anybody who has a passkey: what the browser is asked for. Two calls.
    ///
    /// A person of whom nothing is known is asked like one without passkeys, and is not made: names that people type
    /// into a login must not fill the table.
    ///
    /// # Errors
    /// If the tenant has no passkeys at that origin, or if nobody has our id that was given.
    pub async fn begin_login(
        &self,
        of: Option<&PersonRef>,
        origin: &WebauthnOrigin,
        hints: Vec<Hint>,
    ) -> Result<RequestOptions> {
        let key = of.map(|of| people::key(self.tenant, of));
        let (tenant, found) = self.read(key.into_iter().collect()).await?;
        let rp_id = self.party(&tenant.configuration, origin)?;
        let known = match of {
            Some(of) => people::find(self.tenant, of, &found)?,
            None => None,
        };
        let allow = descriptors(known.as_ref(), &rp_id);
        let ceremony = self.ceremony(CeremonyKind::Login(of.cloned()), rp_id.clone(), origin)?;
        // Its challenge is random: what is there already is this very item, and the answer to an attempt was lost.
        self.table.insert(items::ceremony(self.tenant, &ceremony)).await?;
        Ok(RequestOptions::new(rp_id, ceremony.challenge, allow, hints))
    }

    /// Ends a login: says whose it is, if the response is in order. Two calls; two more if another login with the same
    /// passkey was in between.
    ///
    /// # Errors
    /// If it is not, or if the tenant has no passkeys at that origin any more.
    pub async fn finish_login(&self, answer: BrowserAnswer<'_>) -> Result<LoggedIn> {
        let challenge = challenge_of(answer.credential)?;
        let id = credential_id_of(answer.credential)?;
        let keys = vec![items::ceremony_key(self.tenant, &challenge), items::passkey_key(self.tenant, &id)];
        let mut was_greater = false;
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let (tenant, found) = self.read(keys.clone()).await?;
            let Some(ceremony) = items::find_ceremony(self.tenant, &challenge, &found)? else {
                return Err(PasskeyCause::UnknownCeremony.into());
            };
            let Some(passkey) = items::find_passkey(self.tenant, &id, &found)? else {
                let unknown = self.unknown(&ceremony, &tenant, &answer, id);
                return self.refuse(&challenge, unknown).await;
            };
            let ended = match self.judge(&ceremony, &tenant, &answer, &passkey) {
                Ok(Judged::Accepted(after, login)) => {
                    was_greater = true;
                    let used = self.use_passkey(&challenge, &tenant, &passkey, &after, &login).await?;
                    used.then(|| Ok(LoggedIn { passkey: *after, user_verified: login.user_verified }))
                }
                Ok(Judged::CounterBack(after)) => {
                    let cause = if was_greater { PasskeyCause::CounterRace } else { PasskeyCause::CounterBack };
                    self.suspect(&challenge, &tenant, &passkey, &after).await?.then(|| Err(cause.into()))
                }
                Err(refusal) => return self.refuse(&challenge, refusal).await,
            };
            if let Some(outcome) = ended {
                return outcome;
            }
        }
        Err(Error::StaleUpdate)
    }

    /// The refusal of a passkey that nobody has. What is wrong with the ceremony comes first: the browser is told to
    /// hide a passkey only if that is all there is.
    fn unknown(
        &self,
        ceremony: &Ceremony,
        tenant: &Tenant,
        answer: &BrowserAnswer<'_>,
        credential_id: CredentialId,
    ) -> Error {
        let expected = match self.expected_login(ceremony, tenant, answer) {
            Ok(expected) => expected,
            Err(refusal) => return refusal,
        };
        let signal = UnknownCredential { rp_id: expected.rp_id.clone(), credential_id };
        refused(PasskeyCause::UnknownCredential, signal)
    }

    /// What a response to a login is held against.
    fn expected_login<'a>(
        &self,
        ceremony: &'a Ceremony,
        tenant: &Tenant,
        answer: &BrowserAnswer<'_>,
    ) -> Result<ExpectedResponse<'a>> {
        if !matches!(ceremony.kind, CeremonyKind::Login(_)) {
            return Err(PasskeyCause::UnknownCeremony.into());
        }
        self.expected(ceremony, tenant, answer, None)
    }

    /// Judges a response, and says what the passkey is after it.
    fn judge(
        &self,
        ceremony: &Ceremony,
        tenant: &Tenant,
        answer: &BrowserAnswer<'_>,
        passkey: &Passkey,
    ) -> Result<Judged> {
        let mut expected = self.expected_login(ceremony, tenant, answer)?;
        if passkey.revoked_at.is_some() {
            return Err(refused(PasskeyCause::RevokedCredential, passkey.unknown_credential()));
        }
        let named = match &ceremony.kind {
            CeremonyKind::Login(of) => of.as_ref(),
            CeremonyKind::Registration { .. } => None,
        };
        let is_owner = |of: &PersonRef| of.names(&passkey.person);
        if !named.is_none_or(is_owner) || !answer.of.is_none_or(is_owner) {
            return Err(PasskeyCause::AnotherPerson.into());
        }
        // Only if the ceremony named the person may the response leave it out.
        expected.user_handle = named.map(|_| &passkey.person.user_handle);
        let mut after = Passkey { revision: passkey.revision + 1, ..passkey.clone() };
        match verify_login(&expected, &passkey.stored, answer.credential) {
            Ok(login) => {
                after.backup_state = login.backup_state;
                after.stored.backup_eligible = login.backup_eligible;
                after.last_used_at = Some(self.change.at);
                Ok(Judged::Accepted(Box::new(after), login))
            }
            Err(PasskeyCause::CounterBack) => Ok(Judged::CounterBack(Box::new(after))),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Takes the ceremony and notes the use, if the passkey is still as it was judged. Whether it was.
    async fn use_passkey(
        &self,
        challenge: &Challenge,
        tenant: &Tenant,
        before: &Passkey,
        after: &Passkey,
        login: &VerifiedLogin,
    ) -> Result<bool> {
        let (update, condition) = items::changed(self.tenant, before);
        let mut transaction = Transaction::new();
        let (update, condition) = items::used(update, condition, after, login);
        transaction.update(update, condition);
        self.owe(&mut transaction, tenant, EventType::PasskeyUsed, after)?;
        self.commit_taking(challenge, transaction).await
    }

    /// Takes the ceremony and tells of what may be a copy, if the passkey is still as it was judged. Whether it was.
    /// The counter stays: of two copies the one that is ahead goes on, since nobody can tell which is the person's.
    async fn suspect(&self, challenge: &Challenge, tenant: &Tenant, before: &Passkey, after: &Passkey) -> Result<bool> {
        let (update, condition) = items::changed(self.tenant, before);
        let mut transaction = Transaction::new();
        transaction.update(update, condition);
        self.record(&mut transaction, Action::PasskeyCloneSuspected, after)?;
        self.owe(&mut transaction, tenant, EventType::PasskeyCloneSuspected, after)?;
        self.commit_taking(challenge, transaction).await
    }

    /// Takes the ceremony together with other writes. Whether their conditions held.
    async fn commit_taking(&self, challenge: &Challenge, mut transaction: Transaction) -> Result<bool> {
        let taken = transaction.delete(items::ceremony_key(self.tenant, challenge), Condition::exists());
        match self.table.commit(transaction).await? {
            Commit::Done => Ok(true),
            Commit::Refused(refused) if refused.failed(taken) => Err(PasskeyCause::UnknownCeremony.into()),
            Commit::Refused(_) => Ok(false),
        }
    }
}

fn refused(cause: PasskeyCause, signal: UnknownCredential) -> Error {
    Error::CredentialRefused(CredentialRefusal { cause, unknown_credential: Some(Box::new(signal)) })
}
