#!/usr/bin/env python3
"""Writes the software bill of materials of the functions, in CycloneDX JSON, to standard output.

    cargo install --locked cargo-cyclonedx@0.5.9
    bill_of_materials.py [aarch64-unknown-linux-gnu] >latchkey.cdx.json

The argument is the target that they are built for. A component with the scope `required` is in them, one with
`excluded` only takes part in building them. The same commit gives the same document.

cargo-cyclonedx reads `cargo metadata`, which knows one set of features for the whole workspace: what only the tests turn
on would be in the document too. So what `cargo tree` has not, which does know, is taken out.
"""

import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# It writes one beside the manifest of every package.
WRITTEN = "bill-of-materials"


def output(*command):
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def made(target):
    """The document as cargo-cyclonedx makes it."""
    packages = json.loads(output("cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"))["packages"]
    files = {each["name"]: pathlib.Path(each["manifest_path"]).with_name(f"{WRITTEN}.json") for each in packages}
    # Without it, the document has the time of day and a random number.
    committed = output("git", "log", "-1", "--format=%ct").strip()
    command = ["cargo", "cyclonedx", "--quiet", "--quiet", "--format", "json", "--spec-version", "1.5"]
    command += ["--target", target, "--override-filename", WRITTEN]
    try:
        subprocess.run(command, cwd=ROOT, env=os.environ | {"SOURCE_DATE_EPOCH": committed}, check=True)
        text = files["functions"].read_text()
    finally:
        for file in files.values():
            file.unlink(missing_ok=True)
    # Packages of the workspace are referred to by where they are.
    return json.loads(text.replace(f"file://{ROOT}", "file:///latchkey"))


def built(target):
    """Names and versions of what takes part in building."""
    lines = output(
        *("cargo", "tree", "--locked", "--package", "functions", "--edges", "normal,build", "--target", target),
        *("--prefix", "none", "--no-dedupe", "--format", "{p}"),
    )
    return {(line.split()[0], line.split()[1].removeprefix("v")) for line in lines.splitlines() if line}


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "aarch64-unknown-linux-gnu"
    document, kept = made(target), built(target)
    document["components"] = [each for each in document["components"] if (each["name"], each["version"]) in kept]
    references = {each["bom-ref"] for each in [document["metadata"]["component"], *document["components"]]}
    document["dependencies"] = [
        each | {"dependsOn": [other for other in each.get("dependsOn", []) if other in references]}
        for each in document["dependencies"]
        if each["ref"] in references
    ]
    json.dump(document, sys.stdout, indent=2)
    print()


main()
