"""Whatever comes in at an agent's own socket, each line is answered and the agent goes on."""

import asyncio
import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.status import StatusServer, ask

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
REQUESTS = st.fixed_dictionaries(
    {"command": st.sampled_from(["echo", "fail"]) | JSON},
    optional={"arguments": st.lists(st.text()) | JSON, "other": JSON},
)
LINES = st.binary(max_size=2000) | (JSON | REQUESTS).map(lambda value: json.dumps(value).encode())


async def echo(*words: str) -> list[str]:
    return list(words)


async def fail(*words: str) -> None:
    raise RuntimeError(" ".join(words))


@given(lines=st.lists(LINES.map(lambda line: line.replace(b"\n", b" ")), max_size=20))
def test_every_line_is_answered(lines: list[bytes]) -> None:
    asyncio.run(_answered(lines))


async def _answered(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "agent.sock"
        server = StatusServer(path, {"echo": echo, "fail": fail})
        await server.start()
        try:
            reader, writer = await asyncio.open_unix_connection(path)
            for line in lines:
                writer.write(line + b"\n")
                answer = json.loads(await reader.readline())
                assert answer.keys() <= {"result", "error"}
            writer.close()
            assert await ask(path, "echo", "still", "there") == ["still", "there"]
        finally:
            await server.stop()
