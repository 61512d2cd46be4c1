"""What a remedy is, and what it is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diagnosis.answers import Assumption
from diagnosis.explain.checks import Obstacle
from diagnosis.explain.question import Question
from diagnosis.explain.scene import Scene
from diagnosis.trace.backends import BackendKey
from logical_flow.evaluate import Packet
from logical_flow.packet import MutablePacket
from northbound.names import DEFAULT_PROJECT, parse_name, qualified_name
from northbound.services import SERVICES

Operation = dict[str, Any]


@dataclass(frozen=True)
class Remedy:
    """What to do: `operations` of a batch, a `packet` to send instead, `commands` to run.

    `revives` are backends to bring back, so that they answer who checks them. `assumes` is what has
    to be so for it to help, and can't be found out.
    """

    text: str
    operations: tuple[Operation, ...] = ()
    packet: MutablePacket | None = None
    commands: tuple[str, ...] = ()
    revives: tuple[BackendKey, ...] = ()
    assumes: tuple[Assumption, ...] = ()

    @property
    def can_be_done(self) -> bool:
        """Whether it says what to do, so that it can be tried."""
        return bool(self.operations or self.packet or self.commands or self.revives)


@dataclass(frozen=True)
class Case:
    """An obstacle that a check found, and what was asked; `sent` is what set out there."""

    scene: Scene
    question: Question
    obstacle: Obstacle
    sent: Packet | None
    is_reply: bool

    @property
    def packet(self) -> Packet:
        """What met the obstacle, as it was there."""
        return self.obstacle.packet

    @property
    def cause_text(self) -> str:
        """The object behind the obstacle, in words; empty where there is none."""
        return self.obstacle.cause.text if self.obstacle.cause else ""

    def view(self) -> dict[str, Any]:
        """The object to change, as users see it."""
        cause = self.obstacle.cause
        if cause is None:
            raise ValueError(f"an obstacle without an object: {self.obstacle.text}")
        service = SERVICES[cause.kind]
        return service.view(self.scene.reader, service.get(self.scene.reader, cause.id))

    def update(self, text: str, values: Mapping[str, Any]) -> Remedy:
        """Change the object behind the obstacle."""
        cause = self.obstacle.cause
        if cause is None:
            raise ValueError(f"an obstacle without an object: {self.obstacle.text}")
        view = self.view() if cause.name and SERVICES[cause.kind].named else None
        ref = cause.id if view is None else reference(view["name"], view)
        operation = {"action": "update", "kind": cause.kind, "ref": ref, "values": dict(values)}
        return Remedy(text, (operation,))


def reference(name: str, view: Mapping[str, Any]) -> str:
    """Return what refers to an object from everywhere, given how `view` names it."""
    project, own = parse_name(name)
    return qualified_name(project or view["project"], own, DEFAULT_PROJECT)
