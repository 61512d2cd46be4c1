"""Keys of the ports and multicast groups that flows name."""

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.compile.splice import Arguments, Source
from chassis_agent.physical.multicast import KEYS


def output_key(name: object, context: PackContext) -> int:
    """The key of the port or multicast group `name`; the empty name is no port."""
    if not isinstance(name, str):
        raise BadArgumentsError(f"{name!r} is no port's name")
    if not name:
        return 0
    key = KEYS.get(name)
    return context.port_key(name) if key is None else key


def output_key_source(name: str) -> Source:
    """Gives the key of a port or group that the template itself names."""
    return lambda _, context: output_key(name, context).to_bytes(4)


def port_source(position: int) -> Source:
    """Gives the key of the port or group that an argument names."""

    def source(arguments: Arguments, context: PackContext) -> bytes:
        return output_key(arguments[position], context).to_bytes(4)

    return source
