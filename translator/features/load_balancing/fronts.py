"""Templates of which there is one for each kind of virtual address.

They differ by protocol and family. Where an address stands for all of its ports, one with a port
comes first.
"""

from collections.abc import Collection
from typing import Final

from logical_flow.because import Because
from logical_flow.template import Only, Template, Variants
from translator.features.load_balancing.relations import Front

WITH_PORT: Final = 120
WITHOUT_PORT: Final = 110

_PROTOCOLS: Final = ("tcp", "udp", "sctp")
_ALL: Final = "any"

CHECKED: Final = ("tcp", "udp")
"""The kinds whose backends can be checked."""


def front_key(address: Front) -> str:
    """Return the key of the template for a virtual address."""
    return f"{address.protocol or _ALL}{address.family}"


def fronts(
    actions: str,
    new: str,
    because: Because | None = None,
    *,
    beside: str = "",
    only: Only | None = None,
    more: int = 0,
    kinds: Collection[str] = (*_PROTOCOLS, _ALL),
) -> Variants:
    """Return a template for each kind of virtual address, all with the same actions.

    `new` is matched before the address and `beside` after it. `more` is how much higher the
    priority is, by which templates differ that have nothing else.
    """
    made: dict[str, Template] = {}
    for family in (4, 6):
        to = f"{new} && ip{family}.dst == {{vip:ip{family}}}{beside}"
        for protocol in filter(kinds.__contains__, _PROTOCOLS):
            match = f"{to} && {protocol}.dst == {{port:int}}"
            made[f"{protocol}{family}"] = Template(
                WITH_PORT + more, match, actions, only, because=because
            )
        if _ALL in kinds:
            made[f"{_ALL}{family}"] = Template(
                WITHOUT_PORT + more, to, actions, only, because=because
            )
    return Variants(made)


_FRAGMENTS_FIRST: Final = 5


def fragment_fronts(actions: str, new: str, only: Only | None = None) -> Variants:
    """Return templates for fragments to virtual addresses that stand for all of their ports.

    All but the first fragment of a datagram show no ports.
    """
    return Variants(
        {
            f"{_ALL}{family}": Template(
                WITHOUT_PORT + _FRAGMENTS_FIRST,
                f"{new} && ip{family}.dst == {{vip:ip{family}}} && ip.is_frag",
                actions,
                only,
            )
            for family in (4, 6)
        }
    )


def may_be_fragmented(address: Front) -> bool:
    """Tell whether fragments of a new connection are for a virtual address.

    Where it has a port, they are only where the switch shows what it has put together.
    """
    return address.port is None
