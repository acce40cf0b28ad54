"""Adds an endpoint to a copy of the tree by the guide of CONTRIBUTING.md, "Add an endpoint".

Argument: a folder for the copy, which the next run finds again. Once for each station, the endpoint is added without
it: that has to fail, with a message that says what is missing. With all stations every test has to pass. The stations
here are numbered as in the guide.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CONTRACT = '''//! `relay/echo`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::SignedTenant;
use crate::domain::Label;

/// Answers what was sent.
#[derive(Debug, Clone, Copy)]
pub struct RelayEcho;

impl Operation for RelayEcho {
    const ROUTE: Route = Route::post("relay-echo", "/api/v1/relay/echo", BodyRule::Required)
        .about("Get back the text that was signed and sent")
        .example(r#"{"text": "hello"}"#);
    const SURFACE: Surface = Surface::Relay;
    type Caller = SignedTenant;
    type Query = Empty;
    type Body = EchoInput;
    type Output = Echo;
}

/// Text to send back.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EchoInput {
    /// Text that the answer repeats.
    pub text: Label,
}

impl Input for EchoInput {}

/// Text that was sent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Echo {
    /// Text of the request.
    pub text: Label,
}

impl Output for Echo {}
'''

FUNCTION = '''//! `POST /api/v1/relay/echo`: sends back what a tenant has signed.

use shared::api::relay::echo::{Echo, RelayEcho};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(RelayEcho, echo)
}

async fn echo(_: App, call: Call<RelayEcho>) -> Result<Echo> {
    Ok(Echo { text: call.body.text })
}
'''

TEST = '''//! `POST /api/v1/relay/echo`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn the_text_comes_back() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let call = deployment.anonymous("POST", "/api/v1/relay/echo").json(&json!({ "text": "hello" }));
    let answer = call.signed(&tenant.signing()).send().await;
    assert_eq!(answer.data(200)["text"], "hello");
}
'''


def edit(path: Path, pattern: str, replacement: str) -> None:
    """Replaces the one place that matches."""
    text, places = re.subn(pattern, lambda _: replacement, path.read_text(), flags=re.M | re.S)
    if places != 1:
        sys.exit(f"{path} has {places} places like {pattern!r}: this script no longer fits it")
    path.write_text(text)


def contract(tree: Path) -> None:
    (tree / "shared/src/api/relay/echo.rs").write_text(CONTRACT)
    edit(tree / "shared/src/api/relay/mod.rs", r"\n\nuse schemars", "\n\npub mod echo;\n\nuse schemars")


def registry(tree: Path) -> None:
    line = "    OperationInfo::of::<RelayWhoami>(),\n"
    edit(tree / "shared/src/api/mod.rs", re.escape(line), line + "    OperationInfo::of::<relay::echo::RelayEcho>(),\n")


def function(tree: Path) -> None:
    (tree / "functions/src/bin/relay-echo.rs").write_text(FUNCTION)


def deployment(tree: Path) -> None:
    """The function, after the pattern of `relay-whoami`."""
    template = tree / "template.yaml"
    found = re.search(r"  RelayWhoamiFunction:\n.*?\n\n", template.read_text(), re.S)
    if found is None:
        sys.exit("template.yaml has no RelayWhoamiFunction: this script no longer fits it")
    block = found.group().replace("RelayWhoami", "RelayEcho").replace("relay-whoami", "relay-echo")
    block = block.replace("relay/whoami", "relay/echo")
    edit(template, re.escape(found.group()), found.group() + block)


def on_the_operators_api(tree: Path) -> None:
    deployment(tree)
    edit(tree / "template.yaml", r"!Ref Api, Path: /api/v1/relay/echo,", "!Ref OperatorApi, Path: /api/v1/relay/echo,")


def event(tree: Path) -> None:
    text = (tree / "events/relay-whoami.json").read_text().replace("whoami", "echo").replace('"GET"', '"POST"')
    made = json.loads(text)
    made["headers"]["content-type"] = "application/json"
    made["body"] = '{"text":"hello"}'
    (tree / "events/relay-echo.json").write_text(json.dumps(made, indent=2) + "\n")


def test_module(tree: Path) -> None:
    (tree / "tests/it/endpoints/relay_echo.rs").write_text(TEST)


def tests(tree: Path) -> None:
    test_module(tree)
    edit(tree / "tests/it/endpoints/mod.rs", r"^mod relay_whoami;$", "mod relay_echo;\nmod relay_whoami;")


def page(tree: Path) -> None:
    path = tree / "docs/api/relay.md"
    path.write_text(path.read_text() + "\n`POST /api/v1/relay/echo` sends back the `text` of its body.\n")


def sync(tree: Path) -> None:
    cargo(tree, "sync")


# Name, what it does, and what the tests say without it.
STATIONS = [
    ("contract", contract, r"echo"),
    ("registry", registry, r"functions that are not in OPERATIONS or SCHEDULED.*relay-echo"),
    ("function", function, r"lack a binary in functions/src/bin/: \[\"relay-echo\"\]"),
    ("deployment", deployment, r"template\.yaml has no function for \[\"relay-echo\"\]"),
    ("event", event, r"lack an event in events/: \[\"relay-echo\"\]"),
    ("tests", tests, r"lack a test module in tests/it/endpoints/: \[\"relay_echo\"\]"),
    ("page", page, r"docs/api/relay\.md says nothing about /api/v1/relay/echo"),
    ("sync", sync, r"run `cargo sync`"),
]


def against_rule(tree: Path) -> None:
    contract(tree)
    rule = "#[serde(deny_unknown_fields)]\npub struct EchoInput"
    edit(tree / "shared/src/api/relay/echo.rs", r"^pub struct EchoInput", rule)


def without_example(tree: Path) -> None:
    contract(tree)
    edit(tree / "shared/src/api/relay/echo.rs", r"\n        \.example\([^\n]*\);", ";")


# A part of a station left out or done wrongly: the station, what is done of it, and what the tests say.
PARTS = [
    ("contract", against_rule, r"relay-echo: put #\[serde\(deny_unknown_fields\)\] on its body"),
    ("contract", without_example, r"relay-echo: give its route a body with \.example"),
    ("deployment", on_the_operators_api, r"failed: relay-echo"),
    ("tests", test_module, r"lack a line in tests/it/endpoints/mod\.rs: \[\"relay_echo\"\]"),
]


def cargo(tree: Path, *arguments: str) -> subprocess.CompletedProcess:
    # A target folder that both trees share would give one what was built of the other.
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"}
    command = ["cargo", *arguments]
    into = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.run(command, cwd=tree, env=environment, timeout=1800, **into)


def copy(tree: Path) -> None:
    """The tree as it is. A file that is the same keeps its time, so that Cargo builds no more than it has to."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {name for name in listed.split("\n") if name and (ROOT / name).is_file()}
    for path in tree.rglob("*"):
        inside = path.relative_to(tree).as_posix()
        if path.is_file() and not inside.startswith("target/") and inside not in names:
            path.unlink()
    for name in names:
        source, target = ROOT / name, tree / name
        if not target.exists() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def failures(output: str) -> str:
    """The lines about what failed, each with the line after it, which says why; without any, the end of the output."""
    lines = output.split("\n")
    found = [at for at, line in enumerate(lines) if re.search(r" panicked at |^error|\.\.\. FAILED$", line)]
    return "\n".join("\n".join(lines[at : at + 2]) for at in found) or output[-4000:]


