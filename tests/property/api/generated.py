"""Requests made from the description of the API: any operation, most of them nearly right.

Hypothesis draws values for a JSON schema, of the part of it that our description uses.
Texts come from a handful that mean something, so that what refers to other objects often
finds one. Now and then a value is replaced by something else altogether.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

Schema = Mapping[str, Any]

TEXTS = (
    "web",
    "edge",
    "spare",
    "uplink",
    "nets",
    "others",
    "dynamic",
    "unknown",
    "router",
    "discard",
    "0a:00:00:00:00:01",
    "0a:00:00:00:00:01 10.0.0.11",
    "10.0.0.11",
    "10.0.0.0/24",
    "fd00::1/64",
    "icmp web-1 -> web-2",
    "ip4.src == $nets && inport == @others",
    "#alias",
    "0",
    "0x10",
    "-1",
    "9" * 400,
    "1e308",
    "",
    " ",
    "a/b",
    "%2e%2e",
    "‮é😀",
    "'; DROP TABLE acl; --",
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(TEXTS)
    | st.text(max_size=20)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(TEXTS) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)

RAW_BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "invalid UTF-8": b'{"name": "\xff"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "an integer of 5,000 digits": b'{"name": "x", "priority": ' + b"9" * 5000 + b"}",
    "a float of 5,000 digits": b'{"expires_in": ' + b"9" * 5000 + b".0}",
    "infinity": b'{"expires_in": 1e999}',
    "lists in lists": b'{"labels": ' + b"[" * 100_000,
    "objects in objects": b'{"labels": ' + b'{"a":' * 100_000,
    "closed lists in lists": b'{"labels": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "half a surrogate": b'{"name": "\\ud800", "operations": [{"action": "delete", '
    b'"kind": "acl", "ref": "\\udfff"}], "add": ["\\ud800"]}',
    "NUL": b'{"name": "\\u0000", "operations": [{"action": "delete", '
    b'"kind": "acl", "ref": "\\u0000"}], "add": ["\\u0000"]}',
    "members twice": b"{" + b",".join(b'"%d": 1' % (i % 5000) for i in range(10_000)) + b"}",
    "only a comment": b"# nothing",
    "brackets in YAML": b"labels: " + b"[" * 100_000,
    "an alias of itself": b"labels: &a [*a]",
    "aliases": b"\n".join(
        [
            b"a0: &a0 [x]",
            *(b"a%d: &a%d [%s]" % (i, i, b"*a%d, " % (i - 1) * 9) for i in range(1, 12)),
        ]
    ),
    "a tag": b"!!python/object/apply:os.system [id]",
}


class Request(NamedTuple):
    """What is sent."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


class Described:
    """The description of an API, and what it says of requests."""

    def __init__(self, description: Schema) -> None:
        self._schemas = description["components"]["schemas"]
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in description["paths"].items()
            for method, operation in methods.items()
        }

    def requests(self, operation_id: str) -> st.SearchStrategy[Request]:
        """Requests of one operation."""
        method, path, operation = self.operations[operation_id]

        @st.composite
        def request(draw: st.DrawFn) -> Request:
            filled, query, headers = path, {}, {}
            for parameter in operation.get("parameters", ()):
                if not (parameter.get("required") or draw(st.booleans())):
                    continue
                values = self.values(parameter["schema"])
                if parameter["name"] == "if-match":
                    values = st.sampled_from(["*", '"1"', '"7"']) | values
                text = str(draw(_texts_of(values)))
                if parameter["in"] == "path":
                    filled = filled.replace(_placeholder(path, parameter["name"]), _segment(text))
                elif parameter["in"] == "query":
                    query[parameter["name"]] = text
                else:
                    headers[parameter["name"]] = text.encode("ascii", "replace").decode()
            if "wait" in query:
                query["timeout"] = "0.01"
            body = None
            for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
                headers["Content-Type"] = media_type
                body = draw(_sometimes_else(self.values(media["schema"])))
                break
            target = f"{filled}?{urlencode(query, errors='replace')}" if query else filled
            return Request(method, target, body, headers)

        return request()

    def values(self, schema: Schema) -> st.SearchStrategy[Any]:
        """Values that fit `schema`, or nearly."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return st.deferred(lambda: self.values(self._schemas[name]))
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return st.one_of([self.values(each) for each in schema[choice]])
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return _sometimes_else(st.sampled_from(schema["enum"]))
        kinds = schema.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return st.one_of([self._of_type(kind, schema) for kind in kinds]) if kinds else anything

    def _of_type(self, kind: str, schema: Schema) -> st.SearchStrategy[Any]:
        if kind == "object":
            return self._objects(schema)
        if kind == "array":
            return st.lists(
                _sometimes_else(self.values(schema.get("items", {}))),
                min_size=schema.get("minItems", 0),
                max_size=schema.get("minItems", 0) + 3,
            )
        if kind == "integer":
            low, high = schema.get("minimum", -5), schema.get("maximum", 1 << 40)
            return st.integers(low, high) | st.sampled_from([low, high, low - 1, high + 1])
        if kind == "number":
            return st.floats(0.001, 600.0) | st.sampled_from([0, -1, 1e308])
        return {"boolean": st.booleans(), "null": st.none()}.get(
            kind, st.sampled_from(TEXTS) | st.text(max_size=20)
        )

    def _objects(self, schema: Schema) -> st.SearchStrategy[Any]:
        properties = schema.get("properties", {})
        required = set(schema.get("required", ()))
        fixed = st.fixed_dictionaries(
            {n: _sometimes_else(self.values(s)) for n, s in properties.items() if n in required},
            optional={
                n: _sometimes_else(self.values(s))
                for n, s in properties.items()
                if n not in required
            },
        )
        named = list(schema.get("patternProperties", {}).values())
        more = named[0] if named else schema.get("additionalProperties", True)
        if more is False:
            return fixed
        inner = anything if more is True else self.values(more)
        others = st.dictionaries(st.sampled_from(TEXTS), inner, max_size=2)
        return st.builds(lambda one, other: {**other, **one}, fixed, others)


def _sometimes_else(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda chance: anything if chance == 0 else values)


def _texts_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values.map(lambda value: str(value).lower() if isinstance(value, bool) else value)


def _placeholder(path: str, name: str) -> str:
    for placeholder in (f"{{{name}}}", f"{{{name}:path}}"):
        if placeholder in path:
            return placeholder
    raise AssertionError(f"{path} has no {name}")


def _segment(text: str) -> str:
    """A text as a part of a path that stays one: with a slash in it it would be another."""
    cleaned = text.encode("utf-8", "replace").decode().replace("/", "|")
    return quote(cleaned, safe="") if cleaned not in ("", ".", "..") else "web"


def raw_bodies(operation: Schema) -> Sequence[tuple[str, str, bytes]]:
    """Bodies that are no values of any schema: what they are, media type, bytes."""
    return [
        (what, media_type, body)
        for media_type in operation.get("requestBody", {}).get("content", {})
        for what, body in RAW_BODIES.items()
    ]
