"""Who may ask: tokens by name and role. The file holds their hashes alone; the token itself is shown once."""

import datetime
import hmac
import json
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from pathlib import Path

from serving.errors import ServingError
from serving.lock import locked
from serving.output import write_text

READ, WRITE = "read", "write"
ROLES = (READ, WRITE)
"""Who may write may read as well."""

SECRET_BYTES = 32
"""256 random bits: nobody guesses them, so one round of SHA-256 keeps them as well as a slow hash would."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FORMAT = 1


@dataclass(frozen=True)
class Token:
    """What is known of a token.

    Attributes
    ----------
    name : of its holder
    role : one of `ROLES`
    sha256 : of the token, in hexadecimal
    created : UTC
    """

    name: str
    role: str
    sha256: str
    created: str

    @property
    def writes(self) -> bool:
        """Whether its holder may change what is kept."""
        return self.role == WRITE


def digest(secret: str) -> str:
    """Give what is kept of a token."""
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def holder(tokens: Sequence[Token], secret: str) -> Token | None:
    """Find whose token it is; the time taken does not tell how near a wrong one is."""
    given, found = digest(secret), None
    for token in tokens:
        if hmac.compare_digest(given, token.sha256):
            found = token
    return found


@dataclass(frozen=True)
class TokenFile:
    """Tokens as they are kept, in a file for its owner alone.

    Attributes
    ----------
    path : of the file; its folder is made when the first token is
    """

    path: Path

    def read(self) -> tuple[Token, ...]:
        """Give the tokens, none where there is no file.

        Raises
        ------
        ServingError
            Where it cannot be read, is no such file, or others may read it.
        """
        try:
            mode, text = self.path.stat().st_mode, self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError) as error:
            raise ServingError(
                f"tokens '{self.path}': they cannot be read ({error}); rule: a file that `appetite token add` wrote"
            ) from None
        if mode & 0o077:
            raise ServingError(f"tokens '{self.path}': others may read them (mode {mode & 0o777:o}); rule: 600. Run chmod 600 on it")
        return self._parsed(text)

    def add(self, name: str, role: str) -> str:
        """Make a token and give it; it cannot be had again.

        Raises
        ------
        ServingError
            Where the name is none or taken, or the role unknown.
        """
        if not NAME.fullmatch(name):
            raise ServingError(f"token name '{name}'; rule: up to 64 letters, digits, '.', '_' and '-', the first a letter or digit")
        if role not in ROLES:
            raise ServingError(f"role '{role}'; rule: one of {', '.join(ROLES)}")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.parent, "tokens", ServingError):
            tokens = self.read()
            if any(each.name == name for each in tokens):
                raise ServingError(f"token '{name}' is there already; revoke it first, or name another")
            self._write((*tokens, Token(name, role, digest(secret), now)))
        return secret

    def revoke(self, name: str) -> None:
        """Take a token away.

        Raises
        ------
        ServingError
            Where nobody has that name.
        """
        if not any(each.name == name for each in self.read()):
            raise ServingError(f"token '{name}' is not there; there are: {', '.join(each.name for each in self.read()) or 'none'}")
        with locked(self.path.parent, "tokens", ServingError):
            self._write([each for each in self.read() if each.name != name])

    def _parsed(self, text: str) -> tuple[Token, ...]:
        names = {each.name for each in fields(Token)}
        try:
            told = json.loads(text)
            tokens = tuple(Token(**each) for each in told["tokens"])
            sound = told["format"] == FORMAT and all(each.keys() == names for each in told["tokens"])
            sound = sound and all(each.role in ROLES and re.fullmatch(r"[0-9a-f]{64}", each.sha256) for each in tokens)
        except (ValueError, KeyError, TypeError):
            sound, tokens = False, ()
        if not sound:
            raise ServingError(
                f"tokens '{self.path}': it is no file of tokens of format {FORMAT}; restore it, or move it away and add them anew"
            )
        return tokens

    def _write(self, tokens: Sequence[Token]) -> None:
        before = os.umask(0o077)
        try:
            write_text(json.dumps({"format": FORMAT, "tokens": [asdict(each) for each in tokens]}, indent=1) + "\n", self.path)
        finally:
            os.umask(before)
        self.path.chmod(0o600)
