"""Targets of ELBv2's target groups as they are: known by address and port, draining before they go.

The groups, their tags and their VPCs are moto's; moto's own targets are known by address alone. Source: Elastic Load
Balancing API reference, RegisterTargets, DeregisterTargets, DescribeTargetHealth, TargetDescription.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from .httpd import Request
from .protocol import Reply, scope_of
from .wire import xml_error

_NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
_OPERATIONS = ("RegisterTargets", "DeregisterTargets", "DescribeTargetHealth")
_PRIVATE = tuple(map(ip_network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")))

Key = tuple[str, int]
"""Address and port."""


class _Refused(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(slots=True)
class Target:
    """One target of one group."""

    zone: str | None = None
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    gone_at: float | None = None
    """Monotonic time at which it has drained; None while it is registered."""


@dataclass(slots=True)
class TargetGroups:
    """The targets of all groups, and what tests may turn. Times are seconds."""

    limit: int = 1_000
    """Targets of a group."""
    draining: float = 0.0
    """How long a target that was deregistered is still shown."""
    clock: Callable[[], float] = time.monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)
    groups: dict[str, dict[Key, Target]] = field(default_factory=dict)

    def registered(self, arn: str) -> dict[Key, str | None]:
        """Return the registered targets of *arn* with their availability zones."""
        with self.lock:
            return {key: one.zone for key, one in self.of(arn).items() if one.gone_at is None}

    def set_health(self, arn: str, key: Key, state: str, reason: str = "") -> None:
        """Have *key* shown as *state*."""
        with self.lock:
            target = self.of(arn)[key]
            target.state, target.reason = state, reason

    def of(self, arn: str) -> dict[Key, Target]:
        """Return the targets that are still to be seen; the lock must be held."""
        targets = self.groups.setdefault(arn, {})
        now = self.clock()
        for key in [key for key, one in targets.items() if one.gone_at is not None and one.gone_at <= now]:
            del targets[key]
        return targets


class TargetsEndpoint:
    """Answers the three operations about targets; None for what moto shall answer."""

    def __init__(self, world: TargetGroups) -> None:
        self._world = world

    def handle(self, request: Request) -> Reply | None:
        """Return the answer, or None."""
        if "form-urlencoded" not in request.headers.get("content-type", ""):
            return None
        form = {key: values[0] for key, values in parse_qs(request.body.decode()).items()}
        action = form.get("Action", "")
        if action not in _OPERATIONS or "/elasticloadbalancing/" not in request.headers.get(
            "authorization", ""
        ):
            return None
        try:
            group = _group(request, form.get("TargetGroupArn", ""))
            targets = [_target(group, one) for one in _members(form)]
            with self._world.lock:
                return _reply(action, self._carry_out(action, group, targets))
        except _Refused as refused:
            return xml_error(refused.code, str(refused), refused.status)

    def _carry_out(self, action: str, group: Any, targets: list[tuple[Key, str | None]]) -> str:
        if action == "DescribeTargetHealth":
            return self._describe(group, [key for key, _ in targets])
        there = self._world.of(group.arn)
        if not targets:
            raise _Refused("ValidationError", "Targets must have at least one entry.")
        if action == "DeregisterTargets":
            for key, _ in targets:
                self._leave(there, key)
            return ""
        for key, zone in targets:
            _check(group, key[0], zone)
        if len(there.keys() | {key for key, _ in targets}) > self._world.limit:
            raise _Refused("TooManyTargets", f"The limit of {self._world.limit} targets is exceeded.")
        for key, zone in targets:
            if key not in there or there[key].gone_at is not None:
                there[key] = Target()
            there[key].zone = zone
        return ""

    def _leave(self, there: dict[Key, Target], key: Key) -> None:
        """Begin to drain *key*; one that is not registered is no error."""
        if key in there and there[key].gone_at is None:
            there[key].gone_at = self._world.clock() + self._world.draining

    def _describe(self, group: Any, only: list[Key]) -> str:
        there = self._world.of(group.arn)
        shown = "".join(_member(key, one) for key, one in there.items() if not only or key in only)
        return f"<TargetHealthDescriptions>{shown}</TargetHealthDescriptions>"


def _group(request: Request, arn: str) -> Any:
    account, region = scope_of(request.headers.get("authorization", ""))
    group = elbv2_backends[account][region].target_groups.get(arn)
    if group is None:
        raise _Refused("TargetGroupNotFound", "One or more target groups not found")
    return group


def _members(form: Mapping[str, str]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, value in form.items():
        parts = key.split(".")
        if parts[:2] == ["Targets", "member"] and len(parts) == 4:
            found.setdefault(parts[2], {})[parts[3]] = value
    return [found[number] for number in sorted(found, key=int)]


def _target(group: Any, member: Mapping[str, str]) -> tuple[Key, str | None]:
    return (member["Id"], int(member.get("Port", group.port))), member.get("AvailabilityZone")


def _check(group: Any, address: str, zone: str | None) -> None:
    """Refuse what a group of type ip does not take."""
    if group.target_type != "ip":
        if address.startswith("i-"):
            return
        raise _Refused("ValidationError", f"Instance ID '{address}' is not valid")
    try:
        parsed = ip_address(address)
    except ValueError:
        raise _Refused("ValidationError", f"'{address}' is not a valid IPv4 or IPv6 address") from None
    vpc = ec2_backends[group.account_id][group.region_name].vpcs.get(group.vpc_id)
    blocks = [] if vpc is None else [one["cidr_block"] for one in vpc.cidr_block_association_set]
    inside = any(parsed in ip_network(block) for block in blocks)
    if not inside and zone != "all":
        raise _Refused(
            "ValidationError", f"'{address}' is outside the VPC: the availability zone must be 'all'"
        )
    if not inside and not any(parsed in network for network in _PRIVATE):
        raise _Refused("InvalidTarget", f"'{address}' is not in a private range")


def _member(key: Key, target: Target) -> str:
    address, port = key
    draining = target.gone_at is not None
    state = "draining" if draining else target.state
    reason = "Target.DeregistrationInProgress" if draining else target.reason
    zone = f"<AvailabilityZone>{target.zone}</AvailabilityZone>" if target.zone else ""
    return (
        f"<member><Target><Id>{escape(address)}</Id><Port>{port}</Port>{zone}</Target>"
        f"<HealthCheckPort>{port}</HealthCheckPort><TargetHealth><State>{state}</State>"
        + (f"<Reason>{reason}</Reason>" if reason else "")
        + "</TargetHealth></member>"
    )


def _reply(action: str, inside: str) -> Reply:
    body = (
        f'<{action}Response xmlns="{_NAMESPACE}"><{action}Result>{inside}</{action}Result>'
        f"<ResponseMetadata><RequestId>emulated</RequestId></ResponseMetadata></{action}Response>"
    )
    return Reply(200, body.encode(), "text/xml")
