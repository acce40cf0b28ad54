"""Asks the unit tests of all changes that cargo-mutants knows, and compiles the changes together.

Arguments: a copy of the work tree, which is changed; a folder with `changes.json`, which `cargo mutants --list --json`
has printed. Written there: `outcomes.json`, in the form of cargo-mutants' own as far as mutants.py reads it; `left.txt`,
a regular expression a line for each change that is left to cargo-mutants.

Compiling the crate once for each of two thousand changes takes five hours on two processors, and asking the tests one.
So each function gets its body once more for each change in it, and a variable of the environment says which one runs.
What does not compile in that form is left out, and the rest compiled again. It would not compile by itself either, but
for what is left to cargo-mutants: changes outside of functions, of a `const fn`, and where the form makes a difference.

The tests of its own room are asked of a change first, then all: it is noticed as soon as one fails, or does not end.
"""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

VARIABLE = "LATCHKEY_CHANGE"
SWITCH = f"""
/// The number of the change that is in force.
pub(crate) fn change_in_force() -> u32 {{
    static NUMBER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *NUMBER.get_or_init(|| std::env::var("{VARIABLE}").map_or(0, |number| number.parse().unwrap()))
}}
"""
# Comments, texts, characters and braces. A lifetime is none of these.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|r(#*)".*?"\1|"(?:\\.|[^"\\])*"|'(?:\\[^']*|[^'\\])'|[{}]""",
    re.DOTALL,
)
# What is more than itself in a regular expression.
META = re.compile(r"[\\.+*?()|\[\]{}^$]")
# Two implementations of one trait, or two items of one name: only one body may have them.
TWICE = {"E0119", "E0592"}
# Seconds. All of them take thirty, one after the other.
PATIENCE = 180
SHARED = "shared"


class Source:
    """A file, with places in it as cargo-mutants counts them: lines and columns from 1, in characters."""

    def __init__(self, text: str):
        self.text = text
        self.starts = [0]
        for match in re.finditer("\n", text):
            self.starts.append(match.end())

    def range(self, span: dict) -> tuple[int, int]:
        start, end = (self.starts[place["line"] - 1] + place["column"] - 1 for place in (span["start"], span["end"]))
        return start, end

    def body(self, function: tuple[int, int]) -> tuple[int, int] | None:
        """What is between the last pair of braces of a function."""
        start, end = function
        open_braces, last = [], None
        for match in TOKEN.finditer(self.text, start, end):
            if match.group() == "{":
                open_braces.append(match.end())
            elif match.group() == "}" and open_braces:
                last = (open_braces.pop(), match.start())
        return last


