"""What can be wrong with logical flows.

::

    LogicalFlowError
    ├── LanguageError              text that isn't in the language; knows where
    │   ├── LogicalFlowSyntaxError     it doesn't parse
    │   │   └── VariableError              it has a variable of chassis, where none may be
    │   └── LogicalFlowTypeError       it parses, but the parts don't fit
    ├── TooComplexError            a match that would become an unreasonable number of flows
    ├── TemplateError              a template or its arguments are not well-formed
    ├── UnresolvedError            a variable of a chassis has no value that fits
    └── WalkError                  a packet walk over flows that don't belong together
"""


class LogicalFlowError(Exception):
    """Base of everything that this package raises on purpose."""


class LanguageError(LogicalFlowError):
    """Text that isn't a match or actions, and the place where that shows.

    `position` counts characters from 0 into `source`; `length` is how many
    characters are to blame (at least 1).
    """

    def __init__(self, message: str, source: str, position: int, length: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.position = position
        self.length = max(length, 1)

    def __reduce__(self) -> tuple[type["LanguageError"], tuple[str, str, int, int]]:
        return type(self), (self.message, self.source, self.position, self.length)

    def caret(self) -> str:
        """The source line to blame with a caret under the place.

        >>> print(LogicalFlowSyntaxError("no", "ip4 &&& tcp", 6).caret())
        ip4 &&& tcp
              ^
        """
        start = self.source.rfind("\n", 0, self.position) + 1
        end = self.source.find("\n", self.position)
        line = self.source[start : len(self.source) if end < 0 else end]
        column = self.position - start
        marks = "^" * min(self.length, max(len(line) - column, 1))
        # Tabs stay tabs, so that the caret stands under its character.
        indent = "".join("\t" if character == "\t" else " " for character in line[:column])
        return f"{line}\n{indent}{marks}"


class LogicalFlowSyntaxError(LanguageError):
    """The text doesn't follow the grammar."""


class VariableError(LogicalFlowSyntaxError):
    """The text has a variable of chassis, which only parts of load balancers may be."""


class LogicalFlowTypeError(LanguageError):
    """The text follows the grammar, but fields, relations and constants don't fit."""


class TooComplexError(LogicalFlowError):
    """The match would become an unreasonable number of flows."""


class TemplateError(LogicalFlowError):
    """A template is not well-formed, or was called with arguments that don't fit its holes."""


class UnresolvedError(LogicalFlowError):
    """A variable of a chassis has no value there that fits; `reason` says why not."""

    def __init__(self, variable: str, reason: str) -> None:
        super().__init__(f"^{variable}: {reason}")
        self.variable = variable
        self.reason = reason


class WalkError(LogicalFlowError):
    """A packet walk cannot go on because its inputs contradict each other."""
