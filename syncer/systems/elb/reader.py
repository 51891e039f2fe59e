"""Reads the target groups of one Region as a registry: each group is a service, by its ARN."""

from collections.abc import Iterator, Mapping
from typing import Any

from syncer.core.errors import Garbled, Missing, SyncError
from syncer.core.model import Complete, Instance, Listed, Listing, Mark, Read, Unlisted, Unreadable
from syncer.systems.aws import Aws, required
from syncer.systems.elb.groups import Groups
from syncer.systems.elb.mapping import to_instance


class ElbReader:
    """The target groups of one Region that carry our owner's tag."""

    def __init__(
        self, aws: Aws, groups: Groups, region: str, *, only: frozenset[str] = frozenset(), parallel: int = 4
    ) -> None:
        """Read through *aws*; *only* these ARNs, unless that is empty."""
        self._aws = aws
        self._groups = groups
        self._region = region
        self._only = only
        self._parallel = parallel

    @property
    def id(self) -> str:
        """The registry's id, such as ``elb/eu-central-1``."""
        return f"elb/{self._region}"

    @property
    def parallel(self) -> int:
        """How many reads at once do it no harm."""
        return self._parallel

    def services(self) -> Listing:
        """List the ARNs of the groups that carry our owner's tag."""
        try:
            return Listed(self._groups.ours(self._only))
        except SyncError as e:
            return Unlisted(str(e), e.code)
        except (KeyError, ValueError, TypeError) as e:
            return Unlisted(f"the answer is not understood: {e!r}", "Garbled")

    def read(self, service: str, *, fresh: bool = False) -> Read:
        """Read the targets of the group *service*; those on their way out do not count.

        In a group with an owner's tag every target is that owner's; in one without they are nobody's. A group that
        does not exist is complete and empty.
        """
        try:
            group = self._groups.get(service, fresh=fresh)
            mark = self._groups.mark(group)
            answer = self._aws.retry("elbv2", "DescribeTargetHealth", TargetGroupArn=service)
            return Complete(service, tuple(_instances(service, answer, mark)))
        except Missing:
            return Complete(service, ())
        except SyncError as e:
            return Unreadable(service, str(e), e.code)


def _instances(service: str, answer: Mapping[str, Any], mark: Mark | None) -> Iterator[Instance]:
    try:
        for given in required(answer, "TargetHealthDescriptions"):
            instance = to_instance(service, given, mark)
            if instance is not None:
                yield instance
    except (KeyError, ValueError, TypeError) as e:
        raise Garbled(f"DescribeTargetHealth: the answer is not understood: {e!r}") from e
