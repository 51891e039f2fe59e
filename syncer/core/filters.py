"""Which services and instances a route takes: globs on names, tags and attributes; deny wins."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from syncer.core.model import Instance, Skip, nothing


@dataclass(frozen=True, slots=True)
class Filter:
    """What a route takes. Everything empty takes everything; a match on the exclude side always wins."""

    include: tuple[str, ...] = ()
    """Globs on the source's service names; one must match, unless there are none."""
    exclude: tuple[str, ...] = ()
    include_tags: tuple[str, ...] = ()
    """Globs on tags; an instance needs one that matches, unless there are none."""
    exclude_tags: tuple[str, ...] = ()
    include_attributes: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Attribute name to glob on its value; all must match."""
    exclude_attributes: Mapping[str, str] = field(default_factory=nothing, hash=False)
    """Attribute name to glob on its value; one match excludes."""

    def service(self, name: str) -> Skip | None:
        """Return why the service *name* is not taken, or None if it is."""
        denied = _first(self.exclude, name)
        if denied is not None:
            return Skip(name, None, f"excluded by {denied!r}")
        if self.include and _first(self.include, name) is None:
            return Skip(name, None, "no include pattern matches", f"add {name!r} to include")
        return None

    def instance(self, instance: Instance) -> Skip | None:
        """Return why *instance* is not taken, or None if it is; its service's name is not looked at."""
        reason = self._tags(instance.tags) or self._attributes(instance.attributes)
        return None if reason is None else Skip(instance.service, instance.id, reason)

    def _tags(self, tags: tuple[str, ...]) -> str | None:
        for tag in tags:
            denied = _first(self.exclude_tags, tag)
            if denied is not None:
                return f"its tag {tag!r} is excluded by {denied!r}"
        if self.include_tags and all(_first(self.include_tags, tag) is None for tag in tags):
            return "none of its tags is included"
        return None

    def _attributes(self, attributes: Mapping[str, str]) -> str | None:
        for key, pattern in sorted(self.exclude_attributes.items()):
            if key in attributes and fnmatchcase(attributes[key], pattern):
                return f"its attribute {key!r} is excluded by {pattern!r}"
        for key, pattern in sorted(self.include_attributes.items()):
            if key not in attributes or not fnmatchcase(attributes[key], pattern):
                return f"its attribute {key!r} does not match {pattern!r}"
        return None


def _first(patterns: tuple[str, ...], text: str) -> str | None:
    return next((pattern for pattern in patterns if fnmatchcase(text, pattern)), None)
