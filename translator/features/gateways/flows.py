"""The flows of gateway ports."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.features.gateways.relations import network_of_redirection, redirect_of
from translator.features.gateways.stages import LrInGwRedirect
from translator.inputs import LogicalRouterPort


def redirect_flows(read: Read, port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that send what leaves through a gateway port to the chassis in charge."""
    redirect = redirect_of(port)
    if not redirect:
        return
    yield LrInGwRedirect.unresolved(port=port.name, redirect=redirect)
    if not network_of_redirection(read, port):
        yield LrInGwRedirect.redirect(port=port.name, redirect=redirect)
        return
    yield LrInGwRedirect.to_itself(port=port.name, redirect=redirect, mac=port.mac)
    yield LrInGwRedirect.in_charge(port=port.name, redirect=redirect)
    yield LrInGwRedirect.bridged(port=port.name, mac=port.mac)
