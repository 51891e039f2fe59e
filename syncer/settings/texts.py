"""The types of text in a settings file: globs, addresses, files, names of AWS."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from syncer.settings.types import Shape, wrong

_GLOB = re.compile(r"(?:[^\[]|\[(?:!.|[^!])[^\]]*\])*", re.DOTALL)
"""Every ``[`` has its ``]``, which is not the first character between them."""


def _glob(value: str) -> str:
    if not value or value != value.strip():
        raise wrong("is no glob", "write one such as web-*, without blanks around it")
    if value.startswith("^") or value.endswith("$") or value in {".*", ".+"}:
        raise wrong(
            "looks like a regular expression", "write a glob: * any text, ? one character, [ab] one of them"
        )
    if not _GLOB.fullmatch(value):
        raise wrong("opens a [ that nothing closes", "close it with ], or write [[] for the character itself")
    return value


Glob = Annotated[str, AfterValidator(_glob), Field(min_length=1)]
"""A pattern over the whole text, case-sensitive: ``*`` any text, ``?`` one character, ``[ab]`` one of these."""


def _url(value: str) -> str:
    parts = _split(value)
    if parts.scheme == "unix":
        raise wrong("is a unix socket, which is not supported", "write http://127.0.0.1:8500")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise wrong("is no address", "write http:// or https://, the host and the port")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong("has something behind the port", "write only http:// or https://, the host and the port")
    return value.rstrip("/")


def _split(value: str) -> SplitResult:
    if "@" in value:
        raise wrong("holds a user or a password", "write the address alone", hidden=True)
    try:
        parts = urlsplit(value)
        sound = parts.port != 0 and not re.search(r"\s", value)
    except ValueError:
        sound = False
    if not sound:
        raise wrong("is no address", "write http:// or https://, the host and the port")
    return urlsplit(value)


Url = Annotated[str, AfterValidator(_url), Field(json_schema_extra={"pattern": "^https?://[^/@\\s]+/?$"})]
"""``http://host:port`` or ``https://host:port``."""


def split_address(value: str, port: int) -> tuple[str, int]:
    """Return host and port of ``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address; *port* if it has none.

    Raises ValueError where it is none of these.
    """
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?|([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?", value)
    if match is None:
        if value.count(":") > 1 and re.fullmatch(r"[0-9A-Fa-f:.]+", value):
            return value, port
        raise ValueError(value)
    found = match[2] or match[4]
    number = int(found) if found else port
    if not 0 < number < 65_536:
        raise ValueError(value)
    return match[1] or match[3], number


def _server(value: str) -> str:
    try:
        split_address(value, 53)
    except ValueError:
        raise wrong("is no server's address", "write host or host:port, such as 127.0.0.1:8600") from None
    return value


Server = Annotated[str, AfterValidator(_server)]
"""``host`` or ``host:port`` of a DNS server."""


def _file(value: Path, info: ValidationInfo) -> Path:
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / value


def _readable(value: Path) -> Path:
    try:
        with value.open("rb"):
            return value
    except OSError as e:
        raise wrong(
            f"cannot be read ({e.strerror})", "write the path of a file that this user may read"
        ) from e
    except ValueError:
        raise wrong("is no path", "write the path of a file") from None


File = Annotated[Path, AfterValidator(_file)]
"""A file's path; a relative one starts at the settings file's folder."""
ReadableFile = Annotated[File, AfterValidator(_readable)]
"""A file that is there and can be read."""

RoleArn = Annotated[
    str,
    Shape(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}",
        "is no role's ARN",
        "write arn:aws:iam::<account, 12 digits>:role/<name>",
    ),
]
Region = Annotated[
    str, Shape(r"[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}", "is no Region", "write its code, such as eu-central-1")
]
Vpc = Annotated[str, Shape(r"vpc-[0-9a-f]{8,17}", "is no VPC's id", "write vpc- and its digits")]
