"""Templates of flows, compiled when they arrive.

A template's id is the hash of its content, so what it compiles to never changes
and looking at it needs no record. Only that an id isn't known yet can change,
and so only misses are recorded reads: see :class:`KnownTemplates`.
"""

from collections.abc import Iterator, Mapping

from chassis_agent.compile import CompiledTemplate, compile_template
from incremental import Read
from southbound.rows import Template


class TemplateCompiler:
    """Compiles templates once, and keeps them by id."""

    def __init__(self) -> None:
        self._compiled: dict[int, CompiledTemplate] = {}

    def compiled_template(self, read: Read, key: int) -> CompiledTemplate | None:
        row = read(Template, key)
        if row is None:
            return None
        compiled = self._compiled.get(key)
        if compiled is None:
            compiled = self._compiled[key] = compile_template(row)
        return compiled

    def known(self, read: Read) -> "KnownTemplates":
        return KnownTemplates(self, self._compiled, read)


class KnownTemplates(Mapping[int, CompiledTemplate]):
    """The compiled templates by id; a miss is a recorded read."""

    def __init__(
        self, compiler: TemplateCompiler, compiled: Mapping[int, CompiledTemplate], read: Read
    ) -> None:
        self._compiler = compiler
        self._compiled = compiled
        self._read = read

    def __getitem__(self, key: int) -> CompiledTemplate:
        found = self._compiled.get(key)
        if found is None:
            found = self._read(self._compiler.compiled_template, key)
        if found is None:
            raise KeyError(key)
        return found

    def __iter__(self) -> Iterator[int]:
        raise TypeError("which templates there are is no recorded read")

    def __len__(self) -> int:
        raise TypeError("how many templates there are is no recorded read")
