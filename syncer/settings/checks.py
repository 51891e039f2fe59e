"""What is wrong between keys, also where other keys are faulty: so that all faults are told at once."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from syncer.settings.base import Model
from syncer.settings.errors import Fault, Path
from syncer.settings.faults import BAD_KEY, place
from syncer.settings.fields import is_mapping, section_of
from syncer.settings.root import Settings
from syncer.settings.tree import Table, plain


def check(settings: Settings, tree: Table, touched: frozenset[Path] = frozenset()) -> Iterator[Fault]:
    """Yield the problems between the keys of *settings*, but for those that rest on a *touched* path."""
    for path, model in _sections(settings, ()):
        for problem in model.problems():
            rests = [(*path, *part) for part in (problem.path, *problem.about)]
            inside = any(part[: len(bad)] == bad for part in rests for bad in touched)
            around = any(bad[: len(part)] == part for part in rests[1:] for bad in touched)
            if not inside and not around:
                yield Fault(place(tree, (*path, *problem.path)), problem.problem, problem.remedy)


def check_sound_part(tree: Table, faulty: Iterable[Path], folder: FilePath) -> Iterator[Fault]:
    """Yield the problems between those keys of *tree* that are sound, when the values at *faulty* are not."""
    data = plain(tree)
    touched = frozenset(_mend(data, Settings, path) for path in faulty)
    with contextlib.suppress(ValidationError):
        yield from check(Settings.model_validate(data, context={"folder": folder}), tree, touched)


def _sections(value: object, path: Path) -> Iterator[tuple[Path, Model]]:
    match value:
        case Model():
            yield path, value
            for key in type(value).model_fields:
                yield from _sections(getattr(value, key), (*path, key))
        case tuple():
            for i, item in enumerate(value):
                yield from _sections(item, (*path, i))
        case dict():
            for key, item in value.items():
                yield from _sections(item, (*path, key))
        case _:
            pass


def _mend(box: dict[str, Any], model: type[Model], path: Path, done: Path = ()) -> Path:
    """Take what is wrong at *path* out of *box*, a *model*; where it must be there, put an example in its place.

    Returns the path that is changed now: *path*, or the key around it where it cannot be changed alone.
    """
    key, rest = str(path[0]), path[1:]
    info, value, here = model.model_fields.get(key), box.get(key), (*done, key)
    inner = section_of(info.annotation) if info else None
    if info and inner and rest and isinstance(value, list) and isinstance(rest[0], int):
        item = value[rest[0]]
        if rest[1:] and isinstance(item, dict):
            return _mend(item, inner, rest[1:], (*here, rest[0]))
        value[rest[0]] = info.examples[0][0] if info.examples else {}
        return (*here, rest[0])
    if info and inner and rest and isinstance(value, dict):
        if not is_mapping(info.annotation):
            return _mend(value, inner, rest, here)
        name, within = rest[0], rest[1:]
        if within and within[0] != BAD_KEY and isinstance(value.get(name), dict):
            return _mend(value[name], inner, within, (*here, name))
        value.pop(name, None)
        return (*here, name)
    box.pop(key, None)
    if info and info.is_required() and info.examples:
        box[key] = info.examples[0]
    return here
