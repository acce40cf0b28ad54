//! The curl commands of the public texts.

use super::http::Call;

/// The words of a shell command: quotes of both kinds, and lines that go on.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.replace("\\\n", " ");
    loop {
        rest = rest.trim_start().to_owned();
        let Some(first) = rest.chars().next() else { return words };
        let (word, after) = match first {
            '\'' | '"' => rest[1..].split_once(first).unwrap(),
            _ => rest.split_once(char::is_whitespace).unwrap_or((&rest, "")),
        };
        words.push(word.to_owned());
        rest = after.to_owned();
    }
}

/// A curl command as a request. It has the options `-X`, `-H` and `-d`.
pub fn curl(command: &str) -> Call {
    let words = words(command);
    let values = |option: &str| {
        let given = words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1].clone());
        given.collect::<Vec<_>>()
    };
    let url = words.iter().find(|word| word.starts_with("http://")).unwrap();
    let method = values("-X").pop().unwrap_or_else(|| "GET".to_owned());
    let headers = values("-H");
    let mut call = headers.iter().fold(Call::new(&method, url), |call, header| {
        let (name, value) = header.split_once(": ").unwrap();
        call.header(name, value)
    });
    if let Some(body) = values("-d").pop() {
        assert!(headers.iter().any(|header| header == "Content-Type: application/json"));
        call = call.bytes(body);
    }
    call
}
