"""What the ends of this release understand."""

from typing import Final, get_args

from logical_flow.words import KNOWN_WORDS
from southbound.questions import Question
from southbound.rows import ROW_TYPES
from southbound.tolerant import TO_AGENT, TO_SERVER
from southbound.vocabulary import Vocabulary

_TABLES: Final = {table: row.__struct_fields__ for table, row in ROW_TYPES.items()}
_WORDS: Final = tuple(sorted(KNOWN_WORDS))

AGENT: Final = Vocabulary(
    _TABLES,
    tuple(sorted(TO_AGENT)),
    tuple(sorted(kind.__struct_config__.tag for kind in get_args(Question))),
    _WORDS,
)
SERVER: Final = Vocabulary(_TABLES, tuple(sorted(TO_SERVER)), (), _WORDS)
