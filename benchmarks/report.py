"""Results as tables in Markdown: Treadle's numbers, OVN's beside them, and how many times."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Results = Mapping[str, Any]
Row = Iterable[object]


def _framing(results: Results) -> Iterator[str]:
    rate = results["framing"]["flow_mods_a_second"]
    yield from _table("Flow-mods made and framed", ("", "a second"), [("one process", rate)])


def _neutron_api(results: Results) -> Iterator[str]:
    sides = results["neutron_api"]
    names = dict.fromkeys(name for found in sides.values() for name in found if name != "ports")
    rows = [
        [name, *(found.get(name, {}).get(key) for found in sides.values() for key in _PORT_COSTS)]
        for name in names
    ]
    of = [f"{side}, {found['ports']} ports" for side, found in sides.items()]
    head = ["request", *(f"{side}: {unit}" for side in of for unit in ("a second", "CPU ms"))]
    yield from _table("Ports through the Neutron API and through /v1", head, rows)


_PORT_COSTS = ("a_second", "cpu_ms")


def render(results: Results) -> str:
    """All tables of the measurements that there are."""
    parts = [
        "\n".join(lines)
        for name, table in TABLES.items()
        if name in results and (lines := list(table(results)))
    ]
    return "\n\n".join(parts)


def _table(title: str, head: Row, rows: Iterable[Row]) -> Iterator[str]:
    names = [str(name) for name in head]
    yield f"**{title}**"
    yield ""
    yield _line(names)
    yield _line("---" if number == 0 else "---:" for number in range(len(names)))
    for row in rows:
        yield _line(row)


def _line(cells: Row) -> str:
    return "| " + " | ".join("" if cell is None else str(cell) for cell in cells) + " |"


def _by_size(results: Results, name: str) -> dict[int, Any]:
    return {result["ports"]: result for result in results.get(name, ())}


def _times(treadle: float, ovn: float | None) -> str | None:
    return None if not ovn or not treadle else f"{ovn / treadle:.1f}x"


def _cold(results: Results) -> Iterator[str]:
    ovn = _by_size(results, "ovn_central")
    rows = []
    for ports, found in _by_size(results, "cold").items():
        other = ovn[ports]["cold"] if ports in ovn else {}
        rows.append(
            [
                ports,
                found["wall_s"],
                found["cpu_s"],
                found["recompute_cpu_s"],
                found["max_rss_mib"],
                found["rows"],
                other.get("wall_s"),
                other.get("cpu_s"),
                other.get("rss_mib"),
                _times(found["cpu_s"], other.get("cpu_s")),
            ]
        )
    head = [
        *("ports", "wall s", "CPU s", "derivations alone, CPU s", "MiB", "rows"),
        *("OVN wall s", "CPU s", "MiB", "CPU ratio"),
    ]
    yield from _table("Cold translation, SQL to stored southbound", head, rows)


def _changes(results: Results) -> Iterator[str]:
    sizes = _by_size(results, "changes")
    ovn = _by_size(results, "ovn_central")
    shared = max(sizes.keys() & ovn.keys(), default=None)
    first, last = min(sizes), max(sizes)
    rows = []
    for name, found in sizes[first].items():
        if name == "ports":
            continue
        other = ovn[shared]["changes"].get(name) if shared else None
        wall = [
            sizes[size][name]["commit_ms"] + sizes[size][name]["translate_ms"] for size in sizes
        ]
        mine = (
            sizes[shared][name]["commit_ms"] + sizes[shared][name]["translate_ms"] if shared else 0
        )
        rows.append(
            [
                name.replace("_", " "),
                *(f"{value:.1f}" for value in wall),
                *(f"{sizes[size][name]['translate_ms']:.1f}" for size in sizes),
                f"{sizes[last][name]['cpu_ms'] / found['cpu_ms']:.2f}",
                f"{found['derivations']:.0f}",
                f"{found['rows']:.0f}",
                f"{found['bytes']:.0f}",
                other["wall_ms"] if other else None,
                _times(mine, other["wall_ms"]) if other else None,
            ]
        )
    head = [
        "change",
        *(f"{size}: ms" for size in sizes),
        *(f"{size}: translation ms" for size in sizes),
        f"CPU {last} / {first}",
        "derivations",
        "rows",
        "bytes",
        f"OVN at {shared}: ms",
        "ratio",
    ]
    yield from _table(
        "A change of one object, from its transaction to stored southbound", head, rows
    )


def _requests(results: Results) -> Iterator[str]:
    """CPU, then the walls' median and 99th percentile, by size."""
    sizes = {found["ports"]: found for found in results["requests"]["treadle"]}
    ovn = {found["ports"]: found for found in results["requests"]["ovn"]}
    every = [*sizes.values(), *ovn.values()]
    names = dict.fromkeys(
        name for found in every for name in found if "cpu_ms" in _dict(found, name)
    )
    rows = [
        [name, *(_dict(found, name).get(key) for found in every for key in _REQUEST_COSTS)]
        for name in names
    ]
    of = [*(f"{size}" for size in sizes), *(f"OVN at {size}" for size in ovn)]
    units = ("CPU ms", "p50 ms", "p99 ms", "a second")
    head = ["change", *(f"{size}: {unit}" for size in of for unit in units)]
    yield from _table("A request, until what it changed is stored southbound", head, rows)
    yield ""
    server = [
        [
            size,
            *(found["start"]["wall_s"], found["start"]["cpu_s"]),
            *(found["idle_cpu_ms_a_second"], found["rss_mib"]),
            *(found["apply"][how]["cpu_s"] for how in ("new", "unchanged", "emptied")),
            max(each["longest_healthz_ms"] for each in found["apply"].values()),
        ]
        for size, found in sizes.items()
    ]
    head = ["ports", "start, wall s", "start, CPU s", "idle, CPU ms a second", "MiB"]
    head += ["apply of as many, CPU s", "unchanged, CPU s", "emptied, CPU s"]
    head += ["longest `GET /healthz` meanwhile, ms"]
    yield from _table("The server: start, idleness, and documents", head, server)


