"""What a switch tells of BFD sessions, told in full, in part and in words of another release."""

import pytest

from chassis_agent.ovsdb.bfd import BfdState, BfdStatus, read_bfd_status

UP = {
    "state": "up",
    "forwarding": "true",
    "diagnostic": "No Diagnostic",
    "remote_state": "up",
    "remote_diagnostic": "Control Detection Time Expired",
    "flap_count": "3",
}


def test_a_session_is_read_in_full() -> None:
    assert read_bfd_status(UP) == BfdStatus(
        BfdState.UP, True, "No Diagnostic", BfdState.UP, "Control Detection Time Expired", 3
    )


def test_without_bfd_there_is_no_session() -> None:
    assert read_bfd_status({}) is None


@pytest.mark.parametrize("state", ["down", "init", "admin_down"])
def test_a_session_that_is_not_up_is_not_usable(state: str) -> None:
    status = read_bfd_status({**UP, "state": state})
    assert status is not None
    assert status.is_usable is False


def test_a_path_that_the_peer_calls_down_is_not_usable() -> None:
    status = read_bfd_status({**UP, "forwarding": "false"})
    assert status is not None
    assert (status.state, status.is_usable) == (BfdState.UP, False)


@pytest.mark.parametrize(
    "told",
    [
        {"state": "paused"},
        {"forwarding": "true"},
        {"flap_count": "-1"},
        {"flap_count": "9" * 5000},
        {"state": "UP"},
    ],
)
def test_what_is_not_understood_is_not_known(told: dict[str, str]) -> None:
    status = read_bfd_status(told)
    assert status is not None
    assert (status.state, status.flaps, status.is_usable) == (None, None, None)


def test_a_state_without_forwarding_is_not_known_to_be_usable() -> None:
    status = read_bfd_status({"state": "up"})
    assert status is not None
    assert status.is_usable is None
