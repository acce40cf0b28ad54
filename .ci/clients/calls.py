"""What the Python clients have in common: the calls of calls.json, with what earlier answers said, and what is read of
the answers by their types. LATCHKEY_URL, ADMIN_KEY and CALLS say where the service is and what to call."""

import inspect
import json
import os
import re
from datetime import date, datetime

URL, ADMIN_KEY = os.environ["LATCHKEY_URL"], os.environ["ADMIN_KEY"]


def snake(name):
    """`fetchApiKeys` is `fetch_api_keys`, and `X-Latchkey-Tenant-Id` is `x_latchkey_tenant_id`."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def filled(value, kept):
    """A value with `${name}` replaced by what was kept under that name."""
    if isinstance(value, dict):
        return {name: filled(one, kept) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, kept) for one in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda found: str(kept[found[1]]), value)
    return value


def same(typed, sent):
    """Whether a typed answer says what was sent. A field that is null may have been left out, and a time is a time."""
    if isinstance(sent, dict):
        names = {name for name in (*sent, *typed) if sent.get(name) is not None or typed.get(name) is not None}
        return isinstance(typed, dict) and all(same(typed.get(name), sent.get(name)) for name in names)
    if isinstance(sent, list):
        return isinstance(typed, list) and len(typed) == len(sent) and all(map(same, typed, sent))
    if typed == sent or str(typed) == sent:
        return True
    if not isinstance(sent, str) or not isinstance(typed, (str, datetime, date)):
        return False
    moments = [datetime.fromisoformat(str(text).replace("Z", "+00:00")) for text in (typed, sent)]
    return moments[0] == moments[1]


class Calls:
    """All calls. `made(call, role, parameters, body)` makes one: it gives the typed answer and the text that came."""

    def __init__(self, made):
        self.made, self.kept = made, {"operator": ADMIN_KEY}

    def run(self):
        with open(os.environ["CALLS"], encoding="utf-8") as file:
            calls = json.load(file)
        for call in calls:
            name, role = call["call"], call.get("as")
            parameters = filled({**call.get("path", {}), **call.get("query", {}), **call.get("header", {})}, self.kept)
            if role == "signer":
                parameters |= {"X-Latchkey-Tenant-Id": self.kept["tenant"], "X-Latchkey-Timestamp": "0"}
            body = filled(call["body"], self.kept) if "body" in call else None
            typed, text = self.made(name, role, {snake(key): value for key, value in parameters.items()}, body)
            for kept, path in call.get("keep", {}).items():
                value = typed
                for member in path.split("."):
                    # A name that Python has taken has an underscore.
                    value = getattr(value, snake(member) if hasattr(value, snake(member)) else f"{snake(member)}_")
                value = getattr(value, "value", value)
                assert value is not None, f"{name}: {path} of {text}"
                self.kept[kept] = value
            if "keep" in call:
                assert same(plain(typed), json.loads(text)), f"{name}: {plain(typed)} is not {text}"

    def credential(self, role):
        """What a role authenticates with."""
        return self.kept[{"page": "scoped"}.get(role, role)]


def plain(typed):
    return typed.to_dict()


def hints(function):
    """The parameters of a function, without those of all functions."""
    return {name: one for name, one in inspect.signature(function).parameters.items() if not name.startswith("_")}
