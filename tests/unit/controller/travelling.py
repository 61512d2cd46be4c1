"""A controller as if it were in another process: all that goes in and out is encoded and decoded.

What is alive, or knows more than its type says, doesn't come through.
"""

import inspect
from collections.abc import Callable
from typing import Any, cast, get_type_hints

import msgspec

from controller.interface import Controller
from southbound import errors

_ERRORS: dict[str, type[Exception]] = {
    "TimeoutError": TimeoutError,
    **{
        name: value
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    },
}

QUESTIONS = {
    name: value
    for name, value in vars(Controller).items()
    if inspect.iscoroutinefunction(value) and not name.startswith("_")
}


def travel(value: Any, as_type: Any) -> Any:
    """Return `value` as it arrives where only its type is known."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=as_type)


def travelling(controller: Controller) -> Controller:
    """Return a controller that sends every question to `controller`, and its answer back."""
    methods = {name: _method(controller, name, asked) for name, asked in QUESTIONS.items()}
    return cast(Controller, type("Travelling", (), methods)())


def _method(controller: Controller, name: str, asked: Callable[..., Any]) -> Callable[..., Any]:
    hints = get_type_hints(asked)
    signature = inspect.signature(asked)

    async def ask(*arguments: Any, **options: Any) -> Any:
        bound = signature.bind(*arguments, **options)
        for parameter, value in list(bound.arguments.items())[1:]:
            bound.arguments[parameter] = travel(value, hints[parameter])
        _, *arrived = bound.args
        try:
            answer = await getattr(controller, name)(*arrived, **bound.kwargs)
        except Exception as error:
            raise _ERRORS[type(error).__name__](str(error)) from None
        return travel(answer, hints["return"])

    return ask
