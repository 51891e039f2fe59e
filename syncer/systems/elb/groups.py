"""The target groups of one Region: what they are, whose they are, and which addresses are inside their VPCs."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from syncer.core.errors import Denied, Garbled, Missing, Refused
from syncer.core.model import Mark, nothing
from syncer.systems.aws import Aws, required
from syncer.systems.elb.mapping import Network, networks

OWNER: Final = "sync-owner"
ORIGIN: Final = "sync-origin"
CIDR: Final = "ecs-a.lbVpcCidr"
"""The ECS Anywhere sample's tag: what is inside this block is inside the VPC."""
_SERVICE: Final = "elbv2"
_TAGGED: Final = 20
"""ARNs in one DescribeTags. Source: Elastic Load Balancing API reference."""
_PAGE: Final = 400
_PAGES: Final = 100
_KEEPS: Final = 60.0
"""Seconds for which a group's tags are believed by those who write."""
_VPC_KEEPS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Group:
    """One target group."""

    arn: str
    type: str
    """``ip``, ``instance``, ``lambda`` or ``alb``."""
    vpc: str
    tags: Mapping[str, str] = field(default_factory=nothing, hash=False)
    read: float = 0.0
    """``time.monotonic()``."""

    @property
    def owner(self) -> str | None:
        """Who writes its targets; None where nobody was granted that."""
        return self.tags.get(OWNER)


