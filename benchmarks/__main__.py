"""Run measurements, each in a process of its own, and show what they found.

    python -m benchmarks [--sizes 1000,10000,50000] [--ovn PREFIX] [--neutron ENVIRONMENT]
        [--only NAME]… [--out FILE.json]

Those with a hypervisor need root and Open vSwitch, those of OVN its Debian packages, that of the
Neutron API PostgreSQL.
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.report import render


def commands(
    sizes: list[str],
    ovn_sizes: list[str],
    ovn: Path | None = None,
    neutron: Path | None = None,
) -> dict[str, list[str]]:
    """Every measurement's arguments.

    `ovn` is the prefix of another build than Debian's, `neutron` an environment that has Neutron.
    """
    return {
        "requests": [
            *sizes,
            *(["--ovn-sizes", ",".join(ovn_sizes)] if ovn_sizes else []),
            *(["--ovn", str(ovn)] if ovn else []),
        ],
        "cold": sorted({*sizes, *ovn_sizes}, key=int),
        "changes": sizes,
        "ovn_central": ovn_sizes,
        "end_to_end": sizes,
        "agent_start": ["1000", "2400", "11000"],
        "ovn_chassis": ovn_sizes[:1],
        "many_chassis": ["5000"],
        "ovn_many_chassis": ["5000"] if ovn_sizes else [],
        "fan_out": ["20", "200"],
        "reconnect": ["10000", "200"],
        "traces": ovn_sizes,
        "neutron_api": ["--neutron", str(neutron)] if neutron else [],
        "lookups": [],
        "services": [],
        "failover": [],
        "router_services": ["1000"],
        "dhcp": [],
        "network_policies": [],
        "cni": [],
        "framing": [],
    }


def run(name: str, arguments: list[str]) -> Any:
    print(f"{name} {' '.join(arguments)} …", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def machine() -> dict[str, str]:
    model = next(
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    switch = subprocess.run(["ovs-vswitchd", "--version"], capture_output=True, text=True)
    return {
        "processor": model,
        "python": platform.python_version(),
        "open_vswitch": switch.stdout.partition("\n")[0],
    }


def _sizes(text: str) -> list[str]:
    return [str(int(size)) for size in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sizes", type=_sizes, default="1000,10000,50000", help="logical ports")
    parser.add_argument("--ovn-sizes", type=_sizes, default="1000,10000", help="likewise, of OVN")
    parser.add_argument("--ovn", type=Path, help="a build of OVN for the measurement of requests")
    parser.add_argument("--neutron", type=Path, help="an environment that has Neutron")
    parser.add_argument("--only", action="append", choices=list(commands([], [])), default=[])
    parser.add_argument("--out", type=Path, help="where to write the results, as JSON")
    options = parser.parse_args()
    results: dict[str, Any] = {"machine": machine()}
    every = commands(options.sizes, options.ovn_sizes, options.ovn, options.neutron)
    for name, arguments in every.items():
        if not options.only or name in options.only:
            results[name] = run(name, arguments)
            if options.out:
                options.out.write_text(json.dumps(results, indent=2) + "\n")
    print(render(results))


if __name__ == "__main__":
    main()
