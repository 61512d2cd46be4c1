"""What one end of the watch understands, said to the other end when they meet.

Either end may be of a newer release. So rows and messages are *open*: what an end doesn't
know it skips, counts and shows, and goes on with the rest. For that to be right,

- a table, a message or a question is added under a name of its own;
- a field is added at the end of its row or message, with a default: an older end ignores
  it, a newer end that isn't sent it takes the default;
- no field changes its type or its meaning, none is removed, and the values of an
  enumeration don't grow (a new field carries the new ones), except of those that are open:
  the types of port bindings (:mod:`southbound.port_types`);
- whatever is new in the language of logical flows brings a new word.

:data:`southbound.wire.PROTOCOL` goes up only for a change that none of this can express.
Ends that say nothing of what they understand are of a release that was not open yet:
:mod:`southbound.closed` says what these know.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

MAX_NAMES: Final = 8192
MAX_NAME: Final = 128
"""Characters of one name."""


class Vocabulary(msgspec.Struct, frozen=True, array_like=True):
    """The names of everything that an end understands, by what they are names of.

    `messages` and `questions` are those that it takes, `words` those of logical flows: see
    :mod:`logical_flow.words`. `tables` have the names of the fields of their rows.
    """

    tables: Mapping[str, tuple[str, ...]] = {}
    messages: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def names(self) -> Iterator[str]:
        """Every name, one after the other."""
        for table, fields in self.tables.items():
            yield table
            yield from fields
        yield from self.messages
        yield from self.questions
        yield from self.words

    def fault(self) -> str:
        """Say why it is not fit to be kept; empty if it is."""
        for count, name in enumerate(self.names(), 1):
            if count > MAX_NAMES:
                return f"the vocabulary has more than {MAX_NAMES} names"
            if len(name) > MAX_NAME:
                return f"a name in the vocabulary has {len(name)} characters, not {MAX_NAME}"
            if not name.isprintable():
                return "a name in the vocabulary can't be printed"
        return ""

    def lacking(self, other: "Vocabulary") -> list[str]:
        """Return what `other` has and this one hasn't, as words to show.

        >>> old = Vocabulary({"fdb": ("mac",)}, messages=("ask",))
        >>> old.lacking(Vocabulary({"fdb": ("mac", "port"), "stage": ()}, words=("ct.est",)))
        ['field port of table fdb', 'table stage', 'word ct.est']
        """
        found = []
        for table, fields in other.tables.items():
            if table not in self.tables:
                found.append(f"table {table}")
                continue
            mine = frozenset(self.tables[table])
            found += [f"field {field} of table {table}" for field in fields if field not in mine]
        for kind in ("messages", "questions", "words"):
            known = frozenset(getattr(self, kind))
            singular = kind.removesuffix("s")
            found += [f"{singular} {name}" for name in getattr(other, kind) if name not in known]
        return found
