"""The flows of gateway ports."""

from collections.abc import Iterator

from logical_flow.template import LogicalFlow
from translator.features.gateways.relations import redirect_of
from translator.features.gateways.stages import LrInGwRedirect
from translator.inputs import LogicalRouterPort


def redirect_flows(port: LogicalRouterPort) -> Iterator[LogicalFlow]:
    """Yield the flows that send what leaves through a gateway port to the chassis in charge."""
    redirect = redirect_of(port)
    if redirect:
        yield LrInGwRedirect.unresolved(port=port.name, redirect=redirect)
        yield LrInGwRedirect.redirect(port=port.name, redirect=redirect)
