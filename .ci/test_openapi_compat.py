"""Tests of openapi_compat.py: each kind of break is found, compatible changes are not reported, and an entry in
CHANGELOG.md excuses a break.

The last class tests it on the project's own document.
"""

import contextlib
import copy
import io
import json
import re
import tempfile
import unittest
from pathlib import Path

import openapi_compat
from openapi_compat import Comparison, Unknown, entries, main, names, report, unnamed

THING = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+$"},
        "name": {"$ref": "#/components/schemas/Name"},
        "kind": {"$ref": "#/components/schemas/Kind"},
        "note": {"anyOf": [{"$ref": "#/components/schemas/Name"}, {"type": "null"}], "description": "A note."},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3},
        "labels": {"type": "array", "items": {"type": "string"}, "maxItems": 5},
        "more": {"type": "object", "additionalProperties": {"type": "string"}},
        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        "any": True,
    },
    "required": ["id", "name"],
    "additionalProperties": False,
}

DOCUMENT = {
    "openapi": "3.1.0",
    "paths": {
        "/things/{id}": {
            "put": {
                "operationId": "putThing",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "dry", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "X-Actor", "in": "header", "schema": {"type": "string", "maxLength": 20}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                        "headers": {"X-Request-Id": {"schema": {"type": "string"}}},
                    },
                    "404": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}},
                },
                "security": [{"Key": []}, {"Token": []}],
            },
            "delete": {"responses": {"204": {}}, "security": []},
        },
    },
    "components": {
        "schemas": {
            "Thing": THING,
            "Name": {"type": "string", "minLength": 1, "maxLength": 50},
            "Kind": {"oneOf": [{"const": "a", "description": "First."}, {"const": "b"}, {"enum": ["c", "d"]}]},
            "Refusal": {"type": "object", "properties": {"code": {"enum": ["not_found"]}}, "required": ["code"]},
        },
        "securitySchemes": {
            "Key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "Token": {"type": "http", "scheme": "bearer"},
        },
    },
}
PUT = DOCUMENT["paths"]["/things/{id}"]["put"]


class Draft:
    """A copy of a document, to be changed."""

    def __init__(self, document=DOCUMENT):
        self.document = copy.deepcopy(document)
        self.schemas = self.document["components"]["schemas"]
        self.properties = self.schemas.get("Thing", {}).get("properties")
        self.item = self.document["paths"].get("/things/{id}")
        self.put = self.item and self.item["put"]

    def breaks(self, old=DOCUMENT):
        """As texts, sorted."""
        found = Comparison(old, self.document).breaks()
        return sorted({" ".join((label, *one.place, one.what)) for label, one in found})


