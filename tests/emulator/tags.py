"""Tags of namespaces and services. Instances have none."""

from typing import Any

from .errors import ApiError, invalid
from .state import Call, Registry

LIMIT = 50


def check_tags(tags: list[dict[str, str]]) -> None:
    """Raise TooManyTagsException or InvalidInput for tags that a new resource cannot have."""
    if len(tags) > LIMIT:
        raise ApiError("TooManyTagsException", f"A resource can have {LIMIT} tags.")
    if any(tag["Key"].lower().startswith("aws:") for tag in tags):
        raise invalid("The prefix aws: is reserved.")


def set_tags(registry: Registry, arn: str, tags: list[dict[str, str]]) -> None:
    """Add *tags* to the resource *arn*, which need not have had any."""
    registry.tags.setdefault(arn, {}).update((tag["Key"], tag["Value"]) for tag in tags)


def _of(call: Call) -> dict[str, str]:
    arn = call.params["ResourceARN"]
    found = call.registry.tags.get(arn)
    if found is None:
        raise ApiError("ResourceNotFoundException", f"The resource {arn} is not found.", status=404)
    return found


def tag_resource(call: Call) -> dict[str, Any]:
    """Add or replace tags."""
    have, more = _of(call), call.params["Tags"]
    check_tags(more)
    if len(have.keys() | {tag["Key"] for tag in more}) > LIMIT:
        raise ApiError("TooManyTagsException", f"A resource can have {LIMIT} tags.")
    set_tags(call.registry, call.params["ResourceARN"], more)
    return {}


def untag_resource(call: Call) -> dict[str, Any]:
    """Remove tags; one that is not there is no error."""
    have = _of(call)
    for key in call.params["TagKeys"]:
        have.pop(key, None)
    return {}


def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """Return all tags of a namespace or service."""
    return {"Tags": [{"Key": key, "Value": value} for key, value in _of(call).items()]}
