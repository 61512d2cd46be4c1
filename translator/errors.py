"""What can go wrong in translation.

TranslationError
├── UnknownNameError           a match names what isn't there
├── UnreachableNextHopError    a route leads to where no port of its router is
└── UnwatchedNextHopError      what goes by a BFD session has none

What a derivation raises concerns its object only; it is kept as a failure of the
object's translation, beside a fallback that lets nothing through.
"""


class TranslationError(Exception):
    """Base of this package's exceptions."""


class UnknownNameError(TranslationError):
    """A match names a set that isn't there, or not in its project."""


class UnreachableNextHopError(TranslationError):
    """A route leads to where no port of its router is."""


class UnwatchedNextHopError(TranslationError):
    """A route goes by a BFD session that there isn't."""