def outermost(functions: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that are in no other."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(functions, key=lambda span: (span[0], -span[1])):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found


def is_switchable(mutant: dict, head: str) -> bool:
    """Whether a change in a function that begins so can stand beside the others."""
    return "impl " not in (mutant["function"]["return_type"] or "") and not re.search(r"\bconst fn\b", head)


def switched(text: str, mutants: dict[int, dict]) -> tuple[str, dict[int, range], set[int]]:
    """The text with a body for each change, the lines of each, and the changes that can't stand there."""
    source = Source(text)
    functions = outermost({source.range(mutant["function"]["span"]) for mutant in mutants.values() if mutant["function"]})
    of_function: dict[tuple[int, int], list[int]] = defaultdict(list)
    left = set()
    for number, mutant in mutants.items():
        start, end = source.range(mutant["span"])
        function = next((span for span in functions if span[0] <= start and end <= span[1]), None)
        body = function and source.body(function)
        if not body or not (body[0] <= start and end <= body[1]) or not is_switchable(mutant, text[function[0] : body[0]]):
            left.add(number)
        else:
            of_function[body].append(number)
    written, lines, end = [], {}, 0
    count = 0

    def write(part: str) -> None:
        nonlocal count
        written.append(part)
        count += part.count("\n")

    for body in sorted(of_function):
        write(text[end : body[0]] + "\nmatch crate::change_in_force() {\n")
        for number in of_function[body]:
            start, stop = source.range(mutants[number]["span"])
            write(f"{number} => {{\n")
            first = count + 1
            write(f"{text[body[0] : start]} {mutants[number]['replacement']} {text[stop : body[1]]}\n}}\n")
            lines[number] = range(first, count + 1)
        write(f"_ => {{\n{text[body[0] : body[1]]}\n}}\n}}\n")
        end = body[1]
    write(text[end:])
    return "".join(written), lines, left


def errors(tree: Path) -> tuple[list[dict], str | None]:
    """What the compiler refuses, and the test binary if it refuses nothing."""
    tests = ["--package", SHARED, "--lib", "--features", "loopback-callbacks"]
    command = ["cargo", "test", "--no-run", *tests, "--message-format", "json"]
    output = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    messages = [json.loads(line) for line in output.stdout.splitlines() if line.startswith("{")]
    found = [message["message"] for message in messages if message["reason"] == "compiler-message"]
    found = [message for message in found if message["level"] == "error" and message["spans"]]
    binary = next((message["executable"] for message in messages if message.get("executable")), None)
    if output.returncode and not found:
        raise SystemExit(f"cargo test ended with {output.returncode}:\n{output.stderr}")
    return found, binary


def spans(message: dict) -> list[dict]:
    """Where something is wrong: first the places that the message is about, then those that it mentions."""
    every = message["spans"] + [span for child in message["children"] for span in child["spans"]]
    return sorted(every, key=lambda span: not span["is_primary"])


class Switchboard:
    """The changes of a tree, compiled together."""

    def __init__(self, tree: Path, mutants: list[dict]):
        self.tree = tree
        self.mutants = dict(enumerate(mutants, start=1))
        files = {mutant["file"] for mutant in mutants}
        self.texts = {file: (tree / file).read_text() for file in sorted(files)}
        self.unviable: set[int] = set()
        self.left: set[int] = set()

    def write(self) -> dict[str, dict[int, range]]:
        lines = {}
        for file, text in self.texts.items():
            gone = self.unviable | self.left
            here = {number: mutant for number, mutant in self.mutants.items() if mutant["file"] == file}
            new, lines[file], left = switched(text, {number: here[number] for number in here if number not in gone})
            self.left |= left
            if new != (self.tree / file).read_text():
                (self.tree / file).write_text(new)
        return lines

    def compile(self) -> str:
        """The test binary, when what does not compile is left out."""
        manifest = self.tree / SHARED / "Cargo.toml"
        manifest.write_text(manifest.read_text().replace("[lints]\nworkspace = true\n", ""))
        library = self.tree / SHARED / "src/lib.rs"
        library.write_text(library.read_text() + SWITCH)
        while True:
            lines = self.write()
            found, binary = errors(self.tree)
            if not found:
                return binary
            before = len(self.unviable) + len(self.left)
            for message in found:
                self.leave_out(message, lines)
            now = len(self.unviable) + len(self.left)
            print(f"{len(found)} errors, {now} changes left out", flush=True)
            if now == before:
                raise SystemExit("\n".join(message["rendered"] for message in found))

    def leave_out(self, message: dict, lines: dict[str, dict[int, range]]) -> None:
        for span in spans(message):
            of_file = lines.get(span["file_name"], {})
            at = [number for number, place in of_file.items() if span["line_start"] in place]
            if at:
                is_twice = (message["code"] or {}).get("code") in TWICE
                (self.left if is_twice else self.unviable).update(at)
                return


def room(file: str) -> str:
    """The tests of the room of a file: `domain::tokens` for shared/src/domain/tokens/claims.rs."""
    parts = Path(file).with_suffix("").parts[2:4]
    return "::".join(part for part in parts if part != "mod") + "::"


def outcome(binary: str, directory: Path, number: int, file: str) -> str:
    """What the tests say of a change, in the words of cargo-mutants."""
    environment = {**os.environ, VARIABLE: str(number), "RUST_BACKTRACE": "0"}

    def fails(*tests: str) -> bool:
        command = [binary, "--quiet", "--test-threads", "1", *tests]
        ended = subprocess.run(command, cwd=directory, env=environment, capture_output=True, timeout=PATIENCE)
        return ended.returncode != 0

    try:
        # A few tests of other rooms measure time, and may fail for a busy machine: of all, one has to fail twice.
        is_noticed = fails(room(file)) or (fails() and fails())
    except subprocess.TimeoutExpired:
        return "Timeout"
    return "CaughtMutant" if is_noticed else "MissedMutant"


def main(arguments: list[str]) -> int:
    tree, folder = map(Path, arguments)
    board = Switchboard(tree, json.loads((folder / "changes.json").read_text()))
    binary, directory = board.compile(), tree / SHARED
    if outcome(binary, directory, 0, "shared/src/domain/mod.rs") != "MissedMutant":
        raise SystemExit("the tests fail without a change")
    asked = [number for number in board.mutants if number not in board.unviable | board.left]
    print(f"{len(asked)} changes compile, {len(board.left)} are left to cargo-mutants", flush=True)

    def ask(number: int) -> str:
        return outcome(binary, directory, number, board.mutants[number]["file"])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(asked, pool.map(ask, asked)))
    found |= dict.fromkeys(sorted(board.unviable), "Unviable")
    outcomes = [{"scenario": {"Mutant": board.mutants[number]}, "summary": said} for number, said in found.items()]
    (folder / "outcomes.json").write_text(json.dumps({"outcomes": outcomes}))
    names = [META.sub(r"\\\g<0>", board.mutants[number]["name"]) for number in sorted(board.left)]
    (folder / "left.txt").write_text("".join(f"^{name}$\n" for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
