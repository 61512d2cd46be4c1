"""``/docs``: the description of the API as one page of HTML.

It is made from the description itself, needs no script and nothing from elsewhere: a
server often stands where browsers have no way out. Every operation is there with its
parameters, its body, examples and all answers; every schema with its fields.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

Part = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
details { border: 1px solid #8886; border-radius: 4px; margin: .4rem 0; padding: 0 .8rem; }
details > details { margin: .6rem 0; }
summary { cursor: pointer; padding: .4rem 0; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .6rem; background: #8881; border-radius: 4px; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; }
.method { display: inline-block; min-width: 4.5em; font-weight: bold; }
.quiet { opacity: .7; }
"""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Of the content: there is nothing to load and nothing to run."""


def reference_page(description: Part) -> str:
    """The page about an API that `description` (OpenAPI 3.1) describes."""
    return "".join(_page(description))


def _page(description: Part) -> Iterator[str]:
    info = description["info"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    yield f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title>"
    yield f"<style>{_STYLE}</style><body><h1>{title}</h1>{_text(info.get('description', ''))}"
    yield "<p>For programs: <a href='openapi.json'><code>openapi.json</code></a>.</p>"
    by_tag: dict[str, list[str]] = {}
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            shown = "".join(_operation(path, method, operation, description))
            by_tag.setdefault(operation["tags"][0], []).append(shown)
    for tag, operations in by_tag.items():
        yield f"<h2>{escape(tag)}</h2>{''.join(operations)}"
    yield "<h2>Schemas</h2>"
    for name, schema in sorted(description["components"]["schemas"].items()):
        yield f"<details id='{escape(name)}'><summary><code>{escape(name)}</code></summary>"
        yield f"{_text(schema.get('description', ''))}{''.join(_fields(schema))}</details>"
    yield "</body></html>"


def _operation(path: str, method: str, operation: Part, description: Part) -> Iterator[str]:
    yield f"<details id='{escape(operation['operationId'])}'>"
    yield f"<summary><code><span class='method'>{method.upper()}</span>{escape(path)}</code> "
    yield f"<span class='quiet'>{escape(operation['summary'])}</span></summary>"
    yield _text(operation.get("description", ""))
    parameters = operation.get("parameters", ())
    if parameters:
        yield "<h4>Parameters</h4><table>"
        for parameter in parameters:
            needed = ", required" if parameter.get("required") else ""
            yield _row(
                f"<code>{escape(parameter['name'])}</code>",
                f"<span class='quiet'>{parameter['in']}{needed}</span>",
                _type(parameter["schema"]),
                escape(parameter.get("description", "")),
            )
        yield "</table>"
    for media_type, media in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<h4>Body <code>{escape(media_type)}</code>: {_type(media['schema'])}</h4>"
        yield from _examples(media, description)
    yield "<h4>Answers</h4>"
    for status, response in operation["responses"].items():
        yield f"<details><summary>{escape(status)} {escape(response['description'])}</summary>"
        for media_type, media in response.get("content", {}).items():
            of = f": {_type(media['schema'])}" if "schema" in media else ""
            yield f"<p><code>{escape(media_type)}</code>{of}</p>"
            yield from _examples(media, description)
        for name, header in response.get("headers", {}).items():
            yield f"<p><code>{escape(name)}</code>: {escape(header.get('description', ''))}</p>"
        yield "</details>"
    yield "</details>"


def _examples(media: Part, description: Part) -> Iterator[str]:
    if "example" in media:
        yield _shown(media["example"])
    for example in media.get("examples", {}).values():
        found = _resolved(example, description)
        yield f"<p class='quiet'>{escape(found.get('summary', ''))}</p>{_shown(found['value'])}"


def _resolved(part: Part, description: Part) -> Part:
    """What a reference leads to."""
    for step in part["$ref"].removeprefix("#/").split("/") if "$ref" in part else ():
        description = description[step]
    return description if "$ref" in part else part


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return f"<pre>{escape(text)}</pre>"


def _fields(schema: Part) -> Iterator[str]:
    properties = schema.get("properties")
    if not properties:
        yield f"<p>{_type(schema)}</p>"
        return
    required = schema.get("required", ())
    yield "<table>"
    for name, field in properties.items():
        yield _row(
            f"<code>{escape(name)}</code>",
            f"<span class='quiet'>{'required' if name in required else ''}</span>",
            _type(field),
            escape(field.get("description", "")),
        )
    yield "</table>"


def _type(schema: Part) -> str:
    """What values are like, in a few words."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f"<a href='#{name}'>{name}</a>"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    if words == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = (
        f"{sign} {schema[name]}"
        for name, sign in (("minimum", "≥"), ("maximum", "≤"), ("exclusiveMinimum", ">"))
        if name in schema
    )
    return escape(" ".join([words, *bounds]))


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _text(text: str) -> str:
    """Paragraphs, with what is between backquotes as code."""
    paragraphs = (escape(paragraph).split("`") for paragraph in text.split("\n\n") if paragraph)
    return "".join(
        "<p>"
        + "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
        + "</p>"
        for parts in paragraphs
    )
