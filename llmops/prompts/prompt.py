"""A prompt: messages with gaps, what fills them, and how the model is to be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.core.chat import Messages, Sampling
from llmops.core.errors import DocumentError, NotFound, UsageError, Where
from llmops.core.files import read_document
from llmops.core.fingerprint import fingerprint
from llmops.prompts.declarations import read_examples_path, read_properties, read_sampling
from llmops.prompts.deprecation import Deprecation
from llmops.prompts.examples import examples_fingerprint, load_examples
from llmops.prompts.inputs import Input, object_schema
from llmops.prompts.parts import Part
from llmops.prompts.schema import FrontMatter, take_apart
from llmops.prompts.trees import FolderTree, Tree

if TYPE_CHECKING:
    from llmops.prompts.source import SourceMessage
    from llmops.prompts.template import Template

SUFFIX = ".prompty"


@dataclass(frozen=True, kw_only=True, eq=False)
class Prompt:
    """One version of a prompt, usable without a project.

    The template is compiled at the first use; `check()` asks for it at once.
    """

    name: str
    path: Path
    version: str
    display_name: str | None = None
    description: str = ""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    deprecated: Deprecation | None = None
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Input, ...] = ()
    model: str | None = None
    """The model it was written for, in LiteLLM's spelling."""
    sampling: Sampling = field(default_factory=Sampling)
    body: str
    """The messages with gaps, as written below the front matter, with `\\n` line ends."""
    body_line: int = 1
    """The line of the file on which the body starts."""
    examples_path: str | None = None
    """The file of few-shot examples, relative to the prompts folder."""
    examples_where: Where | None = field(default=None, repr=False)
    """Where the file names it."""
    source: str = field(repr=False)
    """The whole text of the file, as it was read."""
    tree: Tree | None = field(default=None, repr=False)
    """Where partials and examples are read from, when they are asked for."""

    @cached_property
    def template(self) -> Template:
        """The body, ready to be compiled."""
        # A listing of many prompts has no use for the template engine.
        from llmops.prompts.template import Template

        return Template(
            self.body,
            path=self.path,
            first_line=self.body_line,
            inputs=self._variables(),
            tree=self.tree,
        )

    @cached_property
    def examples(self) -> tuple[dict[str, Any], ...]:
        """The rows of the examples file; empty if the prompt names none.

        Raises `DocumentError`, with file and line, for a file that is not
        there or holds something else.
        """
        if self.examples_path is None:
            return ()
        return load_examples(self.examples_path, self.tree, self.examples_where)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The other files that the prompt is made of, partials and examples, sorted by path.

        Raises `DocumentError` for one that is not there or cannot be read.
        """
        parts = list(self.template.composition.parts())
        if self.examples_path is not None:
            digest = examples_fingerprint(self.examples)
            parts.append(Part(path=self.examples_path, fingerprint=digest))
        return tuple(sorted(parts, key=lambda part: part.path))

    def messages_source(self) -> tuple[SourceMessage, ...]:
        """The body divided into its messages: code and includes as written, without comments."""
        return self.template.messages_source()

    @property
    def output_schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the answer; `None` when the answer is free text."""
        return object_schema(self.outputs) if self.outputs else None

    @cached_property
    def fingerprint(self) -> str:
        """The address of the content: what reaches the model, and the interface.

        Description, metadata, comments and white space that no model sees
        leave it as it is.
        """
        content: dict[str, Any] = {
            "format": "llmops/prompt/1",
            "template": self.template.canonical(),
            "interface": self._interface(),
            "defaults": dict(pair for each in self.inputs for pair in each.defaults()),
            "outputs": self.output_schema,
            "model": self.model,
            "sampling": sampling_json(self.sampling),
        }
        if not all(each.required for each in self.outputs):
            # A model writes its answer in this order; the schema lists only what is required.
            content["order"] = [each.name for each in self.outputs]
        partials = self.template.composition.canonical_partials()
        if partials:
            content["partials"] = partials
        if self.examples:
            content["examples"] = examples_fingerprint(self.examples)
        return fingerprint(content)

    @cached_property
    def interface_fingerprint(self) -> str:
        """The address of what callers depend on: inputs and the shape of the answer."""
        return fingerprint({"format": "llmops/prompt-interface/1", **self._interface()})

    def check(self) -> None:
        """Raise `DocumentError` for anything that no values could put right.

        It may be in the body, in a partial or in the examples, and says where.
        """
        self.template.check()
        _ = self.examples

    def render(self, /, **inputs: Any) -> Messages:
        """The messages with `inputs` in their places, byte for byte.

        Raises `UsageError` for an input that is unknown, missing or of another
        kind, and `DocumentError`, with the line, where the template fails.
        """
        values = self.accept(inputs)
        if self.examples_path is not None:
            values["examples"] = list(self.examples)
        return self.template.messages(values)

    def accept(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """All inputs as plain data of their kinds, with defaults filled in.

        Raises `UsageError` that names the input and where it is declared.
        """
        values = {
            each.name: each.accept(inputs[each.name]) if each.name in inputs else self._absent(each)
            for each in self.inputs
        }
        if not inputs.keys() <= values.keys():
            unknown = next(name for name in inputs if name not in values)
            self.input(unknown)
        return values

    def input(self, name: str) -> Input:
        """The declaration of an input; `NotFound` suggests the nearest."""
        for each in self.inputs:
            if each.name == name:
                return each
        near = NotFound.among("input", name, [each.name for each in self.inputs])
        raise NotFound(
            f"prompt `{self.name}` has no input `{name}`",
            hint=near.hint if self.inputs else "it takes none",
            where=Where(self.path),
        )

    def to_json(self) -> dict[str, Any]:
        """All that is known about the prompt, for listings."""
        return {
            "name": self.name,
            "version": self.version,
            "display_name": self.display_name,
            "description": self.description,
            "path": str(self.path),
            "fingerprint": self.fingerprint,
            "interface_fingerprint": self.interface_fingerprint,
            "model": self.model,
            "sampling": sampling_json(self.sampling),
            "inputs": [each.to_json() for each in self.inputs],
            "output_schema": self.output_schema,
            "parts": [{"path": part.path, "fingerprint": part.fingerprint} for part in self.parts],
            "authors": list(self.authors),
            "tags": list(self.tags),
            "deprecated": self.deprecated.to_json() if self.deprecated else None,
        }

    def _variables(self) -> list[str]:
        names = [each.name for each in self.inputs]
        return names if self.examples_path is None else [*names, "examples"]

    def _absent(self, declared: Input) -> Any:
        try:
            return declared.absent()
        except UsageError as error:
            raise UsageError(
                f"prompt `{self.name}` needs the input `{declared.name}`",
                hint=declared.description or None,
                where=error.where,
            ) from None

    def _interface(self) -> dict[str, Any]:
        return {
            side: sorted((each.interface() for each in values), key=lambda one: str(one["name"]))
            for side, values in (("inputs", self.inputs), ("outputs", self.outputs))
        }


def load_prompt(path: Path, *, name: str | None = None) -> Prompt:
    """Read a prompt from its file; `name` defaults to the file's.

    Raises `DocumentError`, with the line, for anything wrong in the front
    matter. The body is read at first use; `Prompt.check` asks for it.
    Partials and examples are looked for in the folder from which `name` leads
    to the file.
    """
    name = name or path.name.removesuffix(SUFFIX)
    fits = path.as_posix().endswith(f"/{name}{SUFFIX}")
    root = path.parents[name.count("/")] if fits else path.parent
    return parse_prompt(read_document(path), path, name=name, tree=FolderTree(root))


def parse_prompt(text: str, path: Path, *, name: str, tree: Tree | None = None) -> Prompt:
    """The prompt that `text` spells; `path` is where errors point to.

    Partials and examples are read from `tree`, when they are asked for.
    """
    parts = take_apart(text, path)
    document = parts.document
    if document.name is not None and document.name not in (name, name.rpartition("/")[2]):
        raise DocumentError(
            f"is named `{document.name}` inside, and `{name}` by its path",
            hint="a prompt is called by its path: remove `name`, or use `displayName`",
            where=parts.head.where("name"),
        )
    given = document.metadata.deprecated
    inputs = read_properties(document.inputs, parts.head, "inputs")
    return Prompt(
        name=name,
        path=path,
        version=document.metadata.version,
        display_name=document.display_name,
        description=document.description,
        authors=tuple(document.metadata.authors),
        tags=tuple(document.metadata.tags),
        deprecated=Deprecation(**given.model_dump()) if given else None,
        inputs=inputs,
        outputs=read_properties(document.outputs, parts.head, "outputs"),
        model=_model_name(document),
        sampling=read_sampling(document.model.options, parts.head),
        body=parts.body,
        body_line=parts.body_line,
        examples_path=read_examples_path(document.examples, inputs, parts.head),
        examples_where=parts.head.where("examples"),
        source=text,
        tree=tree,
    )


def sampling_json(sampling: Sampling) -> dict[str, Any]:
    """How the model is sampled, without what is left to the server."""
    chosen: dict[str, Any] = {"temperature": sampling.temperature, "seed": sampling.seed}
    for name in ("max_tokens", "top_p", "top_k", "frequency_penalty", "presence_penalty"):
        if (value := getattr(sampling, name)) is not None:
            chosen[name] = value
    if sampling.stop:
        chosen["stop"] = list(sampling.stop)
    if sampling.extra:
        chosen["extra"] = dict(sampling.extra)
    return chosen


def _model_name(document: FrontMatter) -> str | None:
    model = document.model
    return f"{model.provider}/{model.id}" if model.id and model.provider else model.id