_REQUEST_COSTS = ("cpu_ms", "p50_ms", "p99_ms", "a_second")


def _dict(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _end_to_end(results: Results) -> Iterator[str]:
    sizes = _by_size(results, "end_to_end")
    ovn = _by_size(results, "ovn_chassis")
    shared = max(sizes.keys() & ovn.keys(), default=None)
    rows = []
    for name in ("port_added", "port_removed", "acl_changed", "port_up"):
        other = ovn[shared]["end_to_end"][name]["wall_ms"] if shared else None
        rows.append(
            [
                name.replace("_", " "),
                *(found[name]["wall_ms"] for found in sizes.values()),
                *(found[name]["cpu_ms"] for found in sizes.values()),
                other,
                _times(sizes[shared][name]["wall_ms"], other) if shared else None,
            ]
        )
    rows.append(["server, MiB", *(found["server_rss_mib"] for found in sizes.values())])
    rows[-1] += [None] * (len(sizes) + 2)
    head = [
        "step",
        *(f"{size}: ms" for size in sizes),
        *(f"{size}: CPU ms" for size in sizes),
        f"OVN at {shared}: ms",
        "ratio",
    ]
    yield from _table("Request to flows in Open vSwitch; interface plugged to port up", head, rows)


def _agent_start(results: Results) -> Iterator[str]:
    rows: list[list[object]] = []
    for found in results["agent_start"]:
        cold, again = found["cold"], found["restart"]
        rows += [
            [
                "Treadle, cold",
                *(f"{cold['flows']:.0f}", cold["wall_s"], cold["cpu_s"]),
                *(round(cold["rss_mib"]), f"{cold['flow_mods']:.0f}"),
            ],
            [
                "Treadle, flows in place",
                *(again["flows"], again["wall_s"], again["cpu_s"], None, again["flow_mods"]),
            ],
        ]
    for found in results.get("ovn_chassis", ()):
        cold = found["start"]
        rows.append(
            [
                "OVN, cold",
                cold["flows"],
                cold["wall_s"],
                cold["cpu_s"],
                round(cold["rss_mib"]),
                None,
            ]
        )
    head = ["start", "flows", "wall s", "CPU s", "MiB", "flow-mods"]
    yield from _table("Start of an agent with 100 local ports", head, rows)


def _many_chassis(results: Results) -> Iterator[str]:
    ovn = _by_size(results, "ovn_many_chassis")
    rows = []
    for ports, found in _by_size(results, "many_chassis").items():
        for name in ("port_added", "port_removed", "port_grouped", "port_ungrouped"):
            mine, other = found[name], ovn.get(ports, {}).get(name, {})
            rows.append(
                [
                    *(ports, found["hypervisors"], found["flows"], name.replace("_", " ")),
                    *(mine["wall_ms"], mine["cpu_ms"], other.get("wall_ms"), other.get("cpu_ms")),
                    _times(mine["cpu_ms"], other.get("cpu_ms")),
                ]
            )
    head = ["ports", "hypervisors", "flows on each", "change"]
    head += ["ms", "CPU ms", "OVN ms", "CPU ms", "CPU ratio"]
    yield from _table("One change that every hypervisor has to make", head, rows)


def _reconnect(results: Results) -> Iterator[str]:
    keys = ("ready_s", "ready_cpu_s", "last_connected_s", "last_back_s", "server_cpu_s")
    rows = [
        [found["ports"], found["agents"], *(found[key] for key in keys), found["received_mib"]]
        for found in results["reconnect"]
    ]
    head = ["ports", "agents", "ready, s", "CPU s", "all connected, s", "all in sync, s", "CPU s"]
    yield from _table("Agents that come back to a server that starts", [*head, "MiB sent"], rows)


def _fan_out(results: Results) -> Iterator[str]:
    rows = [
        [
            found["agents"],
            case.replace("_", " "),
            *(found[case][key] for key in ("wall_ms", "server_cpu_ms", "agents_cpu_ms")),
            round(
                (found[case]["server_cpu_ms"] + found[case]["agents_cpu_ms"]) / found["agents"], 3
            ),
        ]
        for found in results["fan_out"]
        for case in ("concerns_all", "concerns_one", "concerns_none")
    ]
    head = ["agents", "change", "wall ms", "server CPU ms", "agents CPU ms", "CPU ms an agent"]
    yield from _table("One change to many connected agents", head, rows)


def _traces(results: Results) -> Iterator[str]:
    sizes = _by_size(results, "traces")
    rows: list[list[object]] = []
    for packet in next(iter(sizes.values()))["traces"]:
        for size, found in sizes.items():
            times = found["traces"][packet]
            rows.append(
                [
                    *(packet, size, times["first"], times["warm"]),
                    *(times.get("after_a_change"), times.get("with_a_proposed_acl")),
                    *(times["ovn_trace"], _times(times["warm"], times["ovn_trace"])),
                ]
            )
    head = [
        *("packet", "ports", "first, ms", "warm, ms", "after a change, ms"),
        *("with a proposed ACL, ms", "ovn-trace, ms", "ratio"),
    ]
    yield from _table("A trace, from request to answer", head, rows)
    yield ""
    explained = [
        [name, size, times["first"], times["warm"], times["ovn_trace"], _ratio_of(times)]
        for name in next(iter(sizes.values()))["explanations"]
        for size, found in sizes.items()
        for times in [found["explanations"][name]]
    ]
    head = ["question", "ports", "first, ms", "warm, ms", "one packet in ovn-trace, ms", "ratio"]
    yield from _table("An explanation, from request to answer", head, explained)


def _ratio_of(times: Mapping[str, float]) -> str | None:
    return _times(times["warm"], times["ovn_trace"])


def _network_policies(results: Results) -> Iterator[str]:
    found = results["network_policies"]
    changed = found["label_changed"]
    yield from _table(
        f"One label of one pod changes: {found['pods']} pods, {found['policies']} policies",
        ["", "one change", "everything anew"],
        [
            ["pods compared with selectors", changed["pods_compared"], found["pods"]],
            ["operations of the batch", changed["operations"], found["anew"]["operations"]],
            ["memberships changed", changed["memberships"], None],
            ["southbound rows", changed["southbound_rows"], None],
            ["flows of a hypervisor with 50 pods", changed["flows_changed"], found["flows"]],
            ["controller, CPU ms", changed["controller_ms"], found["anew"]["controller_ms"]],
            ["commit, CPU ms", changed["commit_ms"], None],
            ["translation, CPU ms", changed["translate_ms"], None],
            ["agent's flows, CPU ms", changed["agent_ms"], None],
        ],
    )


def _cni(results: Results) -> Iterator[str]:
    ours = results["cni"]["treadle-cni"]
    theirs = results["cni"].get("bridge, host-local", {})
    names = {
        "add_cpu_ms": "ADD, CPU ms",
        "start_cpu_ms": "… of which start and loading",
        "delete_cpu_ms": "DEL, CPU ms",
        "first_ping_ms": "ADD to a first ping, wall ms",
        "at_once_failed": f"of {ours['at_once']} ADDs at once, failed",
        "at_once_cpu_ms": "… each, CPU ms",
        "at_once_seconds": "… until the last, wall s",
    }
    rows = [[said, ours[name], theirs.get(name)] for name, said in names.items()]
    yield from _table("A container by CNI", ["", *results["cni"]], rows)


def _lookups(results: Results) -> Iterator[str]:
    found = results["lookups"]
    ovn = next(iter(results.get("ovn_chassis", ())), None)
    rows: list[list[object]] = []
    for packet, counts in found["packets"].items():
        for name, count in counts.items():
            other = ovn["packets"][packet][name] if ovn else None
            rows.append([f"{packet.replace('_', ' ')}: {name}", count, other, _times(count, other)])
    for name, count in found["flows"].items():
        rows.append([f"flows: {name.replace('_', ' ')}", count, None, None])
    yield from _table(
        "What a packet and a port cost the switch", ["", "Treadle", "OVN", "ratio"], rows
    )


def _dhcp(results: Results) -> Iterator[str]:
    ours, theirs = results["dhcp"]["treadle"], results["dhcp"]["ovn"]
    cpu, rate = "cpu_us_per_answer", "answers_per_s"
    rows = [
        ["CPU time, µs", ours[cpu], theirs[cpu], _times(ours[cpu], theirs[cpu])],
        ["a second, in bursts", ours[rate], theirs[rate], _times(theirs[rate], ours[rate])],
    ]
    yield from _table("An answer to a DHCP client", ["", "Treadle", "OVN", "ratio"], rows)


def _services(results: Results) -> Iterator[str]:
    ours, theirs = results["services"]["treadle"], results["services"]["ovn"]
    rows = [
        [f"{way}: {name}", cost[name], theirs[way][name], _times(cost[name], theirs[way][name])]
        for way, cost in ours.items()
        for name in cost
    ]
    head = ["", "Treadle", "OVN", "OVN / Treadle"]
    yield from _table("A packet on its way through services", head, rows)


def _failover(results: Results) -> Iterator[str]:
    ours, theirs = results["failover"]["treadle"], results["failover"]["ovn"]
    rows = [
        [
            f"{death}: {name}",
            found[name],
            theirs[death][name],
            _times(found[name], theirs[death][name]),
        ]
        for death, found in ours.items()
        for name in found
    ]
    head = ["", "Treadle", "OVN", "OVN / Treadle"]
    yield from _table("A gateway that dies: seconds without an answer", head, rows)


def _router_services(results: Results) -> Iterator[str]:
    """Treadle's figure and OVN's in a cell each."""
    rows: list[list[object]] = []
    for found in results["router_services"]:
        ours, theirs = found["treadle"], found["ovn"]
        costs = [
            [
                *(side["logical_flows"], side["flows"]),
                *(side["cold"]["wall_s"], side["cold"]["cpu_s"]),
                *(side[step][cost] for step in ("added", "removed") for cost in _CHANGE_COSTS),
            ]
            for side in (ours, theirs)
        ]
        cells = [f"{mine} / {other}" for mine, other in zip(*costs, strict=True)]
        rows.append([f"{found['count']} {found['service']}", found["place"], *cells])
    head = ["", "on a", "logical flows", "OpenFlow flows", "cold, s", "cold, CPU s"]
    head += ["added, ms", "added, CPU ms", "removed, ms", "removed, CPU ms"]
    yield from _table("Many services of one router: Treadle / OVN", head, rows)


_CHANGE_COSTS = ("wall_ms", "cpu_ms")


TABLES = {
    "requests": _requests,
    "cold": _cold,
    "changes": _changes,
    "end_to_end": _end_to_end,
    "agent_start": _agent_start,
    "many_chassis": _many_chassis,
    "fan_out": _fan_out,
    "reconnect": _reconnect,
    "traces": _traces,
    "neutron_api": _neutron_api,
    "lookups": _lookups,
    "services": _services,
    "failover": _failover,
    "router_services": _router_services,
    "dhcp": _dhcp,
    "network_policies": _network_policies,
    "cni": _cni,
    "framing": _framing,
}
"""By measurement, in the order in which they are shown."""
