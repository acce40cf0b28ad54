"""Finds changes of an OpenAPI document that break clients of the earlier one.

Arguments: the old document, the new one, the old CHANGELOG.md and the new one (/dev/null if there is none). What
breaks a client has to be named in the new CHANGELOG.md, in a section "API document"; otherwise this fails and says how.

What counts is what goes over the wire: names of schemas and operations may change. A client is taken to ignore fields,
and values of an enumeration, that it does not know in an answer. So these are compatible: more operations, more
optional fields and parameters, more values, more refusals, and limits that are wider in requests. Limits of what is
answered are not compared: a limit that is wider for a request is wider for the answer that shows it, and that is no
break.

A keyword of JSON Schema that this program does not know is an error: a change of it would go unnoticed.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple, Optional

REQUEST, ANSWER = "request", "answer"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

# The key under which a variant keeps the name of its schema.
NAME = "$name"
# Keywords that restrict nothing. Defaults of fields are under `x-default`, which generators of clients do not read.
ANNOTATIONS = {"title", "description", "examples", "example", "deprecated", "readOnly", "writeOnly"}
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "x-max-bytes-as-json")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
SAME = ("pattern", "format", "multipleOf")
KNOWN = {*ANNOTATIONS, *UPPER, *LOWER, *SAME, NAME, "$ref", "type", "enum", "const", "default", "oneOf", "anyOf"}
KNOWN |= {"items", "uniqueItems", "properties", "required", "additionalProperties"}
# The types that a keyword restricts. Other keywords restrict all types.
MEANT_FOR = {
    **dict.fromkeys(("maxLength", "minLength", "pattern"), {"string"}),
    **dict.fromkeys(
        ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "multipleOf"), {"number", "integer"}
    ),
    **dict.fromkeys(("items", "maxItems", "minItems", "uniqueItems"), {"array"}),
    **dict.fromkeys(("properties", "required", "additionalProperties", "maxProperties", "minProperties"), {"object"}),
}
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")


class Break(NamedTuple):
    """A change that breaks clients: what it is, where in the message, and in which named schema."""

    what: str
    place: tuple = ()
    schema: Optional[str] = None

    def within(self, *place):
        return self._replace(place=(*place, *self.place))


class Unknown(Exception):
    """A construct that this program cannot compare."""


# --- schemas ----------------------------------------------------------------------------------------------------------


class Document:
    """An OpenAPI document, with references followed."""

    def __init__(self, content):
        self.content = content
        components = content.get("components", {})
        self.schemas, self.security = components.get("schemas", {}), components.get("securitySchemes", {})
        self.kept = {}

    def follow(self, schema):
        """A schema without a reference, and the name under which it was referred to, if it was."""
        if isinstance(schema, bool):
            if not schema:
                raise Unknown("a schema `false` that is no additionalProperties")
            return {}, None
        if "$ref" not in schema:
            return schema, None
        name = schema["$ref"].removeprefix("#/components/schemas/")
        if name not in self.schemas:
            raise Unknown(f"a reference to {schema['$ref']}")
        target, _ = self.follow(self.schemas[name])
        beside = {key: value for key, value in schema.items() if key not in ANNOTATIONS | {"$ref"}}
        return ({**target, **beside} if beside else target), name

    def variants(self, schema):
        """What a schema allows, as one schema for each type and alternative. Listed values are one alternative."""
        # By identity, because hashing a schema costs more than reading it. The entry keeps the schema alive.
        if id(schema) not in self.kept:
            self.kept[id(schema)] = (schema, self._variants(schema))
        return self.kept[id(schema)][1]

    def _variants(self, schema):
        schema, name = self.follow(schema)
        if unknown := [key for key in schema if key not in KNOWN and not key.startswith("x-")]:
            raise Unknown(f"keyword `{unknown[0]}`: teach openapi_compat.py what a change of it means")
        said = ("oneOf", "anyOf", "default", "x-default", *ANNOTATIONS)
        rest = {key: value for key, value in schema.items() if key not in said}
        if name:
            rest[NAME] = name
        found = [rest]
        for alternatives in (schema[key] for key in ("oneOf", "anyOf") if key in schema):
            found = [one | other for one in found for option in alternatives for other in self.variants(option)]
        values, named, others = [], {}, []
        for variant in found:
            if "const" in variant or "enum" in variant:
                values += [variant["const"]] if "const" in variant else variant["enum"]
                named = {NAME: variant[NAME]} if NAME in variant else named
            else:
                types = variant.get("type", TYPES)
                for kind in [types] if isinstance(types, str) else types:
                    meant = {key: value for key, value in variant.items() if kind in MEANT_FOR.get(key, TYPES)}
                    others.append({**meant, "type": kind})
        if None in values:
            others.append({"type": "null"})
        if listed := [value for value in values if value is not None]:
            others.append({"type": "enum", "enum": listed, **named})
        return others


def type_of(value):
    if value is None:
        return "null"
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next(name for kind, name in kinds if isinstance(value, kind))


def spoken(values):
    return ", ".join(json.dumps(value, ensure_ascii=False) for value in values)


class Comparison:
    """Of two documents."""

    def __init__(self, old, new):
        self.old, self.new = Document(old), Document(new)
        self.known = {}

    def schemas(self, old, new, direction):
        """The breaks between two schemas, for clients that send (request) or read (answer) such values."""
        # Set before the comparison, so that a schema that contains itself ends the recursion.
        key = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True), direction)
        if key not in self.known:
            self.known[key] = []
            self.known[key] = self._schemas(old, new, direction)
        return self.known[key]

    def _schemas(self, old, new, direction):
        (old_schema, old_name), (new_schema, new_name) = self.old.follow(old), self.new.follow(new)
        found = []
        defaults = [schema.get("default", schema.get("x-default")) for schema in (old_schema, new_schema)]
        if direction == REQUEST and defaults[0] is not None:
            before, after = defaults
            if before != after:
                found.append(Break(f"left out, it is no longer {spoken([before])}"))
        olds, news = self.old.variants(old), self.new.variants(new)
        # Each value that was sent has to be taken, and each that is answered has to be one that was answered before.
        narrow, wide = (olds, news) if direction == REQUEST else (news, olds)
        for variant in narrow:
            candidates = []
            for candidate in wide:
                breaks = self.within(variant, candidate, direction)
                if breaks is not None:
                    name = candidate.get(NAME) or variant.get(NAME)
                    candidates.append([one if one.schema else one._replace(schema=name) for one in breaks])
            if candidates:
                found += min(candidates, key=len)
            elif variant["type"] == "enum":
                found.append(Break(say(direction, f"{spoken(variant['enum'])}")))
            else:
                found.append(Break(say(direction, f"of type {variant['type']}")))
        name = new_name or old_name
        found = list(dict.fromkeys(found))
        return [one if one.schema else one._replace(schema=name) for one in found]

    def within(self, narrow, wide, direction):
        """The values of `narrow` that `wide` does not allow, as breaks; None if the types differ."""
        if narrow["type"] == "enum":
            return self.values_within(narrow["enum"], wide, direction)
        if wide["type"] == "enum":
            types = {type_of(value) for value in wide["enum"]}
            if narrow["type"] not in types:
                return None
            return [Break(say(direction, f"other than {spoken(wide['enum'])}"))]
        if narrow["type"] != wide["type"] and (narrow["type"], wide["type"]) != ("integer", "number"):
            return None
        old, new = (narrow, wide) if direction == REQUEST else (wide, narrow)
        found = [
            Break(f"`{key}` of {article(direction)} is {new.get(key, 'gone')}, was {old.get(key, 'not there')}")
            for key in SAME
            if key in wide and wide[key] != narrow.get(key)
        ]
        if direction == REQUEST:
            found += self.bounds(narrow, wide)
        if narrow["type"] == "array":
            inner = self.schemas(old.get("items", True), new.get("items", True), direction)
            found += [one.within("[]") for one in inner]
        if narrow["type"] == "object":
            found += self.objects(old, new) if direction == REQUEST else self.answered_objects(old, new)
        return found

    def values_within(self, values, wide, direction):
        if wide["type"] == "enum":
            missing = [value for value in values if value not in wide["enum"]]
            if {type_of(value) for value in values}.isdisjoint(map(type_of, wide["enum"])):
                return None
            # A client ignores values that it does not know.
            return [Break(say(direction, spoken(missing)))] if missing and direction == REQUEST else []
        if any(type_of(value) not in (wide["type"], "integer" if wide["type"] == "number" else "") for value in values):
            return None
        if "pattern" in wide:
            missing = [value for value in values if not re.search(wide["pattern"], value)]
            return [Break(say(direction, spoken(missing)))] if missing else []
        return []

    def bounds(self, old, new):
        for keys, is_narrower in ((UPPER, lambda new, old: new < old), (LOWER, lambda new, old: new > old)):
            for key in keys:
                if key in new and (key not in old or is_narrower(new[key], old[key])):
                    yield Break(f"`{key}` of a request is {new[key]}, was {old.get(key, 'not bounded')}")
        if new.get("uniqueItems") and not old.get("uniqueItems"):
            yield Break("no longer takes an element twice")

    def objects(self, old, new):
        """Of requests."""
        olds, news = old.get("properties", {}), new.get("properties", {})
        is_open = new.get("additionalProperties", True) is not False
        for name in olds.keys() - news.keys():
            yield Break("is ignored in requests" if is_open else "is refused in requests", (name,))
        for name in olds.keys() & news.keys():
            yield from (one.within(name) for one in self.schemas(olds[name], news[name], REQUEST))
        for name in set(new.get("required", ())) - set(old.get("required", ())):
            yield Break("is required now" if name in olds else "is new and required", (name,))
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if after is False and before is not False:
            yield Break("refuses fields that it does not know")
        elif after is not False and before is not False:
            yield from (one.within("*") for one in self.schemas(before, after, REQUEST))

    def answered_objects(self, old, new):
        olds, news = old.get("properties", {}), new.get("properties", {})
        for name in olds.keys() - news.keys():
            yield Break("is gone from answers", (name,))
        for name in olds.keys() & news.keys():
            yield from (one.within(name) for one in self.schemas(olds[name], news[name], ANSWER))
        for name in (set(old.get("required", ())) - set(new.get("required", ()))) & news.keys():
            yield Break("may be missing in answers", (name,))
        before, after = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(before, dict):
            if after is False:
                yield Break("is gone from answers", ("*",))
            else:
                yield from (one.within("*") for one in self.schemas(before, after, ANSWER))

    # --- operations ---------------------------------------------------------------------------------------------------

    def breaks(self):
        """All breaks, each with the method and path of its operation."""
        old, new = operations(self.old.content), operations(self.new.content)
        for key, (label, before) in old.items():
            if key not in new:
                yield label, Break("is gone")
                continue
            for one in self.operation(before, new[key][1]):
                yield label, one
        yield from self.webhooks(self.old.content.get("webhooks", {}), self.new.content.get("webhooks", {}))

    def webhooks(self, old, new):
        """Whoever is called reads what is sent."""
        for name, item in old.items():
            if name not in new:
                yield f"WEBHOOK {name}", Break("is gone")
                continue
            before, after = item["post"]["requestBody"], new[name]["post"]["requestBody"]
            for one in self.contents(before, after, ANSWER):
                yield f"WEBHOOK {name}", one

    def operation(self, old, new):
        yield from self.parameters(old["parameters"], new["parameters"])
        yield from self.request_bodies(old.get("requestBody"), new.get("requestBody"))
        yield from self.responses(old["responses"], new["responses"])
        if lost := [one for one in old["security"] if not self.is_accepted(one, new["security"])]:
            yield Break(f"no longer accepts {' or '.join(' with '.join(one) or 'no credential' for one in lost)}")

    def parameters(self, old, new):
        for key, before in old.items():
            label = f"parameter {before['name']} in {before['in']}"
            if key not in new:
                yield Break("is gone", (label,))
                continue
            after = new[key]
            if after.get("required") and not before.get("required"):
                yield Break("is required now", (label,))
            inner = self.schemas(before.get("schema", True), after.get("schema", True), REQUEST)
            yield from (one.within(label) for one in inner)
        for key in new.keys() - old.keys():
            if new[key].get("required"):
                yield Break("is new and required", (f"parameter {new[key]['name']} in {new[key]['in']}",))

    def request_bodies(self, old, new):
        label = "request body"
        if new is None:
            if old is not None:
                yield Break("is no longer taken", (label,))
            return
        if new.get("required") and not (old or {}).get("required"):
            yield Break("is required now", (label,))
        if old is not None:
            yield from (one.within(label) for one in self.contents(old, new, REQUEST))

    def responses(self, old, new):
        for status, before in old.items():
            if status in new:
                after = new[status]
                yield from (one.within(status) for one in self.contents(before, after, ANSWER))
                headers = {name.lower() for name in after.get("headers", {})}
                for name in before.get("headers", {}):
                    if name.lower() not in headers:
                        yield Break("is gone from answers", (status, f"header {name}"))
            elif status.startswith("2"):
                # A refusal that is no longer given breaks nobody.
                yield Break("is no longer answered", (status,))
        for status in new.keys() - old.keys():
            if status.startswith("2"):
                yield Break("is a new success, which no client expects", (status,))

    def contents(self, old, new, direction):
        before, after = old.get("content", {}), new.get("content", {})
        for kind, content in before.items():
            if kind in after:
                yield from self.schemas(content.get("schema", True), after[kind].get("schema", True), direction)
            else:
                yield Break(f"is no longer {kind}")

    def is_accepted(self, old, new):
        """Whether a request with these credentials is still accepted."""
        return any(all(any(self.is_same(name, had) for had in old) for name in one) for one in new)

    def is_same(self, new, old):
        if new == old or old in self.new.security:
            return new == old
        # The scheme is gone under its name. It may have been renamed.
        schemes = [document.security[name] for document, name in ((self.new, new), (self.old, old))]
        first, second = ({key: scheme[key] for key in scheme if key not in ANNOTATIONS} for scheme in schemes)
        return first == second


def article(direction):
    return "a request" if direction == REQUEST else "an answer"


def say(direction, values):
    return f"no longer takes a value {values}" if direction == REQUEST else f"may be a value {values}"


def operations(document):
    """The operations by method and path. Path parameters are matched by position, because their names may change."""
    found = {}
    for path, item in document["paths"].items():
        places = {name: str(place) for place, name in enumerate(re.findall(r"\{([^}]*)\}", path))}
        for method in METHODS:
            if method not in item:
                continue
            operation = dict(item[method])
            parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
            operation["parameters"] = {parameter_key(one, places): one for one in parameters}
            # A list with nothing in it, and no list: no credential.
            operation["security"] = operation.get("security", document.get("security", [])) or [{}]
            label = f"{method.upper()} {path}"
            found[method, re.sub(r"\{[^}]*\}", "{}", path)] = (label, operation)
    return found


def parameter_key(parameter, places):
    if "$ref" in parameter:
        raise Unknown(f"a reference to {parameter['$ref']}")
    name, place = parameter["name"], parameter["in"]
    return place, {"path": places.get(name, name), "header": name.lower()}.get(place, name)


# --- CHANGELOG.md -----------------------------------------------------------------------------------------------------


def entries(changelog):
    """The entries of all sections "API document", each as one line."""
    found, is_within = [], False
    for line in changelog.splitlines():
        if line.startswith("#"):
            is_within = bool(re.fullmatch(r"#{2,6} API document", line.strip()))
        elif is_within and line.startswith("- "):
            found.append(line)
        elif is_within and line.startswith("  ") and found:
            found[-1] += f" {line.strip()}"
    return found


def names(old_changelog, new_changelog):
    """What the new entries name: an entry about an earlier break excuses no later one."""
    before = set(entries(old_changelog))
    return {name for one in entries(new_changelog) if one not in before for name in re.findall(r"`([^`]+)`", one)}


# --- the report -------------------------------------------------------------------------------------------------------


def unnamed(breaks, named):
    """Breaks that no entry names, each with the name that it should have."""
    found = defaultdict(list)
    for label, one in breaks:
        if not named.intersection({label, label.split()[1], one.schema}):
            # One entry covers a schema, however many operations use it.
            found[one.schema or label, one].append(label)
    return found


HINT = """
Keep what clients rely on. Or, if the break is meant, name it in CHANGELOG.md, under the next release: in backticks a
schema, a path, or a method and a path. An entry that was there before does not count.

  ### API document
