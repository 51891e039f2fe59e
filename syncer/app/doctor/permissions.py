"""Whether each operation of Cloud Map may be called: reads are made, writes are tried where they cannot change anything.

Every write names a service or namespace that is not there, or a name that none may have: whoever has the right is told
so (ServiceNotFound, InvalidInput), whoever lacks it AccessDeniedException. Source: AWS Cloud Map API reference.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from syncer.app.doctor.policies_cloudmap import READ
from syncer.app.doctor.trying import Try
from syncer.systems.cloudmap.api import Api
from syncer.systems.cloudmap.namespaces import Namespace

Parameters = Mapping[str, Any]

NO_SERVICE: Final = "srv-0000000000000000"
"""An id that no service has."""
_NO_NAMESPACE: Final = "ns-0000000000000000"
_NO_OPERATION: Final = "doctor-probe"
_NO_INSTANCE: Final = "doctor-probe"
_NO_NAME: Final = " "
"""A name that neither a service nor a namespace may have."""


def tries(api: Api, operations: Iterable[str], namespace: Namespace | None) -> Iterator[Try]:
    """Yield a harmless try of each of *operations*.

    *namespace* is the one that reads look at; without one only those are tried that need none.
    """
    for operation in operations:
        parameters = _parameters(operation, namespace)
        if parameters is not None:
            call = partial(api.once, operation, **parameters)
            yield Try(f"servicediscovery:{operation}", call, writes=operation not in READ)


def _parameters(operation: str, namespace: Namespace | None) -> Parameters | None:
    """Return what to call *operation* with so that nothing changes; None where there is nothing to try it on."""
    creating: dict[str, Parameters] = {
        "CreateHttpNamespace": {"Name": _NO_NAME},
        "CreatePrivateDnsNamespace": {"Name": _NO_NAME, "Vpc": "vpc-00000000"},
        "CreatePublicDnsNamespace": {"Name": _NO_NAME},
    }
    if operation in creating:
        return creating[operation]
    if namespace is None:
        return None
    by_namespace = [{"Name": "NAMESPACE_ID", "Values": [namespace.handle], "Condition": "EQ"}]
    service: dict[str, Any] = {"ServiceId": NO_SERVICE}
    instance = {**service, "InstanceId": _NO_INSTANCE}
    discover = {"NamespaceName": namespace.http_name, "ServiceName": _NO_INSTANCE}
    no_service = f"{namespace.arn.rpartition(':')[0]}:service/{NO_SERVICE}"
    trying: dict[str, Parameters] = {
        "DiscoverInstances": discover,
        "DiscoverInstancesRevision": discover,
        "GetInstance": instance,
        "GetInstancesHealthStatus": service,
        "GetNamespace": {"Id": namespace.handle},
        "GetOperation": {"OperationId": _NO_OPERATION},
        "GetService": {"Id": NO_SERVICE},
        "ListInstances": service,
        "ListOperations": {"Filters": by_namespace, "MaxResults": 1},
        "ListServices": {"Filters": by_namespace, "MaxResults": 1},
        "ListTagsForResource": {"ResourceARN": no_service},
        "CreateService": {"Name": _NO_NAME, "NamespaceId": _NO_NAMESPACE},
        "DeleteService": {"Id": NO_SERVICE},
        "DeregisterInstance": instance,
        "RegisterInstance": {**instance, "Attributes": {"AWS_INSTANCE_IPV4": "192.0.2.1"}},
        "UpdateInstanceCustomHealthStatus": {**instance, "Status": "HEALTHY"},
        "UpdateService": {"Id": NO_SERVICE, "Service": {}},
        "TagResource": {"ResourceARN": no_service, "Tags": []},
    }
    return trying.get(operation)
