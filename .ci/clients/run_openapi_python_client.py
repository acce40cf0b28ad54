"""Makes every call with the client that openapi-python-client makes."""

import datetime
import functools
import importlib
import pkgutil
import typing

import latchkey_client
import latchkey_client.api
from calls import URL, Calls, snake

MODULES = {
    found.name.rsplit(".", 1)[-1].replace("_", ""): found.name
    for found in pkgutil.walk_packages(latchkey_client.api.__path__, "latchkey_client.api.")
    if not found.ispkg
}


@functools.cache
def client(role, credential):
    """A client with the credential of a role."""
    headers = {"operator": "X-Admin-Key", "account": "X-API-KEY"}
    if credential is None:
        return latchkey_client.Client(URL)
    if role in headers:
        return latchkey_client.AuthenticatedClient(URL, credential, prefix="", auth_header_name=headers[role])
    return latchkey_client.AuthenticatedClient(URL, credential)


def made(name, role, parameters, body):
    credential = None if role in (None, "signer", "phone", "browser") else calls.credential(role)
    function = importlib.import_module(MODULES[key(snake(name))]).sync_detailed
    types = {key(one): (one, kinds(hint)) for one, hint in typing.get_type_hints(function).items()}
    arguments = {types[key(one)][0]: typed(types[key(one)][1], value) for one, value in parameters.items()}
    if body is not None:
        arguments["body"] = next(kind for kind in types["body"][1] if hasattr(kind, "from_dict")).from_dict(body)
    answer = function(client=client(role, credential), **arguments)
    text = answer.content.decode()
    assert answer.status_code < 300, f"{name}: {answer.status_code} {text}"
    return answer.parsed, text


def key(name):
    """A name without what each generator has its own way with."""
    return name.replace("_", "")


def kinds(hint):
    return typing.get_args(hint) or (hint,)


def typed(kinds, value):
    """A parameter as the type that its hint names: a time, an id, or one of a list."""
    for kind in kinds:
        if kind is datetime.datetime:
            return kind.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, str) and kind is not str and callable(kind) and kind.__name__ != "Unset":
            return kind(value)
    return value


calls = Calls(made)
calls.run()
