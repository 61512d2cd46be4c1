"""Rows for agents that are not open: only what these understand, in their own terms.

Such an agent (:mod:`southbound.closed`) gives up the connection at a row that it doesn't
know, and a whole flow group at a word that it can't parse. So

- rows of other tables are kept from it, and ports of other types;
- a template with a word that it doesn't know, and a flow whose match has one, become what
  stands in for them (:mod:`logical_flow.stand_in`), as an open agent does by itself;
- the ids of templates count in the place of their stage, since it takes two templates with
  one id for the same wherever they stand.

Pipelines change only when a server starts, with a new epoch: then all is sent anew.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import msgspec

from logical_flow.errors import LogicalFlowError
from logical_flow.payload import PackedFlow, decode_packed
from logical_flow.stand_in import match_positions, stand_in
from logical_flow.template import TemplateText
from logical_flow.words import unknown_words
from southbound import wire
from southbound.closed import CLOSED_AGENT, DATAPATH_KINDS, PORT_TYPES
from southbound.rows import (
    AnyRow,
    Datapath,
    FlowGroup,
    PortBinding,
    Row,
    RowId,
    Stage,
    Template,
)

_WORDS: Final = frozenset(CLOSED_AGENT.words)
_MATCH_HOLE: Final = "{expr}"

_encode_payload = msgspec.msgpack.Encoder().encode


class _Form(NamedTuple):
    """A template in the agents' terms, and which of a flow's arguments it takes (None: all)."""

    row: Template
    positions: tuple[int, ...] | None


class _Forms(NamedTuple):
    """What flows of a template become: as they are, or where their match isn't understood.

    None stands for no flow at all. `matches` are the arguments that are matches, `unknown`
    words of the template itself.
    """

    source: Template
    stage: Stage | None
    usual: _Form | None
    without_match: _Form | None
    matches: tuple[int, ...]
    unknown: tuple[str, ...]


class ClosedDialect:
    """Translates parts of updates. `get` gives the rows that there are."""

    def __init__(self, get: Callable[[RowId], Row | None]) -> None:
        self._get = get
        self._forms: dict[int, _Forms] = {}
        self._ids: dict[int, set[int]] = {}
        """All ids under which the agents were ever sent a template, by its own."""
        self._lacks: dict[str, dict[RowId, set[str]]] = {}
        """What rows of each scope need that the agents don't know, as sentences."""

    def part(self, part: wire.Part) -> wire.Part:
        """The part as the agents understand it."""
        deletes = [
            row_id
            for deleted in part.deletes
            if deleted[0] in CLOSED_AGENT.tables
            for row_id in self._deleted(deleted)
        ]
        scope_lacks = {} if part.full else self._lacks.get(part.scope, {})
        for row_id in part.deletes:
            scope_lacks.pop(row_id, None)
        puts: list[AnyRow] = []
        for row in part.puts:
            if row.table not in CLOSED_AGENT.tables:
                continue
            lacks: set[str] = set()
            match row:
                case Template():
                    rows = self._templates(row)
                    kept = {each.id for each in rows}
                    former = self._ids.setdefault(row.id, set())
                    deletes += [(Template.table, str(old)) for old in sorted(former - kept)]
                    former |= kept
                    puts += rows
                case FlowGroup():
                    puts.append(self._group(row, lacks))
                case PortBinding() if row.type not in PORT_TYPES:
                    deletes.append(row.row_id)
                    lacks.add(f"ports of type `{row.type}` need an agent that knows them")
                case Datapath() if row.kind not in DATAPATH_KINDS:
                    deletes.append(row.row_id)
                    lacks.add(f"datapaths of kind `{row.kind}` need an agent that knows them")
                case _:
                    puts.append(row)
            scope_lacks.pop(row.row_id, None)
            if lacks:
                scope_lacks[row.row_id] = lacks
        self._lacks.pop(part.scope, None)
        if scope_lacks:
            self._lacks[part.scope] = scope_lacks
        return wire.Part(part.scope, part.full, tuple(puts), tuple(deletes))

    def lacks(self, scopes: Set[str]) -> list[str]:
        """Say what an agent of these scopes would have to know."""
        concerned = (self._lacks[scope] for scope in self._lacks.keys() & scopes)
        return sorted({lack for rows in concerned for lacks in rows.values() for lack in lacks})

    def _deleted(self, row_id: RowId) -> Iterator[RowId]:
        table, key = row_id
        if table != Template.table:
            yield row_id
            return
        for old in sorted(self._ids.pop(int(key), ())):
            yield (table, str(old))

    def _templates(self, row: Template) -> list[Template]:
        forms = self._forms_of(row)
        found = [form.row for form in (forms.usual, forms.without_match) if form is not None]
        return list(dict.fromkeys(found))

    def _group(self, group: FlowGroup, lacks: set[str]) -> FlowGroup:
        try:
            packed = decode_packed(group.payload)
        except LogicalFlowError:
            # Nothing that anybody could read; what agents say of it is theirs to say.
            return group
        flows = [flow for each in packed if (flow := self._flow(each, lacks)) is not None]
        return msgspec.structs.replace(group, payload=_encode_payload(flows))

    def _flow(self, packed: PackedFlow, lacks: set[str]) -> PackedFlow | None:
        template = self._get((Template.table, str(packed[0]))) if packed else None
        if not isinstance(template, Template):
            return packed
        forms = self._forms_of(template)
        unknown = [*forms.unknown]
        form = forms.usual
        matches = [packed[1 + at] for at in forms.matches if 1 + at < len(packed)]
        in_matches = unknown_words(*map(str, matches), known=_WORDS)
        if in_matches:
            unknown += in_matches
            form = forms.without_match
        if unknown:
            words = ", ".join(f"`{word}`" for word in unknown)
            name = f"{template.stage} {template.id:#x}"
            lacks.add(f"flows of template {name} need an agent that knows {words}")
        if form is None:
            return None
        arguments: Iterable[Any] = packed[1:]
        if form.positions is not None:
            arguments = (packed[1 + position] for position in form.positions)
        return (form.row.id, *arguments)

    def _forms_of(self, row: Template) -> _Forms:
        stage = self._get((Stage.table, row.stage))
        declared = stage if isinstance(stage, Stage) else None
        forms = self._forms.get(row.id)
        if forms is None or (forms.source, forms.stage) != (row, declared):
            forms = self._forms[row.id] = _forms(row, declared)
        return forms


def _forms(row: Template, stage: Stage | None) -> _Forms:
    text = TemplateText(*(getattr(row, name) for name in TemplateText._fields))
    failure = row.stage_default if stage is None else stage.failure
    unknown = unknown_words(row.priority, row.match, row.actions, known=_WORDS)
    usual: _Form | None = _Form(_placed(row), None)
    if unknown:
        usual = _stand_in(text, failure, _WORDS)
    without_match = usual
    matches = match_positions(text)
    if matches:
        without_match = _stand_in(text, failure, _WORDS - {_MATCH_HOLE})
    return _Forms(row, stage, usual, without_match, matches, tuple(unknown))


def _stand_in(text: TemplateText, failure: str, known: frozenset[str]) -> _Form | None:
    found = stand_in(text, failure, known)
    return None if found is None else _Form(_placed(Template(*found.text)), found.positions)


def _placed(row: Template) -> Template:
    """The template under an id that its place counts in."""
    content = "\0".join(str(getattr(row, name)) for name in row.__struct_fields__[1:])
    number = int.from_bytes(blake2b(content.encode(), digest_size=4).digest())
    return msgspec.structs.replace(row, id=number)
