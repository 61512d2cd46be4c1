"""What the server answers, and what the runtime is told of it."""

import json
from typing import Any

import pytest

from integrations.client import Client, UnreachableError
from integrations.cni.attachment import Attachment
from integrations.cni.configuration import read_configuration
from integrations.cni.environment import Invocation
from integrations.cni.errors import CniError
from integrations.cni.ports import make_port
from integrations.cni.session import as_cni_errors
from integrations.deadline import Deadline
from tests.unit.integrations.scripted_server import (
    Answer,
    http,
    problem,
    scripted_server,
    sends,
)

pytestmark = pytest.mark.processes

WEB = Attachment("hv1", "lan", "web", "eth0")


def code_of(*answers: Answer, seconds: float = 5) -> int:
    """The error's code where a port without port security is made, and that is answered."""
    document = {"cniVersion": "1.1.0", "name": "lan", "portSecurity": False}
    configuration = read_configuration(document, Invocation("ADD", "web", "/n", "eth0", {}))
    with (
        scripted_server(*answers) as server,
        Client(server.url) as client,
        pytest.raises(CniError) as failed,
        as_cni_errors(),
    ):
        make_port(client, configuration, WEB, {}, Deadline(seconds), wait="up")
    return failed.value.code


def test_what_is_the_servers_own_trouble_is_to_be_tried_again() -> None:
    assert code_of(sends(problem(504, "not-reached"))) == 11
    assert code_of(*[sends(problem(503, "busy"))] * 9, seconds=0.3) == 11
    assert code_of(sends(problem(500, "internal"))) == 11


def test_what_is_refused_is_not_to_be_tried_again() -> None:
    assert code_of(sends(problem(403, "forbidden"))) == 100
    assert code_of(sends(problem(422, "invalid"))) == 100


def test_a_port_that_was_made_is_not_forgotten_when_the_server_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the first answer nothing can be sent any more, but there is something to remove."""
    switch = {"subnet4": "10.0.0.0/24", "subnet6": None}
    port = {"dynamic_addresses": "0a:00:00:00:00:01 10.0.0.2", "addresses": ["dynamic"]}
    done = json.dumps({"results": [{"object": switch}, {"object": port}]})
    document = {"cniVersion": "1.1.0", "name": "lan"}
    configuration = read_configuration(document, Invocation("ADD", "web", "/n", "eth0", {}))
    with scripted_server(sends(http(200, done))) as server, Client(server.url) as client:
        ask = client.request

        def request(method: str, *rest: Any, **more: Any) -> Any:
            if method == "PATCH":
                raise UnreachableError("refused", sent=False)
            return ask(method, *rest, **more)

        monkeypatch.setattr(client, "request", request)
        with pytest.raises(UnreachableError) as failed:
            make_port(client, configuration, WEB, {}, Deadline(5), wait="up")
    assert failed.value.sent
