"""The operations of ECS and SSM on the emulated world, as values in and values out."""

from collections.abc import Callable, Sequence
from typing import Any

from .ecs_world import EcsWorld
from .errors import ApiError

Handler = Callable[[EcsWorld, dict[str, Any]], dict[str, Any]]
ECS_PREFIX = "AmazonEC2ContainerServiceV20141113."
SSM_PREFIX = "AmazonSSM."


def list_clusters(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return the clusters' ARNs, a page at a time."""
    return _page(sorted(world.clusters.values()), params, "clusterArns")


def describe_clusters(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return those of the named clusters that exist."""
    names = [_short(name) for name in params.get("clusters") or ["default"]]
    found = [name for name in names if name in world.clusters]
    return {
        "clusters": [
            {"clusterArn": world.clusters[name], "clusterName": name, "status": "ACTIVE"} for name in found
        ],
        "failures": _missing(name for name in names if name not in world.clusters),
    }


def list_tasks(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return tasks by desired status, RUNNING unless it is given, and by service, family and launch type."""
    cluster = _cluster(world, params)
    desired = params.get("desiredStatus", "RUNNING")
    arn = world.clusters[cluster]
    group = f"service:{_short(params['serviceName'])}" if params.get("serviceName") else None
    tasks = [
        task.arn
        for task in world.tasks.values()
        if task.cluster_arn == arn
        and task.desired_status == desired
        and group in (None, task.group)
        and params.get("launchType") in (None, task.launch_type)
        and (not params.get("family") or f"/{params['family']}:" in task.definition.arn)
    ]
    return _page(sorted(tasks), params, "taskArns")


def describe_tasks(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return tasks, and MISSING for those that are not known."""
    cluster = _cluster(world, params)
    wanted = _at_most(params, "tasks", 100)
    tags = "TAGS" in params.get("include", ())
    by_id = {task.id: task for task in world.tasks.values() if task.cluster_arn == world.clusters[cluster]}
    return {
        "tasks": [by_id[_short(arn)].wire(tags=tags) for arn in wanted if _short(arn) in by_id],
        "failures": _missing(arn for arn in wanted if _short(arn) not in by_id),
    }


def describe_task_definition(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return one revision."""
    name = params["taskDefinition"]
    found = next((item for arn, item in world.definitions.items() if name in (arn, _short(arn))), None)
    if found is None:
        raise ApiError("ClientException", "Unable to describe task definition.")
    return {"taskDefinition": found.wire(), "tags": []}


def describe_services(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return services with their tags, and MISSING for those that are not known."""
    cluster = _cluster(world, params)
    names = [_short(name) for name in _at_most(params, "services", 10)]
    tags = "TAGS" in params.get("include", ())
    found = [world.services[cluster, name] for name in names if (cluster, name) in world.services]
    return {
        "services": [service.wire(tags=tags) for service in found],
        "failures": _missing(name for name in names if (cluster, name) not in world.services),
    }


def describe_container_instances(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return hosts, and MISSING for those that are not known."""
    _cluster(world, params)
    wanted = _at_most(params, "containerInstances", 100)
    return {
        "containerInstances": [world.hosts[arn].wire() for arn in wanted if arn in world.hosts],
        "failures": _missing(arn for arn in wanted if arn not in world.hosts),
    }


def describe_instance_information(world: EcsWorld, params: dict[str, Any]) -> dict[str, Any]:
    """Return the machines that SSM manages, those that the filter InstanceIds names."""
    filters = {item["Key"]: item["Values"] for item in params.get("Filters", ())}
    wanted = filters.get("InstanceIds")
    if any(len(values) > 100 for values in filters.values()):
        raise ApiError("ValidationException", "A filter has at most 100 values.")
    nodes = [
        {
            "InstanceId": host.id,
            "IPAddress": host.ipv4,
            "PingStatus": "Online",
            "ResourceType": "ManagedInstance",
        }
        for host in world.hosts.values()
        if host.id.startswith("mi-") and (wanted is None or host.id in wanted)
    ]
    answer = _page(
        nodes, {"maxResults": params.get("MaxResults", 10), "nextToken": params.get("NextToken")}, "List"
    )
    body = {"InstanceInformationList": answer["List"]}
    return body | ({"NextToken": answer["nextToken"]} if "nextToken" in answer else {})


HANDLERS: dict[str, Handler] = {
    ECS_PREFIX + "ListClusters": list_clusters,
    ECS_PREFIX + "DescribeClusters": describe_clusters,
    ECS_PREFIX + "ListTasks": list_tasks,
    ECS_PREFIX + "DescribeTasks": describe_tasks,
    ECS_PREFIX + "DescribeTaskDefinition": describe_task_definition,
    ECS_PREFIX + "DescribeServices": describe_services,
    ECS_PREFIX + "DescribeContainerInstances": describe_container_instances,
    SSM_PREFIX + "DescribeInstanceInformation": describe_instance_information,
}


def _cluster(world: EcsWorld, params: dict[str, Any]) -> str:
    given = params.get("cluster") or "default"
    name = _short(given)
    if given not in (name, world.clusters.get(name)) or name not in world.clusters:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return name


def _short(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _at_most(params: dict[str, Any], name: str, most: int) -> list[str]:
    found: list[str] = params.get(name) or []
    if not found or len(found) > most:
        raise ApiError("InvalidParameterException", f"{name} needs 1 to {most} entries.")
    return found


def _missing(arns: Any) -> list[dict[str, str]]:
    return [{"arn": arn, "reason": "MISSING"} for arn in arns]


def _page(items: Sequence[Any], params: dict[str, Any], member: str) -> dict[str, Any]:
    most = params.get("maxResults") or 100
    if most > 100:
        raise ApiError("InvalidParameterException", "maxResults is 1 to 100.")
    start = int(params.get("nextToken") or 0)
    body: dict[str, Any] = {member: list(items[start : start + most])}
    if start + most < len(items):
        body["nextToken"] = str(start + most)
    return body
