"""The flows that answer the DHCP clients of a port."""

from collections.abc import Iterator

from incremental import Read
from logical_flow.template import LogicalFlow
from translator.addresses import is_within
from translator.derivations.result import Flows
from translator.features.answering.stages import LsInArpRsp
from translator.features.dhcp.options import TABLE, DhcpOptions
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.inputs import LogicalSwitchPort

NO_ADDRESS = bytes(16)
"""What clients are given that make up their own."""


def dhcp_flows(read: Read, client: tuple[str, str]) -> Flows | None:
    """What the clients of a port are told by some DHCP options.

    Each MAC address of the port gets the first of its addresses that is in their network. With
    DHCPv6 without state none is needed.

    >>> from incremental import RecordedFacts
    >>> from logical_flow.dhcp_options import DhcpOption
    >>> from translator.addresses import interface, ip_bytes, mac_bytes
    >>> from southbound.port_types import VIF
    >>> from translator.inputs import Host
    >>> host = Host(mac_bytes("0a:00:00:00:00:01"), (ip_bytes("10.0.0.1"),), ())
    >>> port = LogicalSwitchPort(
    ...     "p", "s", "web-1", 1, True, (host,), (), False, (), VIF, "", ())
    >>> options = DhcpOptions("d", interface("10.0.0.0/24"), (DhcpOption(51, bytes(4)),),
    ...     ip_bytes("10.0.0.254"), mac_bytes("02:00:00:00:00:fe"))
    >>> facts = RecordedFacts({LogicalSwitchPort: {"p": port}, DhcpOptions: {"d": options}})
    >>> (flow,) = dhcp_flows(facts, ("d", "p")).flows
    >>> print(str(flow).partition("action=")[2])
    (dhcpv4_reply(10.0.0.1, "51=00000000") { eth.src = 02:00:00:00:00:fe; \
ip4.src = 10.0.0.254; outport = inport; flags.loopback = 1; flags[1] = 1; output; };)
    """
    options_id, lsp = client
    options, port = read(DhcpOptions, options_id), read(LogicalSwitchPort, lsp)
    if options is None or port is None:
        return None
    flows = tuple((_flows4 if options.version == 4 else _flows6)(port, options))
    return Flows(port.switch, TABLE.name, options_id, flows) if flows else None


def _flows4(port: LogicalSwitchPort, options: DhcpOptions) -> Iterator[LogicalFlow]:
    encoded = options.encoded(port.hostname)
    served = False
    for host in port.hosts:
        address = _address(host.ip4, options)
        if address is None:
            continue
        served = True
        yield LsInDhcpOptions.dhcpv4(
            port=port.name,
            mac=host.mac,
            ip=address,
            options=encoded,
            server=options.server,
            server_mac=options.server_mac,
        )
    if served and options.answers_arp:
        yield LsInArpRsp.dhcp_server(port=port.name, ip=options.server, mac=options.server_mac)


def _flows6(port: LogicalSwitchPort, options: DhcpOptions) -> Iterator[LogicalFlow]:
    encoded = options.encoded(port.hostname)
    for host in port.hosts:
        address = _address(host.ip6, options) if options.gives_addresses else NO_ADDRESS
        if address is not None:
            yield LsInDhcpOptions.dhcpv6(
                port=port.name,
                mac=host.mac,
                ip=address,
                options=encoded,
                server=options.server,
                server_mac=options.server_mac,
            )


def _address(addresses: tuple[bytes, ...], options: DhcpOptions) -> bytes | None:
    return next((ip for ip in addresses if is_within(ip, options.network)), None)