class Groups:
    """Reads target groups. Thread-safe; each method raises :class:`~syncer.core.errors.SyncError`."""

    def __init__(
        self,
        aws: Aws,
        owner: str,
        origins: tuple[str, ...],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Judge groups for *owner*, who writes into them what it reads from *origins*."""
        self._aws = aws
        self.owner = owner
        self._origins = origins
        self._clock = clock
        self._lock = threading.Lock()
        self._groups: dict[str, Group] = {}
        self._vpcs: dict[str, tuple[float, tuple[Network, ...]]] = {}

    def ours(self, only: frozenset[str]) -> frozenset[str]:
        """Return the ARNs of all groups that carry our owner's tag; of those in *only*, unless that is empty."""
        described = {
            str(one["TargetGroupArn"]): one
            for page in self._pages()
            for one in page
            if not only or one["TargetGroupArn"] in only
        }
        found = self._with_tags(described)
        with self._lock:
            self._groups = found
        return frozenset(arn for arn, group in found.items() if group.owner == self.owner)

    def get(self, arn: str, *, fresh: bool = True) -> Group:
        """Return the group *arn*, read now or, where *fresh* is false, a little while ago. Raises Missing, too."""
        with self._lock:
            known = self._groups.get(arn)
        if known is not None and not fresh and self._clock() < known.read + _KEEPS:
            return known
        answer = self._aws.retry(_SERVICE, "DescribeTargetGroups", TargetGroupArns=[arn])
        described = required(answer, "TargetGroups")
        if not described:
            raise Missing(f"there is no target group {arn}", code="TargetGroupNotFound")
        group = self._with_tags({arn: described[0]})[arn]
        with self._lock:
            self._groups[arn] = group
        return group

    def forget(self, arn: str) -> None:
        """Have *arn* read anew the next time: something about it was not as remembered."""
        with self._lock:
            self._groups.pop(arn, None)

    def check(self, arn: str, mark: Mark | None) -> None:
        """Return if what carries *mark* may be written into the group *arn*.

        Raises:
            Refused: the group is not ours, takes no addresses, or is another source's.
            SyncError: it could not be read; Missing where it does not exist.
        """
        group = self.get(arn, fresh=False)
        if group.owner != self.owner:
            self.forget(arn)
            whose = f"carries {OWNER}={group.owner}" if group.owner else f"carries no tag {OWNER}"
            raise Refused(
                f"{arn} {whose}: tag it with {OWNER}={self.owner} and its targets are ours", code="NotOurs"
            )
        if group.type != "ip":
            raise Refused(
                f"{arn} has targets of type {group.type}: only one of type ip takes addresses",
                code="TargetType",
            )
        own = self.mark(group)
        if own is not None and mark is not None and own.origin != mark.origin:
            raise Refused(
                f"the targets of {arn} come from {own.origin}, by its tag {ORIGIN}, and not from {mark.origin}",
                code="OtherOrigin",
            )

    def mark(self, group: Group) -> Mark | None:
        """Return the mark of every target of *group*, the instance still missing; None for a group that nobody owns.

        Raises:
            Refused: the group is ours, and several registries could be the one its targets come from.
        """
        if group.owner is None:
            return None
        origin = group.tags.get(ORIGIN)
        if origin is None and group.owner == self.owner:
            if len(self._origins) != 1:
                raise Refused(
                    f"several sources could write into {group.arn}: name the one that does in its tag {ORIGIN} "
                    f"({', '.join(self._origins)})",
                    code="NoOrigin",
                )
            origin = self._origins[0]
        return Mark(group.owner, origin or "", "", "")

    def networks(self, group: Group) -> tuple[Network, ...]:
        """Return which addresses count as inside the VPC of *group*.

        Raises:
            Refused: the tag that says so holds no CIDR block.
            Denied: there is no such tag, and the VPC may not be described.
        """
        text = group.tags.get(CIDR)
        if text is not None:
            try:
                return networks(text.replace(",", " ").split())
            except ValueError as e:
                raise Refused(f"the tag {CIDR} of {group.arn}: {e}", code="BadTag") from e
        with self._lock:
            read, known = self._vpcs.get(group.vpc, (float("-inf"), ()))
        if self._clock() < read + _VPC_KEEPS:
            return known
        known = self._of_vpc(group.vpc)
        with self._lock:
            self._vpcs[group.vpc] = (self._clock(), known)
        return known

    def _of_vpc(self, vpc: str) -> tuple[Network, ...]:
        try:
            answer = self._aws.retry("ec2", "DescribeVpcs", VpcIds=[vpc])
        except Denied as e:
            raise Denied(
                f"{e} (allow ec2:DescribeVpcs, or give the target group the tag {CIDR})", code=e.code
            ) from e
        found = required(answer, "Vpcs")
        return networks(sorted({block for one in found for block in _blocks(one)}))

    def _pages(self) -> Iterator[list[Mapping[str, Any]]]:
        cursor: dict[str, Any] = {}
        for _ in range(_PAGES):
            answer = self._aws.retry(_SERVICE, "DescribeTargetGroups", PageSize=_PAGE, **cursor)
            yield required(answer, "TargetGroups")
            before, cursor = cursor, {"Marker": answer.get("NextMarker")}
            if not cursor["Marker"]:
                return
            if cursor == before:
                break
        raise Garbled("DescribeTargetGroups: the pages do not end")

    def _with_tags(self, described: Mapping[str, Mapping[str, Any]]) -> dict[str, Group]:
        """Return *described* with their tags; a group that went meanwhile is left out."""
        began = self._clock()
        found: dict[str, Group] = {}
        arns = sorted(described)
        for start in range(0, len(arns), _TAGGED):
            for one in self._tags(arns[start : start + _TAGGED]):
                arn = str(one["ResourceArn"])
                given = described[arn]
                tags = {str(tag["Key"]): str(tag.get("Value", "")) for tag in one.get("Tags", ())}
                found[arn] = Group(
                    arn, str(given.get("TargetType", "")), str(given.get("VpcId", "")), tags, began
                )
        return found

    def _tags(self, arns: list[str]) -> Iterable[Mapping[str, Any]]:
        try:
            answer = self._aws.retry(_SERVICE, "DescribeTags", ResourceArns=arns)
            described: Iterable[Mapping[str, Any]] = required(answer, "TagDescriptions")
            return described
        except Missing:
            if len(arns) == 1:
                return ()
        return [one for arn in arns for one in self._tags([arn])]


def _blocks(vpc: Mapping[str, Any]) -> Iterator[str]:
    """Yield the CIDR blocks that *vpc* has now. Source: EC2 API reference, Vpc."""
    for block, state, sets in (
        ("CidrBlock", "CidrBlockState", vpc.get("CidrBlockAssociationSet", ())),
        ("Ipv6CidrBlock", "Ipv6CidrBlockState", vpc.get("Ipv6CidrBlockAssociationSet", ())),
    ):
        for one in sets:
            if one.get(state, {}).get("State") == "associated" and one.get(block):
                yield str(one[block])
    if vpc.get("CidrBlock"):
        yield str(vpc["CidrBlock"])
