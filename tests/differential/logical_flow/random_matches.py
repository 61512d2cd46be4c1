"""Random texts of matches, most of which OVN takes, in every spelling that it has.

What is known to differ (`docs/matches.md`) is not written: there is a test for each.
"""

import random

PREDICATES = ["ip4", "ip6", "ip", "tcp", "udp", "sctp", "icmp", "icmp4", "icmp6", "arp", "rarp"]
PREDICATES += ["igmp", "nd", "nd_ns", "nd_na", "nd_rs", "nd_ra", "eth.bcast", "eth.mcast"]
PREDICATES += ["eth.mcastv6", "vlan.present"]
IMPLYING = ["ip4.mcast", "ip6.mcast", "ip4.src_mcast", "ip.is_frag", "ip.first_frag"]
"""Predicates with prerequisites, which a negation leaves in OVN and keeps here."""
NEGATABLE = ["eth.bcast", "eth.mcast", "eth.mcastv6", "vlan.present", "flags.loopback"]
ADDRESSES4 = ["10.0.0.7", "10.0.0.1", "10.1.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255"]
ADDRESSES6 = ["fd00::1", "fd00::2", "FD01::1", "::", "::1", "ff02::2", "::ffff:10.0.0.1"]
MACS = ["0a:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "0A:00:00:00:00:01"]
MASKS4 = ["32", "31", "24", "9", "8", "1", "0", "33", "255.255.255.0", "0.0.0.255", "255.0.255.0"]
MASKS6 = ["128", "127", "64", "16", "7", "0", "129", "ffff::", "ffff:0:ffff::", "::ffff"]
MASKS_MAC = ["ff:ff:ff:ff:ff:ff", "ff:ff:00:00:00:00", "01:00:00:00:00:00", "00:00:00:00:00:ff"]
FIELDS4 = ["ip4.src", "ip4.dst", "arp.spa", "arp.tpa"]
FIELDS6 = ["ip6.src", "ip6.dst", "nd.target"]
FIELDS_MAC = ["eth.src", "eth.dst", "arp.sha", "nd.sll", "nd.tll"]
NUMBERS = {
    "tcp.src": 16,
    "tcp.dst": 16,
    "udp.src": 16,
    "udp.dst": 16,
    "sctp.src": 16,
    "tcp.flags": 12,
    "vlan.vid": 12,
    "vlan.pcp": 3,
    "ip6.label": 20,
    "reg0": 32,
    "reg9": 32,
    "xreg4": 64,
    "xxreg0": 128,
}
NOMINALS = {"ip.proto": 8, "ip.ttl": 8, "eth.type": 16, "icmp4.type": 8, "icmp6.code": 8}
VALUES = [0, 1, 2, 5, 6, 8, 17, 53, 58, 80, 128, 135, 255, 443, 1500, 0x800, 0x806, 65535, 65536]
PORTS = ['"a"', '"b"', '"c"', '"\\u0061"', "@some"]
RELATIONS = ["==", "==", "==", "!=", "<", "<=", ">", ">="]
EQUALITIES = ["==", "!="]


class Writer:
    """Writes one text after the other, from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._negated = False

    def text(self) -> str:
        """A match, or what looks like one."""
        text = self._expression(self._chance.choice([1, 1, 2, 3]))
        if self._chance.random() < 0.04:
            return self._spoiled(text)
        return text

    def _pick(self, choices: list[str]) -> str:
        return self._chance.choice(choices)

    def _expression(self, depth: int) -> str:
        if depth == 1:
            return self._atom()
        count = self._chance.choice([2, 2, 3])
        operator = self._pick(["&&", "||"])
        space = self._pick([" ", " ", " ", "", "  ", "\t"])
        parts = [self._operand(depth - 1) for _ in range(count)]
        return f"{space}{operator}{space}".join(parts)

    def _operand(self, depth: int) -> str:
        kind = self._chance.random()
        if kind < 0.15:
            before, self._negated = self._negated, True
            inner = self._expression(depth)
            self._negated = before
            return f"!({inner})"
        inner = self._expression(depth)
        if kind < 0.2:
            return f"(({inner}))"
        return f"({inner})" if depth > 1 or kind < 0.6 else inner

    def _atom(self) -> str:
        match self._chance.randrange(12):
            case 0 | 1:
                return self._pick(PREDICATES if self._negated else [*PREDICATES, *IMPLYING])
            case 2:
                return self._pick([f"!{self._pick(NEGATABLE)}", f"{self._pick(PREDICATES)} == 1"])
            case 3:
                return self._compare(self._pick(["inport"]), PORTS, ["==", "==", "!=", "<"])
            case 4 | 5:
                return self._compare(self._pick(FIELDS4), self._masked(ADDRESSES4, MASKS4, "$web"))
            case 6:
                return self._compare(self._pick(FIELDS6), self._masked(ADDRESSES6, MASKS6, "$web6"))
            case 7:
                macs = self._masked(MACS, MASKS_MAC, "$macs")
                return self._compare(self._pick(FIELDS_MAC), macs)
            case 8:
                name = self._pick([*NOMINALS])
                return self._compare(name, self._numbers()[:8], ["==", "==", "==", "!="])
            case 9:
                return self._sliced()
            case 10:
                return self._ranged()
            case _:
                return self._compare(self._pick([*NUMBERS]), self._numbers())

    def _compare(self, field: str, constants: list[str], relations: list[str] = RELATIONS) -> str:
        constant = self._constants(constants)
        relation = self._pick(EQUALITIES if "$" in constant else relations)
        sides = [field, constant]
        if self._chance.random() < 0.1:
            sides.reverse()
        space = self._pick([" ", " ", " ", ""])
        return f"{sides[0]}{space}{relation}{space}{sides[1]}"

    def _constants(self, choices: list[str]) -> str:
        if self._chance.random() < 0.65:
            return self._pick(choices)
        count = self._chance.choice([1, 2, 2, 3])
        separator = self._pick([", ", ", ", ",", " "])
        inner = separator.join(self._pick(choices) for _ in range(count))
        return "{" + inner + self._pick(["", "", "", ","]) + "}"

    def _masked(self, addresses: list[str], masks: list[str], name: str) -> list[str]:
        """Constants of a kind: bare, masked whether or not that leaves bits over, and a set."""
        masked = [f"{self._pick(addresses)}/{self._pick(masks)}" for _ in range(3)]
        return [*addresses, *masked, *masked, name]

    def _numbers(self) -> list[str]:
        values = self._chance.sample(VALUES, 4)
        decimal = [str(value) for value in values]
        hexadecimal = [f"{self._pick(['0x', '0X'])}{value:x}" for value in values]
        masked = [f"{values[0]}/{values[1]}", f"{values[0]:#x}/{values[1]:#x}"]
        return [*decimal, *hexadecimal, *masked]

    def _sliced(self) -> str:
        name = self._pick([*NUMBERS, "ip4.src", "eth.dst", "ip.ttl", "inport"])
        low = self._chance.choice([0, 0, 1, 3, 8, 40])
        high = low + self._chance.choice([0, 0, 1, 3, 7, -1])
        if self._chance.random() < 0.3:
            return f"{self._pick(['', '!'])}{name}[{low}]"
        width = max(high - low + 1, 1)
        value = self._chance.randrange(1 << min(width, 8))
        relation = self._pick(RELATIONS)
        return f"{name}[{low}..{high}] {relation} {self._pick([str(value), hex(value)])}"

    def _ranged(self) -> str:
        name = self._pick([*NUMBERS, "ip4.dst", "ip.ttl"])
        low, high = sorted(self._chance.sample(VALUES, 2))
        less = self._pick(["<", "<="]), self._pick(["<", "<="])
        if self._chance.random() < 0.1:
            less = self._pick(["<", ">", "=="]), self._pick([">", "<", "=="])
        return f"{low} {less[0]} {name} {less[1]} {high}"

    def _spoiled(self, text: str) -> str:
        """With a character more or less."""
        place = self._chance.randrange(len(text))
        added = self._pick(["", "", " ", "(", ")", "!", "=", "&", "/", "{", "}", '"', "0", "."])
        return text[:place] + added + text[place + self._chance.choice([0, 1]) :]
