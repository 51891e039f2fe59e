"""Secrets from files: a key ``token_file`` in place of ``token``, for every secret there is."""

from pathlib import Path

from syncer.settings.errors import Fault
from syncer.settings.fields import is_secret, walk
from syncer.settings.root import Settings
from syncer.settings.tree import Broken, Scalar, Table, find, with_node

_LONGEST = 65_536


def read_files(tree: Table, folder: Path) -> tuple[Table, tuple[Fault, ...]]:
    """Return *tree* with the secrets from the files that it names, relative to *folder*, and what could not be read."""
    faults: list[Fault] = []
    for path, info in walk(Settings):
        key = (*path[:-1], f"{path[-1]}_file")
        node, left = find(tree, key)
        if not is_secret(info) or left or not isinstance(node, Scalar) or node.text is None:
            continue
        value = _read(node, node.text, folder)
        beside, missing = find(tree, path)
        if not missing and not (isinstance(beside, Scalar) and beside.text is None):
            value = Fault(node.place, f"stands beside {path[-1]}", "keep one of the two")
        if isinstance(value, Fault):
            faults.append(value)
            tree = with_node(tree, key, Broken(node.place))
        else:
            tree = with_node(tree, path, value)
    return tree, tuple(faults)


def _read(node: Scalar, name: str, folder: Path) -> Scalar | Fault:
    try:
        with (folder / name).open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as e:
        return Fault(
            node.place, f"cannot be read ({e.strerror})", "write the path of a file that this user may read"
        )
    except ValueError:
        return Fault(node.place, "is no path", "write the path of a file")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _LONGEST:
        return Fault(
            node.place, "names a file that holds no secret", "write the secret alone into it, as text"
        )
    return Scalar(node.place, text, quoted=True, shown="")
