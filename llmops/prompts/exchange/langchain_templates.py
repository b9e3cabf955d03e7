"""LangChain's prompts and messages as turns: templates of three languages, and placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.core.chat import Role
from llmops.core.errors import DocumentError, Where
from llmops.prompts.exchange.chats import read_content, read_role
from llmops.prompts.exchange.languages.fstring import read_fstring
from llmops.prompts.exchange.languages.jinja import read_jinja
from llmops.prompts.exchange.languages.mustache import ESCAPING_NOTE, read_mustache
from llmops.prompts.exchange.serialised import Serialised, kwargs_of, opened
from llmops.prompts.exchange.values import Code, Conversation, Piece, Turn, Variable

_SPEAKERS: dict[str, Role] = {"System": "system", "Human": "user", "AI": "assistant"}
_PLACES = {"human": "user", "ai": "assistant"}
_ELSEWHERE = ("template_path", "prefix_path", "suffix_path", "example_prompt_path")


class Reading:
    """One prompt while it is read; collects what its templates ask for."""

    def __init__(self, where: Where):
        self._where = where
        self.kinds: dict[str, str] = {}
        """Variables that stand in code, which cannot be renamed, and their kinds."""
        self.partials: dict[str, Any] = {}
        self.notes: list[str] = []

    def turns(self, prompt: Serialised) -> list[Turn | Conversation]:
        """The messages of a prompt; a prompt for a text becomes what the user says."""
        match prompt.kind:
            case "ChatPromptTemplate" | "StructuredPrompt":
                listed = prompt.kwargs.get("messages")
                if not isinstance(listed, list) or not listed:
                    raise self._refused("the prompt has no messages")
                return [self._turn(opened(each, self._where)) for each in listed]
            case "PromptTemplate" | "FewShotPromptTemplate":
                return [Turn("user", tuple(self._template(prompt)))]
        raise self._refused(f"`{prompt.kind}` is no prompt that is known here")

    def _turn(self, made: Serialised) -> Turn | Conversation:
        if made.kind == "MessagesPlaceholder":
            return self._conversation(made)
        if made.kind.removesuffix("Chunk").endswith("MessagePromptTemplate"):
            role = self._role(made, "MessagePromptTemplate")
            return Turn(role, tuple(self._template(self._inner(made))))
        if made.kind.endswith("Message"):
            if made.kwargs.get("tool_calls"):
                raise self._refused("a message calls tools, which a prompt cannot hold")
            content = read_content(made.kwargs.get("content"), 0, self._where)
            return Turn(self._role(made, "Message"), (content,))
        raise self._refused(f"`{made.kind}` is no message that is known here")

    def _role(self, made: Serialised, suffix: str) -> Role:
        speaker = made.kind.removesuffix(suffix)
        if speaker in _SPEAKERS:
            return _SPEAKERS[speaker]
        given = made.kwargs.get("role")
        return read_role(_PLACES.get(str(given).lower(), given or speaker), self._where)

    def _conversation(self, made: Serialised) -> Conversation:
        name = made.kwargs.get("variable_name")
        if not isinstance(name, str) or not name:
            raise self._refused("a placeholder has no `variable_name`")
        if made.kwargs.get("optional"):
            self.partials.setdefault(name, [])
        last = made.kwargs.get("n_messages")
        return Conversation(name, last if isinstance(last, int) and last > 0 else None)

    def _inner(self, made: Serialised) -> Serialised:
        prompt = made.kwargs.get("prompt")
        if isinstance(prompt, list):
            if len(prompt) != 1:
                raise self._refused("a message has several parts, such as an image")
            prompt = prompt[0]
        return opened(prompt, self._where)

    def _template(self, made: Serialised) -> list[Piece]:
        for key in _ELSEWHERE:
            if made.kwargs.get(key):
                raise self._refused(f"`{key}` is in a file of its own: write its text in")
        self.partials |= kwargs_of(made, "partial_variables")
        match made.kind:
            case "PromptTemplate":
                return self._read(made.kwargs.get("template"), made)
            case "FewShotPromptTemplate":
                return self._read(self._with_examples(made), made)
        raise self._refused(f"`{made.kind}` is no template of text")

    def _read(self, template: Any, made: Serialised) -> list[Piece]:
        if not isinstance(template, str):
            raise self._refused("a template is no text")
        match made.kwargs.get("template_format", "f-string"):
            case "f-string":
                return read_fstring(template, self._where)
            case "mustache":
                self.notes.append(ESCAPING_NOTE)
                return self._noted(read_mustache(template, self._where))
            case "jinja2":
                # Jinja2 drops one line end from the end of a template.
                read = read_jinja(template.removesuffix("\n"), self._where)
                if any(isinstance(piece, Code) for piece in read.pieces):
                    self.kinds |= read.kinds
                return list(read.pieces)
        raise self._refused(
            f"`template_format: {made.kwargs['template_format']}` is not known here"
        )

    def _noted(self, pieces: list[Piece]) -> list[Piece]:
        """Mustache's paths, `{{a.b}}`, have become code that asks for objects."""
        for piece in pieces:
            if isinstance(piece, Code):
                self.kinds |= read_jinja(piece.source, self._where).kinds
        return pieces

    def _with_examples(self, made: Serialised) -> str:
        """A few-shot template with its examples written out, as LangChain does it."""
        examples = made.kwargs.get("examples")
        if not isinstance(examples, list) or made.kwargs.get("example_selector"):
            raise self._refused("the examples are not in the file: write them in as a list")
        template = self._template(opened(made.kwargs.get("example_prompt"), self._where))
        texts = [made.kwargs.get("prefix"), *(self._filled(template, each) for each in examples)]
        separator = made.kwargs.get("example_separator", "\n\n")
        return str(separator).join(
            str(each) for each in (*texts, made.kwargs.get("suffix")) if each
        )

    def _filled(self, template: list[Piece], example: Any) -> str:
        def text(piece: Piece) -> str:
            match piece:
                case str():
                    return piece
                case Variable(name) if isinstance(example, Mapping) and name in example:
                    return str(example[name])
                case Variable(name):
                    raise self._refused(f"an example has no `{name}`")
            raise self._refused("the template of the examples has code in it")

        return "".join(map(text, template))

    def _refused(self, reason: str) -> DocumentError:
        return DocumentError(reason, where=self._where)
