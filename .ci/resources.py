"""Prints how many resources the stack has, and how many functions more would fit into CloudFormation's limit of them.

Argument: the template. Fails if there is no room for a hundred functions.
"""

import sys
from collections import Counter
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

# CloudFormation User Guide, "Understand CloudFormation quotas".
LIMIT = 500
WANTED = 100


class NoManagedPolicies:
    """SAM asks for the ARNs of AWS's policies, which are not counted."""

    def load(self):
        return {}


def main():
    template = yaml_parse(Path(sys.argv[1]).read_text())
    functions = [name for name, found in template["Resources"].items() if found["Type"] == "AWS::Serverless::Function"]
    for name in functions:
        # `sam package` puts an address there.
        template["Resources"][name]["Properties"]["CodeUri"] = "s3://bucket/key"
    resources = transform(template, {}, NoManagedPolicies())["Resources"]
    kinds = Counter(resource["Type"] for resource in resources.values())
    for kind, count in kinds.most_common():
        print(f"{count:5} {kind}")
    own = Counter(next((function for function in functions if name.startswith(function)), "") for name in resources)
    others = own.pop("")
    most = max(own.values())
    room = (LIMIT - len(resources)) // most
    each = f"{min(own.values())} to {most} a function"
    print(f"{len(resources):5} resources of {LIMIT}: {others} of the stack itself, {each}")
    print(f"{room:5} functions more would fit with {most} resources each, beside the {len(functions)} that there are")
    if room + len(functions) < WANTED:
        sys.exit(f"there is no room for {WANTED} functions")


main()
