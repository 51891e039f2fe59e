"""Settings from the environment: ``SYNCER_…`` over the file, Consul's own variables under it."""

import difflib
import re
from collections.abc import Mapping

from syncer.settings.errors import Fault, Place
from syncer.settings.fields import is_list, is_mapping, section_of, walk
from syncer.settings.root import Settings
from syncer.settings.tree import Scalar, Table, find, with_node

PREFIX = "SYNCER_"
FILE_VARIABLE = "SYNCER_CONFIG"
"""Names the settings file; not a setting itself."""
_LINKS = re.compile(r"SYNCER_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_[0-9]+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)")
"""What Kubernetes and Docker set in each container for a service that is called ``syncer``."""


def variables() -> dict[str, tuple[str, ...]]:
    """Return the variable of each scalar setting at a fixed place, and the setting's path."""
    return {
        PREFIX + "__".join(path).upper(): path
        for path, info in walk(Settings)
        if not (section_of(info.annotation) or is_list(info.annotation) or is_mapping(info.annotation))
    }


def override(tree: Table, environ: Mapping[str, str]) -> tuple[Table, tuple[Fault, ...]]:
    """Return *tree* with what *environ* says in place of what the file says, and the variables that mean nothing.

    An empty variable counts as not set. A secret and the file that holds it displace each other.
    """
    known = variables()
    faults: list[Fault] = []
    for name in sorted(name for name in environ if name.startswith(PREFIX) and name != FILE_VARIABLE):
        path = known.get(name)
        if path is None:
            if not _LINKS.fullmatch(name):
                faults.append(_unknown(name, known))
        elif environ[name]:
            rival = path[-1].removesuffix("_file") if path[-1].endswith("_file") else f"{path[-1]}_file"
            if (*path[:-1], rival) in known.values():
                tree = with_node(tree, (*path[:-1], rival), None)
            tree = with_node(tree, path, _scalar(name, path, environ[name]))
    return tree, tuple(faults)


def _unknown(name: str, known: Mapping[str, tuple[str, ...]]) -> Fault:
    switch = f"{name}__ENABLED"
    if switch in known:
        return Fault(Place(name), "names a section, not a setting", f"did you mean {switch}?")
    for path, info in walk(Settings):
        prefix = PREFIX + "__".join(path).upper()
        if f"{name}__".startswith(f"{prefix}__") and (
            is_list(info.annotation) or is_mapping(info.annotation)
        ):
            kind = "list" if is_list(info.annotation) else "mapping"
            remedy = f"write {'.'.join(path)} into the settings file"
            return Fault(Place(name), f"names a {kind}, which no variable can hold", remedy)
    names = [known_name.removeprefix(PREFIX) for known_name in (*known, FILE_VARIABLE)]
    near = difflib.get_close_matches(name.removeprefix(PREFIX), names, n=1, cutoff=0.6)
    remedy = (
        f"did you mean {PREFIX}{near[0]}?" if near else "unset it; the reference of the settings lists all"
    )
    return Fault(Place(name), "names no setting that a variable can hold", remedy)


def consul_defaults(tree: Table, environ: Mapping[str, str]) -> Table:
    """Return *tree* with address and token from Consul's own variables where they are not written.

    As in Consul's own tools, an address may lack its scheme, and a token's file comes before a token.
    """
    address = environ.get("CONSUL_HTTP_ADDR", "")
    if address and _absent(tree, "address"):
        if "://" not in address:
            secure = environ.get("CONSUL_HTTP_SSL", "").lower() in {"1", "t", "true"}
            address = f"{'https' if secure else 'http'}://{address}"
        path = ("consul", "address")
        tree = with_node(tree, path, _scalar("CONSUL_HTTP_ADDR", path, address))
    for name, key in (("CONSUL_HTTP_TOKEN_FILE", "token_file"), ("CONSUL_HTTP_TOKEN", "token")):
        if environ.get(name) and _absent(tree, "token") and _absent(tree, "token_file"):
            tree = with_node(tree, ("consul", key), _scalar(name, ("consul", key), environ[name]))
    return tree


def _absent(tree: Table, key: str) -> bool:
    node, left = find(tree, ("consul", key))
    return bool(left) or (isinstance(node, Scalar) and node.text is None)


def _scalar(name: str, path: tuple[str, ...], text: str) -> Scalar:
    return Scalar(Place(name, None, path), text, quoted=True, shown=text)