class Breaks(unittest.TestCase):
    def setUp(self):
        self.new = Draft()

    def expect(self, *texts):
        self.assertEqual(self.new.breaks(), sorted(f"PUT /things/{{id}} {text}" for text in texts))

    # --- operations ---

    def test_a_path_that_is_gone(self):
        self.new.document["paths"].clear()
        self.assertEqual(self.new.breaks(), ["DELETE /things/{id} is gone", "PUT /things/{id} is gone"])

    def test_a_method_that_is_gone(self):
        del self.new.item["put"]
        self.expect("is gone")

    def test_a_parameter_that_is_gone(self):
        del self.new.put["parameters"][1]
        self.expect("parameter dry in query is gone")

    def test_a_parameter_that_is_required_now(self):
        self.new.put["parameters"][1]["required"] = True
        self.expect("parameter dry in query is required now")

    def test_a_parameter_that_is_new_and_required(self):
        self.new.put["parameters"].append(
            {"name": "team", "in": "query", "required": True, "schema": {"type": "string"}}
        )
        self.expect("parameter team in query is new and required")

    def test_a_parameter_that_takes_less(self):
        self.new.put["parameters"][2]["schema"]["maxLength"] = 10
        self.expect("parameter X-Actor in header `maxLength` of a request is 10, was 20")

    def test_a_body_that_is_required_now(self):
        self.new.put["requestBody"]["required"] = True
        self.expect("request body is required now")

    def test_a_body_that_is_no_longer_taken(self):
        del self.new.put["requestBody"]
        self.expect("request body is no longer taken")

    def test_a_media_type_that_is_gone(self):
        for content in (self.new.put["requestBody"], self.new.put["responses"]["200"]):
            content["content"] = {"text/plain": content["content"].pop("application/json")}
        self.expect("request body is no longer application/json", "200 is no longer application/json")

    def test_another_success(self):
        self.new.put["responses"]["201"] = self.new.put["responses"].pop("200")
        self.expect("200 is no longer answered", "201 is a new success, which no client expects")

    def test_a_header_that_is_gone(self):
        del self.new.put["responses"]["200"]["headers"]
        self.expect("200 header X-Request-Id is gone from answers")

    def test_a_credential_that_is_no_longer_accepted(self):
        self.new.put["security"] = [{"Key": []}]
        self.expect("no longer accepts Token")

    def test_a_credential_that_is_no_longer_enough(self):
        self.new.put["security"] = [{"Key": [], "Token": []}]
        self.expect("no longer accepts Key or Token")

    def test_a_credential_where_there_was_none(self):
        self.new.item["delete"]["security"] = [{"Key": []}]
        self.assertEqual(self.new.breaks(), ["DELETE /things/{id} no longer accepts no credential"])

    def test_a_credential_that_is_sent_elsewhere(self):
        self.new.document["components"]["securitySchemes"]["Header"] = {"type": "apiKey", "in": "header", "name": "Y"}
        del self.new.document["components"]["securitySchemes"]["Key"]
        self.new.put["security"][0] = {"Header": []}
        self.expect("no longer accepts Key")

    # --- requests ---

    def test_a_field_that_is_required_now(self):
        self.new.schemas["Thing"]["required"].append("kind")
        self.expect("request body kind is required now")

    def test_a_field_that_is_new_and_required(self):
        self.new.properties["team"] = {"type": "string"}
        self.new.schemas["Thing"]["required"].append("team")
        self.expect("request body team is new and required")

    def test_a_field_that_is_ignored(self):
        del self.new.schemas["Thing"]["additionalProperties"]
        del self.new.properties["kind"]
        self.assertIn("PUT /things/{id} request body kind is ignored in requests", self.new.breaks())

    def test_unknown_fields_that_are_refused(self):
        old = Draft()
        del old.schemas["Thing"]["additionalProperties"]
        self.assertIn(
            "PUT /things/{id} request body refuses fields that it does not know", self.new.breaks(old.document)
        )

    def test_a_default_under_the_name_that_generators_do_not_read(self):
        count = self.new.properties["count"]
        count["x-default"] = count.pop("default")
        self.assertEqual(self.new.breaks(), [])
        count["x-default"] = 4
        self.expect("request body count left out, it is no longer 3")

    def test_another_default(self):
        self.new.properties["count"]["default"] = 4
        self.expect("request body count left out, it is no longer 3")

    def test_narrower_limits_of_requests(self):
        narrower = {
            ("count", "minimum"): 2,
            ("count", "maximum"): 8,
            ("labels", "maxItems"): 4,
            ("labels", "minItems"): 1,
            ("labels", "uniqueItems"): True,
            ("more", "x-max-bytes-as-json"): 100,
        }
        for (field, keyword), value in narrower.items():
            with self.subTest(keyword):
                self.new = Draft()
                self.new.properties[field][keyword] = value
                self.assertEqual(len(self.new.breaks()), 1)

    # --- requests and answers ---

    def test_a_field_that_is_gone(self):
        del self.new.properties["kind"]
        self.expect(
            "request body kind is refused in requests",
            "200 kind is gone from answers",
        )

    def test_a_field_that_may_be_missing(self):
        self.new.schemas["Thing"]["required"].remove("name")
        self.expect("200 name may be missing in answers")

    def test_another_type(self):
        self.new.properties["count"]["type"] = "string"
        found = self.new.breaks()
        self.assertIn("PUT /things/{id} request body count no longer takes a value of type integer", found)
        self.assertIn("PUT /things/{id} 200 count may be a value of type string", found)

    def test_a_null_that_is_refused(self):
        self.new.properties["note"] = {"$ref": "#/components/schemas/Name"}
        self.assertIn("PUT /things/{id} request body note no longer takes a value of type null", self.new.breaks())

    def test_a_null_that_is_new(self):
        self.new.schemas["Name"]["type"] = ["string", "null"]
        self.assertIn("PUT /things/{id} 200 name may be a value of type null", self.new.breaks())

    def test_a_value_that_is_refused(self):
        for values in ({"oneOf": [{"const": "b"}, {"enum": ["c", "d"]}]}, {"enum": ["b", "c", "d"]}):
            self.new.schemas["Kind"] = values
            self.expect('request body kind no longer takes a value "a"')

    def test_any_text_where_there_were_values(self):
        self.new.schemas["Kind"] = {"type": "string"}
        self.assertIn('PUT /things/{id} 200 kind may be a value other than "a", "b", "c", "d"', self.new.breaks())

    def test_values_where_there_was_any_text(self):
        self.new.schemas["Name"] = {"enum": ["x", "y"]}
        self.assertIn(
            'PUT /things/{id} request body name no longer takes a value other than "x", "y"', self.new.breaks()
        )

    def test_another_pattern(self):
        self.new.properties["id"]["pattern"] = "^[a-z0-9]+$"
        found = self.new.breaks()
        self.assertIn("PUT /things/{id} request body id `pattern` of a request is ^[a-z0-9]+$, was ^[a-z]+$", found)
        self.assertIn("PUT /things/{id} 200 id `pattern` of an answer is ^[a-z0-9]+$, was ^[a-z]+$", found)

    def test_a_pattern_that_is_gone(self):
        del self.new.properties["id"]["pattern"]
        self.expect("200 id `pattern` of an answer is gone, was ^[a-z]+$")

    def test_another_format(self):
        self.new.properties["id"]["format"] = "uuid"
        self.assertIn(
            "PUT /things/{id} request body id `format` of a request is uuid, was not there", self.new.breaks()
        )

    def test_other_elements(self):
        self.new.properties["labels"]["items"] = {"type": "integer"}
        found = self.new.breaks()
        self.assertIn("PUT /things/{id} request body labels [] no longer takes a value of type string", found)
        self.assertIn("PUT /things/{id} 200 labels [] may be a value of type integer", found)

    def test_other_values_of_a_map(self):
        self.new.properties["more"]["additionalProperties"] = {"type": "integer"}
        found = self.new.breaks()
        self.assertIn("PUT /things/{id} request body more * no longer takes a value of type string", found)
        self.assertIn("PUT /things/{id} 200 more * may be a value of type integer", found)

    def test_another_body_of_a_refusal(self):
        self.new.schemas["Refusal"] = {"type": "object", "properties": {"error": {"type": "string"}}}
        self.expect("404 code is gone from answers")


