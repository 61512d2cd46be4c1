"""The part of the ``Open_vSwitch`` schema that the agent uses.

Only these columns are monitored. Statistics, which change every few seconds on
every interface, are deliberately absent. The types are those that the schema
has had since Open vSwitch 2.4, so the agent need not fetch it from the server.
"""

from typing import Any, Final

DATABASE: Final = "Open_vSwitch"

_STRING_MAP: Final = {
    "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"},
}


def _optional(kind: str) -> dict[str, Any]:
    return {"type": {"key": kind, "min": 0, "max": 1}}


def _references(table: str) -> dict[str, Any]:
    key = {"type": "uuid", "refTable": table}
    return {"type": {"key": key, "min": 0, "max": "unlimited"}}


def _optional_reference(table: str) -> dict[str, Any]:
    return {"type": {"key": {"type": "uuid", "refTable": table}, "min": 0, "max": 1}}


SCHEMA: Final[dict[str, Any]] = {
    "name": DATABASE,
    "version": "8.0.0",
    "tables": {
        "Open_vSwitch": {
            "isRoot": True,
            "maxRows": 1,
            "columns": {"bridges": _references("Bridge"), "external_ids": _STRING_MAP},
        },
        "Bridge": {
            "columns": {
                "name": {"type": "string", "mutable": False},
                "ports": _references("Port"),
                "mirrors": _references("Mirror"),
                "datapath_type": {"type": "string"},
                "fail_mode": _optional("string"),
                "external_ids": _STRING_MAP,
                "other_config": _STRING_MAP,
            },
        },
        "Port": {
            "columns": {
                "name": {"type": "string", "mutable": False},
                "interfaces": _references("Interface"),
                "qos": _optional_reference("QoS"),
                "external_ids": _STRING_MAP,
            },
        },
        "Interface": {
            "columns": {
                "name": {"type": "string", "mutable": False},
                "type": {"type": "string"},
                "options": _STRING_MAP,
                "ofport": _optional("integer"),
                "error": _optional("string"),
                "mtu": _optional("integer"),
                "bfd": _STRING_MAP,
                "bfd_status": _STRING_MAP,
                "external_ids": _STRING_MAP,
            },
        },
        "QoS": {
            "isRoot": True,
            "columns": {
                "type": {"type": "string"},
                "queues": {
                    "type": {
                        "key": "integer",
                        "value": {"type": "uuid", "refTable": "Queue"},
                        "min": 0,
                        "max": "unlimited",
                    }
                },
                "other_config": _STRING_MAP,
                "external_ids": _STRING_MAP,
            },
        },
        "Queue": {
            "isRoot": True,
            "columns": {
                "dscp": _optional("integer"),
                "other_config": _STRING_MAP,
                "external_ids": _STRING_MAP,
            },
        },
        "Mirror": {
            "columns": {
                "name": {"type": "string"},
                "select_all": {"type": "boolean"},
                "select_src_port": _references("Port"),
                "select_dst_port": _references("Port"),
                "output_port": _optional_reference("Port"),
                "output_vlan": _optional("integer"),
                "external_ids": _STRING_MAP,
            },
        },
    },
}