def checked(tree: Path, stations: list, quick: bool) -> subprocess.CompletedProcess:
    """The tests, with these stations gone through. The quick ones are those that know of stations."""
    copy(tree)
    for station in stations:
        station(tree)
    chosen = ["--", "contract::", "api::examples", "endpoints::relay_echo"] if quick else []
    return cargo(tree, "tests", "--no-fail-fast", *chosen)


def main() -> None:
    tree = Path(sys.argv[1]).resolve()
    tree.mkdir(parents=True, exist_ok=True)
    guide = (ROOT / "CONTRIBUTING.md").read_text().split("<!-- add-an-endpoint -->")[1].split("<!-- /add")[0]
    numbered = re.findall(r"^(\d)\. \*\*([A-Z][a-z]+)", guide, re.M)
    named = [(str(number), name.capitalize()) for number, (name, _, _) in enumerate(STATIONS, 1)]
    if numbered != named:
        sys.exit(f"CONTRIBUTING.md has the stations {numbered}, and this script {named}")
    everything = [station for _, station, _ in STATIONS]
    ran = checked(tree, everything, quick=False)
    if ran.returncode != 0:
        sys.exit(f"with all stations the tests fail:\n{failures(ran.stdout)}")
    print(f"all {len(STATIONS)} stations: every test passes", flush=True)
    left_out = [(name, [s for s in everything if s is not station], hint) for name, station, hint in STATIONS]
    for name, part, hint in PARTS:
        whole = next(station for known, station, _ in STATIONS if known == name)
        left_out.append((f"a part of {name}", [part if s is whole else s for s in everything], hint))
    for name, stations, hint in left_out:
        ran = checked(tree, stations, quick=True)
        said = next((line for line in ran.stdout.split("\n") if re.search(hint, line)), None)
        if ran.returncode == 0 or said is None:
            sys.exit(f"without {name}: expected a failure that says {hint!r}:\n{failures(ran.stdout)}")
        print(f"without {name}: {said.strip()}", flush=True)


main()