class Compatible(unittest.TestCase):
    def setUp(self):
        self.new = Draft()

    def tearDown(self):
        self.assertEqual(self.new.breaks(), [])

    def test_nothing(self):
        pass

    def test_more_operations(self):
        self.new.document["paths"]["/things"] = {"get": self.new.put}

    def test_an_optional_parameter(self):
        self.new.put["parameters"].append({"name": "team", "in": "query", "schema": {"type": "string"}})

    def test_an_optional_field(self):
        self.new.properties["team"] = {"type": "string"}

    def test_a_new_value(self):
        self.new.schemas["Kind"]["oneOf"].append({"const": "e"})
        self.new.schemas["Refusal"]["properties"]["code"]["enum"].append("gone")

    def test_a_field_that_need_not_be_sent(self):
        # In requests: an answer has its own schema.
        self.new.schemas["Input"] = {**copy.deepcopy(THING), "required": []}
        body = self.new.put["requestBody"]["content"]["application/json"]
        body["schema"] = {"$ref": "#/components/schemas/Input"}

    def test_wider_limits(self):
        self.new.schemas["Name"] |= {"maxLength": 100, "minLength": 0}
        self.new.properties["count"] |= {"minimum": 0, "maximum": 10}
        del self.new.properties["labels"]["maxItems"]

    def test_more_refusals_and_fewer(self):
        self.new.put["responses"]["409"] = self.new.put["responses"].pop("404")

    def test_another_way_to_list_values(self):
        self.new.schemas["Kind"] = {"type": "string", "enum": ["d", "c", "b", "a"]}
        self.new.properties["note"] = {"type": ["null", "string"], "minLength": 1, "maxLength": 50}

    def test_other_names(self):
        text = json.dumps(self.new.document).replace('schemas/Thing"', 'schemas/Object"').replace("{id}", "{thing_id}")
        text = (
            text.replace('"name": "id"', '"name": "thing_id"').replace('"Key"', '"ApiKey"').replace("putThing", "put")
        )
        self.new.document = json.loads(text)
        self.new.document["components"]["schemas"]["Object"] = self.new.document["components"]["schemas"].pop("Thing")

    def test_another_credential_besides(self):
        self.new.put["security"].append({"Other": []})
        self.new.document["components"]["securitySchemes"]["Other"] = {"type": "http", "scheme": "basic"}

    def test_a_credential_that_is_no_longer_needed(self):
        self.new.put["security"] = []

    def test_other_descriptions(self):
        self.new.schemas["Kind"]["oneOf"][0]["description"] = "The first."
        self.new.properties["note"]["description"] = "Another note."
        self.new.put["operationId"] = "replaceThing"


class Undecidable(unittest.TestCase):
    def test_a_keyword_that_nobody_has_taught_it(self):
        new = Draft()
        new.schemas["Thing"]["patternProperties"] = {"^x": {}}
        self.assertRaisesRegex(Unknown, "patternProperties", new.breaks)

    def test_a_reference_to_nothing(self):
        new = Draft()
        del new.schemas["Kind"]
        self.assertRaisesRegex(Unknown, "schemas/Kind", new.breaks)


