"""Compares a bill of materials with what cargo says is built: .ci/bill_of_materials.py BILL TARGET.

Every crate of the functions is there with its version and its license, and no other: what is compiled in as `required`,
what only takes part in building as `excluded`, and nothing of the tests. Crates are those of `cargo tree`, which has
the features that `cargo build` has; their licenses are those of `cargo metadata`.
"""

import json
import pathlib
import subprocess
import sys


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], capture_output=True, text=True, check=True).stdout


def built(target, kinds):
    """Names and versions."""
    lines = cargo(
        "tree", "--locked", "--package", "functions", "--edges", kinds, "--target", target, "--prefix", "none",
        "--no-dedupe", "--format", "{p}",
    )  # fmt: skip
    return {(line.split()[0], line.split()[1].removeprefix("v")) for line in lines.splitlines() if line}


def licenses():
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1"))["packages"]
    # Until 2018, either of two was written with a slash.
    return {(made["name"], made["version"]): (made["license"] or "").replace("/", " OR ") for made in packages}


def license_of(component):
    stated = (component.get("licenses") or [{}])[0]
    return stated.get("expression") or stated.get("license", {}).get("id", "")


def expect(wrong, message):
    if wrong:
        sys.exit(f"failed: {message}: {sorted(wrong)}")


def main():
    bill, target = sys.argv[1:]
    document = json.loads(pathlib.Path(bill).read_text())
    components = [document["metadata"]["component"], *document["components"]]
    crates = {(component["name"], component["version"]): component for component in components}
    found = {
        scope: {crate for crate, component in crates.items() if component["scope"] == scope}
        for scope in ("required", "excluded")
    }
    shipped, all_built = built(target, "normal"), built(target, "normal,build")
    everything = licenses()
    expect(shipped - found["required"], "shipped, and not in the bill")
    expect(found["required"] - shipped, "in the bill, and not shipped")
    expect(found["excluded"] ^ (all_built - shipped), "takes part in building, or is said to")
    stated = {crate: license_of(component) for crate, component in crates.items()}
    expect([(*crate, stated[crate]) for crate in stated if stated[crate] != everything[crate]], "another license")
    expect([crate for crate in stated if not stated[crate]], "no license")
    here = str(pathlib.Path.cwd())
    expect([here] if here in json.dumps(document) else [], "a path of this machine")
    left_out = len(set(everything) - all_built)
    print(f"{target}: {len(shipped)} crates shipped, {len(all_built - shipped)} to build them, {left_out} left out")
    # Or nothing would have been kept apart.
    expect([] if left_out else ["none"], "the tests have no crates of their own")


main()
