"""What the HTTP interface itself refuses, before or after intent is asked.

::

    ApiError
    ├── UnauthenticatedError     no token, or one that is unknown, expired or revoked
    ├── ForbiddenError           the token's role does not allow this
    ├── ForbiddenProjectError    the token is for one project, and this is about others
    ├── BadQueryError            query parameters that are unknown or wrong
    ├── BadPreconditionError     an If-Match header that is not one of our entity tags
    ├── UnreadableBodyError      not JSON, or not YAML where YAML may be sent
    ├── UnsupportedMediaError    a media type that the operation does not take
    ├── BodyTooLargeError        more bytes than the server takes
    ├── TooComplexError          more values than the server takes
    ├── TooManyQuestionsError    more traces and explanations at once than the server works on
    └── WaitTimeoutError         committed, but not everywhere in time

Everything else that is refused comes from :mod:`northbound.errors`. Only
:mod:`api.problems` turns either into a response.
"""

from collections.abc import Sequence
from typing import Literal

from northbound.errors import FieldProblem

Milestone = Literal["translated", "chassis", "up"]


class ApiError(Exception):
    """Base of all errors of this package."""


class UnauthenticatedError(ApiError):
    """The request carries no token that is known and valid."""


class ForbiddenError(ApiError):
    """The caller is known, but its role does not allow the operation."""

    def __init__(self, role: str, needed: str) -> None:
        super().__init__(f"this needs the role {needed}; the token's role is {role}")
        self.role = role
        self.needed = needed


class ForbiddenProjectError(ApiError):
    """The caller's token is for one project, and the operation is not, or about another."""

    def __init__(self, project: str) -> None:
        super().__init__(f"the token is for project {project} only")
        self.project = project


class BadQueryError(ApiError):
    """Query parameters that the operation does not have, or not with these values."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class BadPreconditionError(ApiError):
    """An ``If-Match`` header that holds no entity tag of this API."""

    def __init__(self, header: str) -> None:
        super().__init__(f'If-Match has to be an ETag of this API, such as "42", not {header}')


class UnreadableBodyError(ApiError):
    """The body is not the text of a document."""


class UnsupportedMediaError(ApiError):
    """The body's media type is none that the operation takes."""

    def __init__(self, got: str, accepted: tuple[str, ...]) -> None:
        super().__init__(f"Content-Type is {got or 'missing'}; send {' or '.join(accepted)}")
        self.accepted = accepted


class BodyTooLargeError(ApiError):
    """The body has more bytes than the server takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes")


class TooComplexError(ApiError):
    """The body has more values in it than the server takes."""


class TooManyQuestionsError(ApiError):
    """Too many traces and explanations were asked for at once; trying again may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"too many traces and explanations are asked for at once: {reason}")


class WaitTimeoutError(ApiError):
    """`revision` has not reached the milestone in time; mostly it is `committed`.

    `waiting_for` names the chassis that have not applied it, or the ports that are not up;
    `unnamed` is how many chassis there are that the caller must not know.
    """

    def __init__(
        self,
        revision: int,
        milestone: Milestone,
        timeout: float,
        waiting_for: Sequence[str] = (),
        *,
        unnamed: int = 0,
        committed: bool = True,
    ) -> None:
        lacking = [*waiting_for, *([f"{unnamed} chassis"] if unnamed else [])]
        missing = f" (missing: {', '.join(lacking)})" if lacking else ""
        where = {
            "translated": "translated",
            "chassis": "applied by every chassis concerned",
            "up": "applied by every chassis concerned, with its bound ports up,",
        }[milestone]
        super().__init__(
            f"revision {revision} is committed and stays so, "
            f"but it was not {where} within {timeout:g} s{missing}"
            if committed
            else f"there was no revision {revision} within {timeout:g} s"
        )
        self.revision = revision
        self.milestone = milestone
        self.waiting_for = tuple(waiting_for)
