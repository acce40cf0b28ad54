"""Lays out what `sam build` would: a folder a function, and the template that names them.

Arguments: the template, the folder of the built functions, and the folder to make. A function's folder has a line of
shell that starts the program instead of the program: copies would be gigabytes, since none is stripped, and what is tried
here is the template.
"""

import pathlib
import shutil
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse

template, programs, target = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])


def main():
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    made = yaml_parse(pathlib.Path(template).read_text())
    for name, resource in made["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        program = programs / resource["Metadata"]["BuildProperties"]["Binary"]
        if not program.exists():
            sys.exit(f"{program} is not built")
        bootstrap = target / name / "bootstrap"
        bootstrap.parent.mkdir()
        bootstrap.write_text(f'#!/bin/sh\nexec "{program}"\n')
        bootstrap.chmod(0o755)
        resource["Properties"]["CodeUri"] = name
    (target / "template.yaml").write_text(yaml_dump(made))


main()
