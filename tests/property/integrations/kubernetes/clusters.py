"""Small clusters in which everything meets: few labels, few pods, policies of every kind."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

NAMESPACES = ("red", "blue", "idle")
NAMES = ("a", "b")
LABELS = {"app": ("web", "db"), "tier": ("1", "2")}
PORTS = (53, 80, 443, 8080)
PROTOCOLS = ("TCP", "UDP", "SCTP")
OUTSIDE = ("192.0.2.1", "192.0.2.129", "2001:db8::1")

labels = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(values) for key, values in LABELS.items()}
)


def expressions() -> st.SearchStrategy[Json]:
    def build(key: str, operator: str, values: list[str]) -> Json:
        listed = {"values": values} if operator in ("In", "NotIn") else {}
        return {"key": key, "operator": operator, **listed}

    return st.sampled_from(sorted(LABELS)).flatmap(
        lambda key: st.builds(
            build,
            st.just(key),
            st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist")),
            st.lists(st.sampled_from(LABELS[key]), min_size=1, max_size=2),
        )
    )


selectors = st.one_of(
    st.just({}),
    st.builds(lambda found: {"matchLabels": found}, labels),
    st.builds(lambda found: {"matchExpressions": found}, st.lists(expressions(), max_size=2)),
)

container_ports = st.lists(
    st.builds(
        lambda name, number, protocol: {
            "name": name,
            "containerPort": number,
            "protocol": protocol,
        },
        st.sampled_from(("http", "dns")),
        st.sampled_from(PORTS[:2]),
        st.sampled_from(PROTOCOLS[:2]),
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda port: port["name"],
)


def pods() -> st.SearchStrategy[Json]:
    def build(namespace: str, name: str, held: Json, ports: list[Json], kind: str) -> Json:
        status = {"phase": "Succeeded" if kind == "ended" else "Running"}
        return {
            "metadata": {
                "namespace": namespace,
                "name": name,
                "uid": f"{namespace}-{name}",
                "labels": held,
            },
            "spec": {"containers": [{"ports": ports}], "hostNetwork": kind == "host"},
            "status": status,
        }

    return st.builds(
        build,
        st.sampled_from(NAMESPACES[:2]),
        st.sampled_from(NAMES),
        labels,
        container_ports,
        st.sampled_from(("pod",) * 8 + ("host", "ended")),
    )


ports = st.one_of(
    st.builds(lambda protocol: {"protocol": protocol}, st.sampled_from(PROTOCOLS)),
    st.builds(lambda number: {"port": number}, st.sampled_from(PORTS)),
    st.builds(
        lambda protocol, name: {"protocol": protocol, "port": name},
        st.sampled_from(PROTOCOLS[:2]),
        st.sampled_from(("http", "dns")),
    ),
    st.builds(
        lambda protocol, first, span: {
            "protocol": protocol,
            "port": first,
            "endPort": first + span,
        },
        st.sampled_from(PROTOCOLS),
        st.sampled_from(PORTS),
        st.sampled_from((0, 1, 400)),
    ),
)

blocks = st.sampled_from(
    [
        {"cidr": "0.0.0.0/0"},
        {"cidr": "::/0"},
        {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]},
        {"cidr": "10.0.0.0/8", "except": ["10.0.0.2/32", "10.0.1.0/24"]},
        {"cidr": "fd00::/16", "except": ["fd00::1:0/112"]},
        {"cidr": "192.0.2.1/32", "except": ["192.0.2.0/24"]},
    ]
)

peers = st.one_of(
    st.builds(lambda block: {"ipBlock": block}, blocks),
    st.builds(lambda found: {"podSelector": found}, selectors),
    st.builds(lambda found: {"namespaceSelector": found}, selectors),
    st.builds(
        lambda of, found: {"namespaceSelector": of, "podSelector": found}, selectors, selectors
    ),
)


def rules(direction: str) -> st.SearchStrategy[Json]:
    name = "from" if direction == "ingress" else "to"
    return st.fixed_dictionaries(
        {}, optional={name: st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=2)}
    )


def network_policies() -> st.SearchStrategy[Json]:
    spec = st.fixed_dictionaries(
        {"podSelector": selectors},
        optional={
            "policyTypes": st.lists(
                st.sampled_from(("Ingress", "Egress")), unique=True, max_size=2
            ),
            "ingress": st.lists(rules("ingress"), max_size=2),
            "egress": st.lists(rules("egress"), max_size=2),
        },
    )
    return st.builds(
        lambda namespace, name, found: {
            "metadata": {"namespace": namespace, "name": name},
            "spec": found,
        },
        st.sampled_from(NAMESPACES[:2]),
        st.sampled_from(("p", "q", "r")),
        spec,
    )


selections = st.one_of(
    st.builds(lambda found: {"namespaces": found}, selectors),
    st.builds(
        lambda of, found: {"pods": {"namespaceSelector": of, "podSelector": found}},
        selectors,
        selectors,
    ),
)

admin_ports = st.one_of(
    st.builds(
        lambda protocol, number: {"portNumber": {"protocol": protocol, "port": number}},
        st.sampled_from(PROTOCOLS),
        st.sampled_from(PORTS),
    ),
    st.builds(
        lambda protocol, first: {
            "portRange": {"protocol": protocol, "start": first, "end": first + 400}
        },
        st.sampled_from(PROTOCOLS),
        st.sampled_from(PORTS),
    ),
    st.builds(lambda name: {"namedPort": name}, st.sampled_from(("http", "dns"))),
)

networks = st.builds(
    lambda found: {"networks": found},
    st.lists(
        st.sampled_from(("0.0.0.0/0", "192.0.2.0/25", "10.0.0.0/24", "fd00::/16", "::/0")),
        min_size=1,
        max_size=2,
    ),
)


def admin_rules(direction: str, actions: tuple[str, ...]) -> st.SearchStrategy[Json]:
    name = "from" if direction == "ingress" else "to"
    peer = selections if direction == "ingress" else st.one_of(selections, networks)
    return st.fixed_dictionaries(
        {"action": st.sampled_from(actions), name: st.lists(peer, min_size=1, max_size=2)},
        optional={"ports": st.lists(admin_ports, max_size=2)},
    )


def admin_spec(actions: tuple[str, ...], **more: Any) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries(
        {"subject": selections, **more},
        optional={
            direction: st.lists(admin_rules(direction, actions), max_size=3)
            for direction in ("ingress", "egress")
        },
    )


def admin_policies() -> st.SearchStrategy[Json]:
    # Each priority has a name of its own: what two of one priority do is not defined.
    return st.builds(
        lambda spec: {"metadata": {"name": f"anp-{spec['priority']}"}, "spec": spec},
        admin_spec(("Allow", "Deny", "Pass"), priority=st.sampled_from((0, 1, 500, 1000))),
    )


def baseline_policies() -> st.SearchStrategy[Json]:
    return st.builds(
        lambda spec: {"metadata": {"name": "default"}, "spec": spec},
        admin_spec(("Allow", "Deny")),
    )


namespaces = st.fixed_dictionaries(dict.fromkeys(NAMESPACES, labels))
