"""Where a registry is: an address that MLflow understands, and what of it may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from llmops.core.errors import UsageError

_DATABASE = re.compile(r"(postgresql|mysql|mssql)(\+\w+)?")
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECRET_QUERY = re.compile(r"(?i)([?&;][^=&;]*(?:password|passwd|pwd|token|secret)[^=&;]*=)[^&;]*")
_HINT = "give `sqlite:///FILE`, `http(s)://HOST` of an MLflow server, or its database"


@dataclass(frozen=True, kw_only=True)
class Address:
    """The address of an MLflow server or database."""

    uri: str
    """With its credentials."""

    @classmethod
    def parse(cls, uri: str) -> Address:
        """Read an address; `UsageError` for one that leads to no registry of prompts."""
        made = cls(uri=uri.strip())
        try:
            scheme, host = urlsplit(made.uri).scheme, urlsplit(made.uri).hostname
            _ = urlsplit(made.uri).port
        except ValueError as error:
            raise UsageError(f"`{made.shown}` is no address: {error}", hint=_HINT) from None
        if scheme == "sqlite":
            if made.file is None or not made.file.name:
                raise UsageError(f"`{made.shown}` names no file", hint="write `sqlite:///FILE`")
        elif not (scheme in ("http", "https") or _DATABASE.fullmatch(scheme)) or not host:
            raise UsageError(f"`{made.shown}` is no registry that can be used", hint=_HINT)
        return made

    @property
    def shown(self) -> str:
        """The address without a password."""
        text = _SECRET_QUERY.sub(r"\1***", self.uri)
        user, password, rest = _credentials(text)
        return f"{user}:***@{rest}" if password else text

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; `None` for every other address."""
        if not self.uri.startswith("sqlite:"):
            return None
        name = self.uri.partition(":///")[2].partition("?")[0]
        return Path(name) if name != ":memory:" else None

    @property
    def is_server(self) -> bool:
        """Whether an MLflow server answers there."""
        return self.uri.startswith(("http://", "https://"))

    @property
    def database_host(self) -> tuple[str, int] | None:
        """Host and port of a database server."""
        parts = urlsplit(self.uri)
        kind = parts.scheme.partition("+")[0]
        if kind not in _PORTS:
            return None
        return parts.hostname or "localhost", parts.port or _PORTS[kind]

    def scrub(self, text: str) -> str:
        """`text`, such as a message of a driver, without the address's password."""
        text = text.replace(self.uri, self.shown)
        _, password, _ = _credentials(self.uri)
        for secret in {password, unquote(password)} if password else ():
            text = text.replace(secret, "***")
        return text


def _credentials(uri: str) -> tuple[str, str, str]:
    """What stands before the password, the password, and what follows its `@`."""
    head, slashes, rest = uri.partition("://")
    # The last `@`: somebody may have written one, or a `/`, into the password as it is.
    user, _, place = rest.rpartition("@")
    name, _, password = user.partition(":")
    return f"{head}{slashes}{name}", password, place