"""


def report(missing):
    by_name = defaultdict(lambda: defaultdict(list))
    for (name, one), labels in missing.items():
        text = f"{' '.join(one.place)} {one.what}".strip()
        by_name[name][text] += labels
    lines = ["The API document breaks clients of the one before:", ""]
    for name, texts in by_name.items():
        lines.append(f"`{name}`")
        for text, labels in texts.items():
            lines.append(f"  {text}")
            if labels != [name]:
                lines.append(f"    ({', '.join(dict.fromkeys(labels))})")
    lines.append(HINT)
    lines += [f"  - `{name}`: what its clients have to change." for name in by_name]
    return "\n".join(lines)


def main(old, new, old_changelog, new_changelog):
    old, new = (json.loads(Path(file).read_text()) for file in (old, new))
    named = names(*(Path(file).read_text() for file in (old_changelog, new_changelog)))
    try:
        breaks = list(Comparison(old, new).breaks())
    except Unknown as problem:
        sys.exit(f"The API documents can't be compared: {problem}")
    if missing := unnamed(breaks, named):
        sys.exit(report(missing))
    kinds = len({one for _, one in breaks})
    print(f"API document: {len(operations(old))} operations compared; breaks, all of them named: {kinds}")


if __name__ == "__main__":
    main(*sys.argv[1:])
