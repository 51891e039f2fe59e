"""What the tests of the Route 53 target have in common."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import dns.message
import dns.query
import dns.rcode
from dns.rdatatype import RdataType

from syncer.core.identity import target_id
from syncer.core.model import Complete, Instance, Mark
from syncer.core.plan import Change, Deregister, Register
from syncer.core.ports import Ending, Outcome
from syncer.systems.route53.target import Route53Target
from tests.support.wait import eventually

OWNER = "prod"
ORIGIN = "ecs/prod/zone"
TASK = "0123456789abcdef0123456789abcdef"
OTHER_TASK = "fedcba9876543210fedcba9876543210"

MakeTarget = Callable[..., Route53Target]


def wanted(
    name: str = "web.example.com",
    task: str = TASK,
    ipv4: str | None = "203.0.113.10",
    *,
    ipv6: str | None = None,
    owner: str = OWNER,
    origin: str = ORIGIN,
    cluster: str = "main",
    **more: Any,
) -> Instance:
    """Return an instance as a plan has it for the target."""
    mark = Mark(owner, origin, "web", f"{cluster}/{task}")
    instance_id = target_id(origin, mark.service, mark.instance)
    return Instance(name, instance_id, ipv4=ipv4, ipv6=ipv6, mark=mark, **more)


@dataclass
class Ends:
    """Collects how changes end."""

    outcomes: list[Outcome] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, outcome: Outcome) -> None:
        with self.lock:
            self.outcomes.append(outcome)

    def wait(self, count: int, timeout: float = 60.0) -> list[Outcome]:
        """Return the outcomes once there are *count*; there must never be more."""
        eventually(lambda: len(self.outcomes) >= count, timeout, f"{count} changes end")
        assert len(self.outcomes) == count
        return list(self.outcomes)


def carry_out(target: Route53Target, *changes: Change) -> list[Outcome]:
    """Submit *changes* together and return how each ended, in their order."""
    ends = Ends()
    target.writer.submit(changes, ends)
    outcomes = ends.wait(len(changes))
    return sorted(outcomes, key=lambda outcome: [outcome.change is one for one in changes].index(True))


def do(target: Route53Target, *changes: Change) -> None:
    """Submit *changes*, which must all be done."""
    for outcome in carry_out(target, *changes):
        assert outcome.ending is Ending.DONE, outcome


def register(target: Route53Target, *instances: Instance) -> None:
    do(target, *map(Register, instances))


def instances(
    target: Route53Target, name: str = "web.example.com", *, fresh: bool = True
) -> tuple[Instance, ...]:
    """Return what the zone holds under *name*, which must be complete."""
    read = target.registry.read(name, fresh=fresh)
    assert isinstance(read, Complete), read
    return read.instances


def deregister_all(target: Route53Target, name: str = "web.example.com") -> None:
    do(target, *(Deregister(item) for item in instances(target, name) if item.mark))


def answers(dns_address: tuple[str, int], name: str, kind: str = "A") -> list[str]:
    """Return what a resolver is told about *name*, sorted; nothing where the name does not exist."""
    host, port = dns_address
    query = dns.message.make_query(name, RdataType[kind])
    reply = dns.query.udp(query, host, timeout=30, port=port)
    assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    return sorted(item.to_text() for rrset in reply.answer for item in rrset)


def ttl_of(dns_address: tuple[str, int], name: str, kind: str = "A") -> int:
    """Return for how many seconds a resolver may keep the answer."""
    host, port = dns_address
    reply = dns.query.udp(dns.message.make_query(name, RdataType[kind]), host, timeout=30, port=port)
    return reply.answer[0].ttl


def a_record(name: str, *values: str, identifier: str = "", ttl: int = 60, kind: str = "A") -> dict[str, Any]:
    """Return a record set as a user would write it."""
    record = {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": v} for v in values]}
    return record | ({"SetIdentifier": identifier, "MultiValueAnswer": True} if identifier else {})


def put(client: Any, zone: str, *records: dict[str, Any], action: str = "CREATE") -> None:
    """Write *records* as a user would."""
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for record in records]}
    client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def sets(client: Any, zone: str, name: str = "web.example.com") -> dict[tuple[str, str], Sequence[str]]:
    """Return the values of all record sets called *name*, by type and SetIdentifier."""
    listed = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        (one["Type"], one.get("SetIdentifier", "")): [
            value["Value"] for value in one.get("ResourceRecords", ())
        ]
        for one in listed
        if one["Name"].rstrip(".") == name
    }
