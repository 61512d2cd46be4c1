"""What the Neutron API refuses, in one hierarchy, with the types and codes of Neutron.

::

    NeutronError                          400..503, `type` is the class of Neutron's exception
    ├── BadRequestError                   400 HTTPBadRequest
    │   ├── InvalidInputError             400 HTTPBadRequest, with the attribute's name
    │   └── InvalidOperationError         400 InvalidInput
    ├── NotAuthorizedError                403 PolicyNotAuthorized
    ├── UnauthenticatedError              401, which is no Neutron body but Keystone's
    ├── ResourceNotFoundError             404 NetworkNotFound and its like
    ├── InUseError                        409 NetworkInUse and its like
    └── RevisionMismatchError             412 RevisionNumberConstraintFailed

Others are made where they are refused, as a :class:`NeutronError` with the type's name. Bodies
are ``{"NeutronError": {"type", "message", "detail"}}``.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

from api import errors as api
from northbound import errors as intent
from southbound import errors as realised


class NeutronError(api.ApiError):
    """A refusal with its HTTP status, and the type by which clients tell it from others."""

    headers: Mapping[str, str] = {}

    def __init__(self, status: int, type_: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.message = message
        self.detail = detail


class BadRequestError(NeutronError):
    """The request is wrong by itself, whatever there is."""

    def __init__(self, message: str, type_: str = "HTTPBadRequest") -> None:
        super().__init__(400, type_, message)


class InvalidInputError(BadRequestError):
    """An attribute has a value that it can't have."""

    def __init__(self, attribute: str, reason: str, type_: str = "HTTPBadRequest") -> None:
        super().__init__(f"Invalid input for {attribute}. Reason: {reason}.", type_)
        self.reason = reason


class InvalidOperationError(BadRequestError):
    """Attributes don't go together, or not with what there is. `type_` tells it from others."""

    def __init__(self, reason: str, type_: str = "InvalidInput") -> None:
        super().__init__(f"Invalid input for operation: {reason}.", type_)


class NotAuthorizedError(NeutronError):
    """The caller may not do that, though it may see the object."""

    def __init__(self, rule: str) -> None:
        super().__init__(403, "PolicyNotAuthorized", f"rule:{rule} is disallowed by policy")


class UnauthenticatedError(NeutronError):
    """Nothing that the request shows says who asks. `challenge` is what would, if anything."""

    def __init__(
        self,
        challenge: str,
        message: str = "The request you have made requires authentication.",
    ) -> None:
        super().__init__(401, "Unauthorized", message)
        self.headers = {"WWW-Authenticate": challenge} if challenge else {}


class ResourceNotFoundError(NeutronError):
    """There is none with that id, or the caller must not see it."""

    def __init__(self, title: str, object_id: str) -> None:
        type_ = title.title().replace(" ", "") + "NotFound"
        super().__init__(404, type_, f"{title} {object_id} could not be found.")


class InUseError(NeutronError):
    """What uses an object stands in the way of its end."""

    def __init__(self, title: str, object_id: str, reason: str) -> None:
        type_ = title.title().replace(" ", "") + "InUse"
        message = f"Unable to complete operation on {title.lower()} {object_id}. {reason}"
        super().__init__(409, type_, message)


class RevisionMismatchError(NeutronError):
    """The object is another revision than the request asks for."""

    def __init__(self, expected: int, current: int) -> None:
        message = f"Constrained to {expected}, but current revision is {current}"
        super().__init__(412, "RevisionNumberConstraintFailed", message)


def neutron_error_for(error: Exception) -> NeutronError | None:
    """Return what Neutron would answer where another part refuses; None for a fault of ours.

    Services of :mod:`northbound` check what every API has to keep. What clients of Neutron tell
    apart by its type is refused before, by the resource.
    """
    if isinstance(error, NeutronError):
        return error
    for kind, status, type_ in _TYPES:
        if isinstance(error, kind):
            return NeutronError(status, type_, str(error))
    return None


_TYPES: tuple[tuple[type[Exception], int, str], ...] = (
    (intent.InvalidError, 400, "HTTPBadRequest"),
    (intent.NotFoundError, 404, "HTTPNotFound"),
    (intent.ConflictError, 409, "Conflict"),
    (intent.ReferencedError, 409, "InUse"),
    (intent.SharedError, 403, "PolicyNotAuthorized"),
    (intent.VersionMismatchError, 412, "RevisionNumberConstraintFailed"),
    (intent.LimitError, 413, "HTTPRequestEntityTooLarge"),
    (intent.ExhaustedError, 409, "Conflict"),
    (intent.DatabaseError, 503, "ServiceUnavailable"),
    (realised.SouthboundError, 503, "ServiceUnavailable"),
    (api.BodyTooLargeError, 413, "HTTPRequestEntityTooLarge"),
    (api.TooComplexError, 413, "HTTPRequestEntityTooLarge"),
    (api.UnsupportedMediaError, 415, "HTTPUnsupportedMediaType"),
    (api.UnreadableBodyError, 400, "MalformedRequestBody"),
    (api.ApiError, 400, "HTTPBadRequest"),
)


def response_for(error: NeutronError) -> JSONResponse:
    """Return the answer that says `error`."""
    return JSONResponse(error_body(error), error.status, dict(error.headers))


def error_body(error: NeutronError) -> dict[str, Any]:
    """Return the body that says `error`."""
    if isinstance(error, UnauthenticatedError):
        return {"error": {"code": error.status, "title": error.type, "message": error.message}}
    told = {"type": error.type, "message": error.message, "detail": error.detail}
    return {"NeutronError": told}
