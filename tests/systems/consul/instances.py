"""Instances as a route would have them written, for tests."""

import string
from types import MappingProxyType

from hypothesis import strategies as st

from syncer.core.carrier import fit
from syncer.core.identity import target_id
from syncer.core.model import Health, Instance, Mark
from syncer.systems.consul.carrier import CONSUL_CARRIER

ORIGIN = "cloudmap/ns-1"


def made(service: str, number: int = 1, *, origin: str = ORIGIN, **others: object) -> Instance:
    """Return a plain instance of *service*, marked as ours."""
    fields: dict[str, object] = {
        "ipv4": f"10.1.{number // 250}.{number % 250}",
        "port": 80,
        "mark": Mark("us", origin, service, f"i-{number}"),
        **others,
    }
    return Instance(service, target_id(origin, service, f"i-{number}"), **fields)  # type: ignore[arg-type]  # by name


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_long = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=700)
_key = st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=130)
_hostname = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?(\.[a-z]{2,5}){1,3}", fullmatch=True)
# The core lets no unspecified address through, and Consul refuses it.
_ipv4 = st.ip_addresses(v=4).map(str).filter(lambda text: text != "0.0.0.0")
_ipv6 = st.ip_addresses(v=6).map(str).filter(lambda text: text != "::")
_registry = st.sampled_from(
    ["cloudmap/ns-1", "cloudmap/ns-abcdefghijklmnop", "ecs/prod", "consul/dc2", "route53/Z1"]
)


@st.composite
def marks(draw: st.DrawFn) -> Mark:
    """Any mark that fits."""
    return Mark(
        draw(_text),
        draw(_registry),
        draw(_text | _long),
        draw(_text | _long),
        tuple(draw(st.lists(_registry, max_size=5))),
    )


@st.composite
def fitted(draw: st.DrawFn) -> Instance:
    """Any instance that a route could want in Consul."""
    ipv4, ipv6, hostname = draw(
        st.tuples(st.none() | _ipv4, st.none() | _ipv6, st.none() | _hostname).filter(any)
    )
    port = draw(st.none() | st.integers(1, 65535))
    public = draw(st.none() | _ipv4), draw(st.none() | _ipv6)
    outside = st.none() | st.integers(1, 65535).filter(lambda given: given != port)
    instance = Instance(
        draw(st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,20}[a-zA-Z0-9])?", fullmatch=True)),
        draw(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)),
        ipv4,
        ipv6,
        hostname,
        port,
        *public,
        draw(outside) if any(public) else None,
        draw(st.sampled_from([Health.PASSING, Health.WARNING, Health.CRITICAL])),
        tuple(sorted(draw(st.sets(_text, max_size=4)))),
        MappingProxyType(draw(st.dictionaries(_key, _text | _long, max_size=6))),
        draw(marks()),
    )
    return fit(instance, CONSUL_CARRIER.attributes)[0]
