"""Makes every call with the client that openapi-python-client makes."""

import functools
import importlib
import pkgutil
import typing

import latchkey_client
import latchkey_client.api
from calls import URL, Calls, hints, snake

MODULES = {
    found.name.rsplit(".", 1)[-1]: found.name
    for found in pkgutil.walk_packages(latchkey_client.api.__path__, "latchkey_client.api.")
    if not found.ispkg
}


@functools.cache
def client(role, credential):
    """A client with the credential of a role."""
    headers = {"operator": "X-Admin-Key", "account": "X-API-KEY"}
    if role in headers:
        return latchkey_client.AuthenticatedClient(URL, credential, prefix="", auth_header_name=headers[role])
    return latchkey_client.AuthenticatedClient(URL, credential)


def made(name, role, parameters, body):
    credential = "-" if role in (None, "signer", "phone") else calls.credential(role)
    module = importlib.import_module(MODULES[snake(name)])
    function = module.sync_detailed
    if body is not None:
        models = [one for one in typing.get_args(typing.get_type_hints(function)["body"]) if hasattr(one, "from_dict")]
        hint = typing.get_type_hints(function)["body"]
        parameters["body"] = (models or [hint])[0].from_dict(body)
    # A name that Python has taken has an underscore, and a time is an object of its own.
    known = hints(function)
    named = {key if key in known else f"{key}_": value for key, value in parameters.items()}
    for key, value in named.items():
        kinds = {getattr(kind, "__name__", ""): kind for kind in typing.get_args(known[key].annotation)}
        if "datetime" in kinds:
            named[key] = kinds["datetime"].fromisoformat(value.replace("Z", "+00:00"))
        elif isinstance(value, str) and (enum := next((one for one in kinds.values() if hasattr(one, "_member_map_")), None)):
            named[key] = enum(value)
    answer = function(client=client(role, credential), **named)
    text = answer.content.decode()
    assert answer.status_code < 300, f"{name}: {answer.status_code} {text}"
    return answer.parsed, text


calls = Calls(made)
calls.run()