CHANGELOG = """# Changelog

## Unreleased

### Added

- `PUT /things/{id}` takes `X-Actor`.

### API document

- `Kind`: no longer `a`; send `b`
  or `Other`.

## 0.1.0

### API document

- `/things/{id}`: everything.
"""


class Changelog(unittest.TestCase):
    def setUp(self):
        self.new = Draft()
        self.new.schemas["Kind"]["oneOf"].pop(0)
        self.breaks = list(Comparison(DOCUMENT, self.new.document).breaks())

    def test_only_entries_of_its_section_count(self):
        expected = ["- `Kind`: no longer `a`; send `b` or `Other`.", "- `/things/{id}`: everything."]
        self.assertEqual(entries(CHANGELOG), expected)

    def test_an_entry_that_was_there_before_does_not_count(self):
        before = CHANGELOG.replace("- `Kind`: no longer `a`; send `b`\n  or `Other`.\n", "")
        self.assertEqual(names(before, CHANGELOG), {"Kind", "a", "b", "Other"})
        self.assertEqual(names(CHANGELOG, CHANGELOG), set())

    def test_a_break_is_named_by_schema_path_or_operation(self):
        for name in ("Kind", "/things/{id}", "PUT /things/{id}"):
            self.assertEqual(unnamed(self.breaks, {name}), {}, name)
        for name in ("Thing", "DELETE /things/{id}", "/things"):
            self.assertEqual(len(unnamed(self.breaks, {name})), 1, name)

    def test_the_report_says_what_to_write(self):
        text = report(unnamed(self.breaks, set()))
        self.assertIn('request body kind no longer takes a value "a"', text)
        self.assertIn("### API document\n\n  - `Kind`: ", text)
        self.assertIn("CHANGELOG.md", text)

    def test_the_program_fails_until_the_break_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            contents = {
                "old.json": json.dumps(DOCUMENT),
                "new.json": json.dumps(self.new.document),
                "new.md": CHANGELOG,
            }
            for name, content in contents.items():
                Path(folder, name).write_text(content)
            old, new, changelog = (f"{folder}/{name}" for name in contents)
            with self.assertRaisesRegex(SystemExit, "no longer takes"):
                main(old, new, changelog, changelog)
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                main(old, new, "/dev/null", changelog)
            self.assertIn("breaks, all of them named: 1", printed.getvalue())


class OwnDocument(unittest.TestCase):
    """The project's document: each operation and field is reported when it is removed."""

    document = json.loads(Path(openapi_compat.__file__).parent.parent.joinpath("shared/openapi.json").read_text())

    def test_it_is_compatible_with_itself(self):
        self.assertEqual(Draft(self.document).breaks(self.document), [])

    def test_each_operation_is_missed(self):
        new = Draft(self.document)
        expected = sorted(f"{label} is gone" for label, _ in openapi_compat.operations(self.document).values())
        new.document["paths"] = {}
        self.assertEqual(new.breaks(self.document), expected)
        self.assertGreater(len(expected), 40)

    def test_each_webhook_and_each_field_of_its_body_is_missed(self):
        for name in self.document["webhooks"]:
            new = Draft(self.document)
            del new.document["webhooks"][name]
            self.assertEqual(new.breaks(self.document), [f"WEBHOOK {name} is gone"])
            new = Draft(self.document)
            body = new.document["webhooks"][name]["post"]["requestBody"]
            schema = body["content"]["application/json"]["schema"]
            schema["properties"], schema["required"] = {}, []
            self.assertGreaterEqual(len(new.breaks(self.document)), 7)

    def used(self):
        """The schemas that an operation uses, by itself or through others."""
        schemas, found, next_ones = self.document["components"]["schemas"], set(), [self.document["paths"]]
        while next_ones:
            names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(next_ones.pop()))) - found
            found |= names
            next_ones += [schemas[name] for name in names]
        return {name: schemas[name] for name in sorted(found)}

    def test_each_field_is_missed(self):
        count = 0
        for name, schema in self.used().items():
            fields = set(schema.get("properties", ()))
            new = Draft(self.document)
            new.schemas[name].pop("required", None)
            new.schemas[name]["properties"] = {}
            found = Comparison(self.document, new.document).breaks()
            missed = {one.place[-1] for _, one in found if one.what.startswith(("is gone", "is refused", "is ignored"))}
            self.assertLessEqual(fields, missed, name)
            count += len(fields)
        self.assertGreater(count, 200)


if __name__ == "__main__":
    unittest.main()
