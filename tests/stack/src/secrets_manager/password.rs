//! `GetRandomPassword`, as `aws secretsmanager get-random-password` and rotations by hand use it.

use serde_json::{Value, json};

use super::{
    failure::Failure,
    random::{self, DIGITS, LOWERCASE, UPPERCASE},
    request::RandomPassword,
};

const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A password with at least one character of each included type, unless the request does without.
pub(super) fn generate(input: &RandomPassword) -> Result<Value, Failure> {
    let length = input.password_length.unwrap_or(32);
    let length = usize::try_from(length)
        .ok()
        .filter(|length| (1..=4096).contains(length))
        .ok_or_else(|| Failure::constraint("passwordLength", "Member must have value between 1 and 4096"))?;

    let excluded = input.exclude_characters.as_deref().unwrap_or_default();
    let allowed = |characters: &str| -> Vec<char> { characters.chars().filter(|c| !excluded.contains(*c)).collect() };
    let types: Vec<Vec<char>> = [
        (input.exclude_lowercase, LOWERCASE),
        (input.exclude_uppercase, UPPERCASE),
        (input.exclude_numbers, DIGITS),
        (input.exclude_punctuation, PUNCTUATION),
    ]
    .into_iter()
    .filter(|(exclude, _)| *exclude != Some(true))
    .map(|(_, characters)| allowed(characters))
    .filter(|characters| !characters.is_empty())
    .collect();

    let mut alphabet = types.concat();
    if input.include_space == Some(true) {
        alphabet.extend(allowed(" "));
    }
    if alphabet.is_empty() {
        return Err(Failure::parameter("All characters were excluded."));
    }

    let mut password = Vec::with_capacity(length);
    if input.require_each_included_type != Some(false) {
        if length < types.len() {
            return Err(Failure::parameter("Password length is too short based on the required types."));
        }
        for characters in &types {
            password.push(random::pick(characters)?);
        }
    }
    while password.len() < length {
        password.push(random::pick(&alphabet)?);
    }
    shuffle(&mut password)?;
    Ok(json!({ "RandomPassword": password.into_iter().collect::<String>() }))
}

/// Fisher and Yates: the required characters would otherwise all stand at the front.
fn shuffle(characters: &mut [char]) -> Result<(), Failure> {
    for last in (1..characters.len()).rev() {
        characters.swap(last, random::below(last + 1)?);
    }
    Ok(())
}
