"""From a file and the environment to settings, or to everything that is wrong with them."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from syncer.settings.checks import check, check_sound_part
from syncer.settings.environment import consul_defaults, override
from syncer.settings.errors import Fault, Place, SettingsError
from syncer.settings.faults import faults_of
from syncer.settings.inherit import inherit, lengthen
from syncer.settings.interpolate import interpolate
from syncer.settings.root import Settings
from syncer.settings.secrets import read_files
from syncer.settings.source import parse
from syncer.settings.tree import Broken, Scalar, Table, plain


def load(path: str | os.PathLike[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings in the file *path*, completed from *environ*, with every default filled in.

    The directions of each namespace hold what they take from ``defaults``; ``consul.token`` holds what its file says.
    Raises SettingsError with all faults; nothing else, whatever the file holds.
    """
    file = Path(path)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as e:
        fault = Fault(
            Place(str(path)), f"cannot be read ({e.strerror})", "write the path of the settings file"
        )
        raise SettingsError([fault]) from e
    except ValueError as e:
        fault = Fault(Place(str(path)), "is no text in UTF-8", "save it as UTF-8, and check the path")
        raise SettingsError([fault]) from e
    return read(text, str(path), file.parent, environ)


def read(text: str, source: str, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Return the settings in *text*, as :func:`load` does; *source* names it, relative paths start at *folder*."""
    tree, faults = _prepared(text, source, folder, environ)
    if tree is not None:
        try:
            settings = Settings.model_validate(plain(tree), context={"folder": folder})
        except ValidationError as e:
            errors = e.errors(include_input=False, include_url=False)
            faults += (
                *faults_of(errors, tree),
                *check_sound_part(tree, [error["loc"] for error in errors], folder),
            )
        else:
            faults += tuple(check(settings, tree))
            if not faults:
                return settings
    raise SettingsError(sorted(dict.fromkeys(faults), key=lambda fault: _order(fault, source)))


def _prepared(
    text: str, source: str, folder: Path, environ: Mapping[str, str]
) -> tuple[Table | None, tuple[Fault, ...]]:
    """Return the tree that is to be checked against the models, and the faults on the way to it."""
    parsed, faults = parse(text, source)
    if parsed is None or isinstance(parsed, Broken):
        return None, (*faults, *override(Table(Place(source), {}), environ)[1])
    parsed, unset = interpolate(parsed, environ)
    tree = lengthen(parsed, Settings)
    if isinstance(tree, Scalar) and tree.text is None:
        tree = Table(tree.place, {})
    if not isinstance(tree, Table):
        wrong = Fault(
            tree.place, "is no mapping", "write keys with values below them, such as owner: vpc-prod"
        )
        return None, (*faults, *unset, wrong)
    tree, unknown = override(tree, environ)
    tree, unread = read_files(consul_defaults(tree, environ), folder)
    return inherit(tree), (*faults, *unset, *unknown, *unread)


def _order(fault: Fault, source: str) -> tuple[bool, str, int]:
    place = fault.place
    return (place.source != source, place.source, place.line or 0)
