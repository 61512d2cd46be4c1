"""Bytes with gaps: how a flow is packed without being encoded.

An :class:`Assembly` is encoded once, with zeros where a flow's own values go,
and says where they go. A :class:`Splice` is made of it to fill those gaps as
fast as Python can: one formatting operation a flow.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.openflow.oxm import Subfield

Arguments = Sequence[Any]
"""A flow's arguments as they travel; those of a set's member follow them."""

Source = Callable[[Arguments, PackContext], bytes]
"""Gives the bytes that go into a gap."""


class Gap(NamedTuple):
    """`length` bytes at `offset`, to be filled with what `source` gives."""

    offset: int
    length: int
    source: Source


class Assembly(NamedTuple):
    """Bytes, and the gaps in them.

    Where a flow's arguments decide how long the bytes are, `build` makes them, and there is
    nothing to splice: `data` and `gaps` are empty.
    """

    data: bytes = b""
    gaps: tuple[Gap, ...] = ()
    build: Source | None = None

    def then(self, other: "Assembly") -> "Assembly":
        """This and then `other`."""
        if self.build or other.build:
            first, second = Splice(self).fill, Splice(other).fill
            return Assembly(build=lambda *given: first(*given) + second(*given))
        return Assembly(self.data + other.data, self.gaps + other.moved(len(self.data)).gaps)

    def moved(self, distance: int) -> "Assembly":
        """The same gaps further on; only to be used inside larger bytes."""
        gaps = tuple(gap._replace(offset=gap.offset + distance) for gap in self.gaps)
        return Assembly(self.data, gaps)

    def inside(self, wrap: Callable[[bytes], bytes]) -> "Assembly":
        """What `wrap` makes of the bytes, wherever in its result it puts them."""
        if self.build:
            build = self.build
            return Assembly(build=lambda *given: wrap(build(*given)))
        if not self.data:
            return Assembly(wrap(b""))
        start, _ = varying(wrap, len(self.data))
        return Assembly(wrap(self.data), self.moved(start).gaps)


def varying(encode: Callable[[bytes], bytes], length: int) -> tuple[int, int]:
    """Where the result of `encode` depends on the `length` bytes that it is given.

    >>> varying(lambda data: b"head" + data + b"tail", 2)
    (4, 6)
    """
    zeros, ones = encode(bytes(length)), encode(b"\xff" * length)
    differing = [i for i, (a, b) in enumerate(zip(zeros, ones, strict=True)) if a != b]
    return differing[0], differing[-1] + 1


def concatenated(parts: Sequence[Assembly]) -> Assembly:
    """One assembly after the other."""
    whole = Assembly()
    for part in parts:
        whole = whole.then(part)
    return whole


def constant(data: bytes) -> Assembly:
    """Bytes without a gap."""
    return Assembly(data)


def part_source(where: Subfield, number: Callable[[Arguments], int]) -> Source:
    """Gives all of a field's bytes with `number` in its place, and 0 elsewhere."""
    _, offset, bits = where
    size = where.field.size

    def source(arguments: Arguments, _: PackContext) -> bytes:
        value = number(arguments)
        if value >> bits:
            raise BadArgumentsError(f"{value} does not fit {bits} bits of {where.field.name}")
        return (value << offset).to_bytes(size)

    return source


class Splice:
    """An assembly, ready to be filled many times."""

    __slots__ = ("_build", "_format", "_length", "_sources")

    def __init__(self, assembly: Assembly) -> None:
        self._build = assembly.build
        pieces: list[bytes] = []
        sources = []
        end = 0
        for gap in sorted(assembly.gaps, key=lambda gap: gap.offset):
            if gap.offset < end:
                raise ValueError("gaps overlap")
            pieces += (assembly.data[end : gap.offset].replace(b"%", b"%%"), b"%b")
            sources.append(gap.source)
            end = gap.offset + gap.length
        rest = assembly.data[end:]
        self._format = b"".join(pieces) + rest.replace(b"%", b"%%") if sources else rest
        self._sources = tuple(sources)
        self._length = len(assembly.data)

    def fill(self, arguments: Arguments, context: PackContext) -> bytes:
        """The bytes with every gap filled."""
        if self._build is not None:
            return self._build(arguments, context)
        if not self._sources:
            return self._format
        filled = self._format % tuple([source(arguments, context) for source in self._sources])
        if len(filled) != self._length:
            raise BadArgumentsError(f"an argument of {arguments!r} has the wrong length")
        return filled
