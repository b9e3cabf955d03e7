"""Messages as the body of a `.prompty` file, so that every byte of them arrives.

Text can hold what the body would read as something else: the delimiters of
Jinja2, a line that looks like the start of a message, a carriage return. And
a body drops the blank lines around a message. Such text is written as a
printed constant, `{{ "user:" }}`, which is never looked at and never trimmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from llmops.prompts.exchange.values import Code, Conversation, Piece, Turn, Variable
from llmops.prompts.source import BLANK

# A superset of what `Source` takes for a role line, or refuses as almost one.
_LIKE_A_ROLE = re.compile(
    r"[ \t]*#?[ \t]*(system|user|assistant|developer|tool)[ \t]*(\[.*\])?[ \t]*:[ \t]*",
    re.IGNORECASE | re.DOTALL,
)
_LIKE_A_CONFLICT = re.compile("(?:<{7}|>{7}) ")
_DELIMITERS = re.compile(r"\{[{%#]+[\r\0]*|\{*[\r\0]+")
_BEFORE_CODE = re.compile(rf"{_DELIMITERS.pattern}|\{{+$")

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROL = re.compile(r'[\\"\x00-\x1f\x7f]')


def body(turns: Iterable[Turn | Conversation]) -> str:
    """The body that renders to `turns`.

    >>> print(body([Turn("user", ("Hello ", Variable("name"), "\\nuser:\\n"))]), end="")
    user:
    Hello {{ name }}
    {{ "user:" }}{{ "\\n" }}
    """
    return "\n\n".join(_block(turn) for turn in turns) + "\n"


def quoted(text: str) -> str:
    """`text` as a printed constant.

    >>> quoted("{{")
    '{{ "{{" }}'
    """
    return f'{{{{ "{_CONTROL.sub(_escaped, text)}" }}}}'


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """`pieces` without empty texts, and with neighbouring texts as one."""
    made: list[Piece] = []
    for is_text, group in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        if is_text:
            text = "".join(piece for piece in group if isinstance(piece, str))
            made += [text] if text else []
        else:
            made += group
    return made


def _block(turn: Turn | Conversation) -> str:
    if isinstance(turn, Conversation):
        return _loop(turn)
    return f"{turn.role}:\n{_message(merged(turn.pieces))}"


def _loop(conversation: Conversation) -> str:
    each = "message" if conversation.name != "message" else "each"
    wanted = f"[-{conversation.last}:]" if conversation.last else ""
    said = "".join(
        f"{test}\n{role}:\n{{{{ {each}.content }}}}\n"
        for test, role in (
            (f'{{% if {each}.role == "system" %}}', "system"),
            (f'{{% elif {each}.role == "developer" %}}', "developer"),
            (f'{{% elif {each}.role == "assistant" %}}', "assistant"),
            ("{% else %}", "user"),
        )
    )
    return f"{{% for {each} in {conversation.name}{wanted} %}}\n{said}{{% endif %}}\n{{% endfor %}}"


def _message(pieces: list[Piece]) -> str:
    before, pieces, after = _edges(pieces)
    lines = "".join(_line(line) for line in _lines(pieces))
    return f"{before}{lines}{after}"


def _edges(pieces: list[Piece]) -> tuple[str, list[Piece], str]:
    """What keeps the blanks at a message's ends, and the pieces that remain between."""
    before, pieces = _start(pieces)
    after = ""
    last = pieces[-1] if pieces else None
    if isinstance(last, str):
        kept = last.rstrip(BLANK)
        if kept != last:
            kept = kept.rstrip("{")  # which would open code together with what follows
            after, pieces = quoted(last[len(kept) :]), merged([*pieces[:-1], kept])
    elif isinstance(last, Code) and not last.prints:
        after = quoted("")
    return before, pieces, after


def _start(pieces: list[Piece]) -> tuple[str, list[Piece]]:
    first = pieces[0] if pieces else ""
    if isinstance(first, str):
        blank = len(first) - len(first.lstrip(BLANK))
        if len(pieces) <= 1 and blank == len(first):
            return quoted(first), []
        if lost := first[: first.rfind("\n", 0, blank) + 1]:
            return quoted(lost), merged([first[len(lost) :], *pieces[1:]])
        if blank < len(first):
            return "", pieces
    # What a statement prints first, if anything, is not known: it may be blank.
    leads = pieces[1] if isinstance(first, str) else first
    return quoted("") if isinstance(leads, Code) and not leads.prints else "", pieces


def _lines(pieces: list[Piece]) -> list[list[Piece]]:
    """The pieces of each line, the line's end with it."""
    lines: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            lines[-1].append(piece)
            continue
        first, *more = piece.split("\n")
        lines[-1].append(first)
        for part in more:
            lines[-1].append("\n")
            lines.append([part])
    return lines


def _line(pieces: list[Piece]) -> str:
    end = "\n" if pieces and pieces[-1] == "\n" else ""
    pieces = merged(pieces[: len(pieces) - len(end)])
    line = "".join(
        _spelled(piece, before_code=index + 1 < len(pieces)) for index, piece in enumerate(pieces)
    )
    if _LIKE_A_ROLE.fullmatch(line) or _LIKE_A_CONFLICT.match(line):
        line = "".join(
            quoted(piece) if isinstance(piece, str) else _spelled(piece) for piece in pieces
        )
    return line + end


def _spelled(piece: Piece, *, before_code: bool = False) -> str:
    match piece:
        case Variable(name):
            return f"{{{{ {name} }}}}"
        case Code(source):
            return source
    special = _BEFORE_CODE if before_code else _DELIMITERS
    return special.sub(lambda found: quoted(found[0]), piece)


def _escaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\x{ord(found[0]):02x}"
