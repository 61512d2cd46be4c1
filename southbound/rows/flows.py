"""Rows of logical flows: stages, templates, what fills these, and the sets that they name."""

from typing import ClassVar

from southbound.rows.base import Row, datapath_scope, set_scope


class Stage(Row, frozen=True, array_like=True, tag="stage"):
    """A stage of a pipeline. `place` orders those of one pipeline (0 is the first).

    `default` says what becomes of packets that no flow takes, `failure` what becomes of
    those that a flow is for which can't be made: ``next`` or ``drop``. `role` is one of
    :class:`logical_flow.roles.Role`, or one that only newer releases know.
    """

    table: ClassVar[str] = "stage"

    name: str
    pipeline: str
    place: int
    default: str
    failure: str = "drop"
    role: str = ""

    @property
    def key(self) -> str:
        return self.name


class Template(Row, frozen=True, array_like=True, tag="template"):
    """A flow template as data: what an agent needs to compile it.

    `id` is the hash of what its flows are. Where `stage` stands in its pipeline doesn't
    count in that: `table_number` and `stage_default` are those of the :class:`Stage`, for
    agents that don't read such rows.
    """

    table: ClassVar[str] = "template"

    id: int
    pipeline: str
    stage: str
    table_number: int
    stage_default: str
    priority: str
    match: str
    actions: str
    only: str

    @property
    def key(self) -> str:
        return str(self.id)


class FlowGroup(Row, frozen=True, array_like=True, tag="flow_group"):
    """All logical flows of one derivation on one datapath.

    `id` is the OpenFlow cookie. `payload` is MessagePack, ``[[template id,
    argument, …], …]`` in canonical order. `cause_kind` and `cause_id` name the
    northbound object, `revision` the one in which the payload last changed.
    """

    table: ClassVar[str] = "flow_group"

    id: int
    datapath: str
    cause_kind: str
    cause_id: str
    revision: int
    payload: bytes

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class SetMember(Row, frozen=True, array_like=True, tag="set_member"):
    """One address of an address set, or one port name of a port group.

    `set` carries its sigil.
    """

    table: ClassVar[str] = "set_member"

    set: str
    member: str

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)
