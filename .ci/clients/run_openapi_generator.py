"""Makes every call with the client that openapi-generator makes for Python."""

import functools
import typing

import openapi_client
from calls import URL, Calls, hints, snake

APIS = [getattr(openapi_client, name) for name in dir(openapi_client) if name.endswith("Api")]


@functools.cache
def client(role, credential):
    """A client with the credential of a role."""
    configuration = openapi_client.Configuration(host=URL)
    schemes = {"operator": "AdminKey", "account": "AccountKey", "signer": "TenantSignature"}
    if role in schemes:
        configuration.api_key[schemes[role]] = credential
    elif role in ("backend", "page"):
        configuration.access_token = credential
    return openapi_client.ApiClient(configuration)


def made(name, role, parameters, body):
    credential = "-" if role in (None, "signer", "phone", "browser") else calls.credential(role)
    api = next(api for api in APIS if hasattr(api, snake(name)))(client(role, credential))
    function = getattr(api, f"{snake(name)}_with_http_info")
    if body is not None:
        models = {name: model(hint) for name, hint in typing.get_type_hints(function).items()}
        found = next(((name, one) for name, one in models.items() if one and name != "return"), None)
        if found:
            parameters[found[0]] = typed(found[1], body)
        elif "request_body" in models:
            parameters["request_body"] = body
        else:
            # The fields of a form are parameters.
            parameters |= body
    unknown = set(parameters) - set(hints(function))
    assert not unknown, f"{name} has no {unknown}"
    answer = function(**parameters)
    return answer.data, answer.raw_data.decode()


def typed(kind, body):
    """A body by its model. `from_dict` sends null for what is not there, which to a patch is something else."""
    return kind.model_validate(body) if None in body.values() else kind.from_dict(body)


def model(hint):
    """The model that a parameter takes, if it takes one."""
    for one in (hint, *typing.get_args(hint)):
        if hasattr(one, "from_dict"):
            return one
    return None


calls = Calls(made)
calls.run()
