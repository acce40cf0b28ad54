"""Judges what cargo-mutants found.

Arguments: the list of known survivors, and one outcomes.json or several, of parts of one run; of a change that is in two
parts, the later one counts. A change of the code that the unit tests do not notice is a survivor. This fails if

- fewer than 90 % of the changes that compile are noticed, a test that no longer ends counted as noticed;
- a survivor is not in the list;
- the list has a survivor that is none any more.

A line of the list is the name of the change without line and column, two spaces, `# ` and the reason for which it
survives. A name that stands for several changes is there once for each survivor. Other lines begin with `#`.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

LEAST = 90
# Line and column, which change with everything above.
PLACE = re.compile(r"^([^:]+):\d+:\d+(?=: )")


def name(mutant: str) -> str:
    return PLACE.sub(r"\1", mutant)


def known(text: str) -> Counter:
    """The known survivors. Raises `ValueError` for one without a reason."""
    names: Counter = Counter()
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        survivor, separator, reason = line.partition("  # ")
        if not separator or not reason.strip():
            raise ValueError(f"no reason: {line}")
        names[survivor.strip()] += 1
    return names


def merged(parts: list[list[dict]]) -> list[dict]:
    """The outcomes of all parts, each change once."""
    found = {}
    for outcome in (outcome for part in parts for outcome in part):
        if outcome["scenario"] == "Baseline":
            continue
        # With its place, which tells those of one name apart.
        found[outcome["scenario"]["Mutant"]["name"]] = outcome
    return list(found.values())


def judge(outcomes: list[dict], listed: Counter) -> tuple[str, list[str]]:
    """The figure, and what is wrong."""
    counts: Counter = Counter()
    survivors: Counter = Counter()
    for outcome in outcomes:
        summary = outcome["summary"]
        counts[summary] += 1
        if summary == "MissedMutant":
            survivors[name(outcome["scenario"]["Mutant"]["name"])] += 1
    noticed = counts["CaughtMutant"] + counts["Timeout"]
    viable = noticed + counts["MissedMutant"]
    unknown = sorted(set(counts) - {"CaughtMutant", "Timeout", "MissedMutant", "Unviable"})
    share = 100 * noticed / viable if viable else 0
    figure = f"{noticed} of {viable} changes are noticed: {share:.1f} %, {counts['Unviable']} more do not compile"
    wrong = [f"outcome that this program does not know: {summary}" for summary in unknown]
    if share < LEAST:
        wrong.append(f"fewer than {LEAST} % are noticed")
    wrong += [f"survives and is not listed: {mutant}" for mutant in sorted((survivors - listed).elements())]
    wrong += [f"is listed and does not survive: {mutant}" for mutant in sorted((listed - survivors).elements())]
    return figure, wrong


def main(arguments: list[str]) -> int:
    listed, *files = arguments
    outcomes = merged([json.loads(Path(file).read_text())["outcomes"] for file in files])
    figure, wrong = judge(outcomes, known(Path(listed).read_text()))
    print(figure)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
