"""The generated network as ovn-nbctl commands, with DHCP left out."""

from collections.abc import Iterator

from benchmarks.topology import (
    PORTS_PER_SWITCH,
    SWITCHES_PER_ROUTER,
    default_acl,
    port,
    router_port,
    switch_count,
)

Command = list[str]


def network(ports: int, switches_per_router: int = SWITCHES_PER_ROUTER) -> Iterator[Command]:
    switches = switch_count(ports)
    for router in range(-(-switches // switches_per_router)):
        yield ["lr-add", f"lr{router}"]
    for switch in range(switches):
        yield ["ls-add", f"ls{switch}"]
        yield ["pg-add", f"pg{switch}"]
        yield from uplink(switch, switches_per_router)
        for index in range(min(PORTS_PER_SWITCH, ports - switch * PORTS_PER_SWITCH)):
            yield add_port(switch, index)
        for index in range(5):
            yield add_acl(switch, index)


def uplink(switch: int, switches_per_router: int) -> Iterator[Command]:
    """The router port of a switch, and the switch's port that leads to it."""
    row = router_port(switch)
    router = f"lr{switch // switches_per_router}"
    yield ["lrp-add", router, row["name"], row["mac"], *row["networks"]]
    name = f"ls{switch}-lr"
    yield ["lsp-add", f"ls{switch}", name]
    yield ["lsp-set-type", name, "router"]
    yield ["lsp-set-addresses", name, "router"]
    yield ["lsp-set-options", name, f"router-port={row['name']}"]


def add_port(switch: int, index: int) -> Command:
    """A port that is a member of its switch's port group."""
    row = port(switch, index)
    handle = f"@p{switch}x{index}"
    (address,) = row["addresses"]
    columns = [f'{column}="{address}"' for column in ("addresses", "port_security")]
    return [
        *(f"--id={handle}", "create", "logical_switch_port", f"name={row['name']}", *columns),
        *("--", "add", "logical_switch", f"ls{switch}", "ports", handle),
        *("--", "add", "port_group", f"pg{switch}", "ports", handle),
    ]


def add_acl(switch: int, index: int) -> Command:
    row = default_acl(switch, index)
    return [
        *("--type=port-group", "acl-add", f"pg{switch}", row["direction"]),
        *(str(row["priority"]), row["match"], row["action"]),
    ]
