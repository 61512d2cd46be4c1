"""Flow-mods made, and framed in bundles, a second: what an agent does for each flow at its start.

    python -m benchmarks.framing

An agent that starts sends tens of thousands. The best of three rounds, in one process,
without a switch.
"""

import json
import time
from typing import Any

from chassis_agent.openflow import actions, bundle, messages, oxm
from chassis_agent.openflow.oxm import FIELDS, Term

FLOWS = 50_000
IN_ONE_WRITE = 2000
ROUNDS = 3


def measure() -> dict[str, Any]:
    match = oxm.match([Term(FIELDS["in_port"], 4), Term(FIELDS["ip_proto"], 6)])
    instructions = actions.apply_actions(actions.output(5))
    best = 0.0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        changes = [messages.add_flow(5, 7, match, instructions, cookie) for cookie in range(FLOWS)]
        for first in range(0, FLOWS, IN_ONE_WRITE):
            bundle.additions(changes[first : first + IN_ONE_WRITE], 1, first)
        best = max(best, FLOWS / (time.perf_counter() - start))
    return {"flow_mods_a_second": round(best)}


if __name__ == "__main__":
    print(json.dumps(measure()))
