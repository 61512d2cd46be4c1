"""Which agent may be which chassis: the gate of the agents' listener.

A token of the role ``chassis`` is good for the chassis that it names, a client certificate
for the chassis of one of its names. An agent that shows both needs both to be right. A
listener that only its own host can reach may do without either.

Host names and tunnel addresses that a good token names are its chassis' alone, so no other
chassis registers with them, whatever it shows.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from api.token_watch import TokenWatch
from northbound import tokens
from northbound.attempts import FailedAttempts
from northbound.database import Database
from northbound.errors import DatabaseError
from northbound.tokens import Token
from southbound.errors import CannotTellError, NotAllowedError
from southbound.rows import Chassis
from southbound.watch.gate import ClientCertificate, Credentials, Identity

UNKNOWN = "the token is unknown, expired or revoked"
NOTHING_SHOWN = "agents have to show a token of the role chassis, or a client certificate"
EXPIRED = "the client certificate has expired"
LISTS_CHANGED = "certificates have to be shown again: the list of revoked ones has changed"


class _Found(NamedTuple):
    """What the database says: the token that was shown, and those that pin something."""

    token: Token | None
    pinning: list[Token]


class AgentGate:
    """A :data:`~southbound.watch.gate.Gate` by tokens and certificates."""

    def __init__(
        self,
        database: Database,
        token_watch: TokenWatch,
        attempts: FailedAttempts,
        *,
        needed: bool,
    ) -> None:
        """`needed`: whether an agent has to show anything at all."""
        self._database = database
        self._token_watch = token_watch
        self._attempts = attempts
        self._needed = needed
        self._lists_changed = asyncio.Event()

    async def __call__(self, credentials: Credentials) -> Identity:
        shown = credentials.token or credentials.certificate
        if self._needed and not shown:
            raise NotAllowedError(NOTHING_SHOWN)
        found = await asyncio.to_thread(self._find, credentials.token)
        parts: list[Identity] = [_Pins(found.pinning)]
        if credentials.token:
            if found.token is None or found.token.role != "chassis":
                await asyncio.sleep(self._attempts.failed(credentials.peer, time.monotonic()))
                raise NotAllowedError(
                    UNKNOWN if found.token is None else "the token is not one of a chassis"
                )
            parts.append(_ByToken(found.token, self._token_watch))
        if credentials.certificate is not None:
            parts.append(_ByCertificate(credentials.certificate, self._lists_changed))
        return _All(parts)

    def show_certificates_again(self) -> None:
        """End the connections that came by certificate: some may have been revoked."""
        changed, self._lists_changed = self._lists_changed, asyncio.Event()
        changed.set()

    def _find(self, secret: str) -> _Found:
        try:
            with self._database.read() as reader:
                token = tokens.authenticate(reader, secret) if secret else None
                return _Found(token, tokens.pinning(reader))
        except DatabaseError as error:
            raise CannotTellError(f"credentials cannot be checked: {error}") from error


class _All:
    """Good for what all of its parts are good for, while all of them are good."""

    def __init__(self, parts: Sequence[Identity]) -> None:
        self._parts = parts

    def check(self, chassis: Chassis) -> None:
        for part in self._parts:
            part.check(chassis)

    async def ended(self) -> str:
        waits = [asyncio.ensure_future(part.ended()) for part in self._parts]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            return next(iter(done)).result()
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


class _Pins:
    """Refuses what the tokens of other chassis have for themselves."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens

    def check(self, chassis: Chassis) -> None:
        addresses = {encap.ip for encap in chassis.encaps}
        for token in self._tokens:
            if token.chassis == chassis.name:
                continue
            if token.hostname is not None and token.hostname == chassis.hostname:
                raise NotAllowedError(f"the host name {chassis.hostname} is another chassis'")
            if taken := addresses.intersection(token.encap_ips):
                raise NotAllowedError(f"the tunnel address {min(taken)} is another chassis'")

    async def ended(self) -> str:
        """They are looked at when a chassis registers, and end nothing later."""
        never: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        return await never


class _ByToken:
    def __init__(self, token: Token, watch: TokenWatch) -> None:
        self._token = token
        self._watch = watch

    def check(self, chassis: Chassis) -> None:
        token = self._token
        if token.chassis != chassis.name:
            raise NotAllowedError(f"the token is not valid for chassis {chassis.name!r}")
        if token.hostname is not None and token.hostname != chassis.hostname:
            raise NotAllowedError(
                f"the token is for the host name {token.hostname}, not {chassis.hostname!r}"
            )
        for encap in chassis.encaps:
            if token.encap_ips and encap.ip not in token.encap_ips:
                raise NotAllowedError(
                    f"the token is for the tunnel addresses {', '.join(token.encap_ips)}, "
                    f"not {encap.ip}"
                )

    async def ended(self) -> str:
        return await self._watch.ended(self._token)


class _ByCertificate:
    def __init__(self, certificate: ClientCertificate, lists_changed: asyncio.Event) -> None:
        self._certificate = certificate
        self._lists_changed = lists_changed

    def check(self, chassis: Chassis) -> None:
        if chassis.name not in self._certificate.names:
            names = ", ".join(sorted(self._certificate.names)) or "nothing"
            raise NotAllowedError(
                f"the certificate is for {names}, not for chassis {chassis.name!r}"
            )

    async def ended(self) -> str:
        left = self._certificate.expires_at - time.time()
        try:
            async with asyncio.timeout(max(0.0, left)):
                await self._lists_changed.wait()
        except TimeoutError:
            return EXPIRED
        return LISTS_CHANGED
