"""``make demo``: a story in eight scenes, with the milliseconds that each change took."""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from demo.stage import Stage, stage
from syncer.app.resolving import ask
from tests.support.wait import eventually


def main() -> int:
    """Tell the story; return 0 if every name answered as it should."""
    began = time.monotonic()
    with stage() as on:
        _before(on)
        _plan(on)
        with on.running() as process:
            _in_step(on)
            _births(on)
            _critical(on)
            _removal(on)
            _plain_resolver(on)
            _task(on)
            print(f"\nThe status page is at http://127.0.0.1:{on.port}/ while this runs.")
            if os.environ.get("KEEP"):
                print(f"Kept running; settings in {on.settings}. Stop it with Ctrl-C.")
                _wait_for_interrupt()
            process.terminate()
            code = process.wait(15)
            print(f"syncer was told to stop, and left with exit code {code}")
    print(f"Done in {time.monotonic() - began:.0f} s.")
    return 0 if code in {0, None} else 1


def _scene(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _before(on: Stage) -> None:
    _scene("Two registries, before")
    for number in (1, 2):
        on.consul.register("web", f"web-{number}", f"10.0.1.{number}", 8080, status="passing", tags=["v1"])
    on.consul.register("api", "api-1", "10.0.2.1", 9000, status="passing")
    for name, count in (("orders", 2), ("payments", 1)):
        service = on.cloudmap.create_service(
            Name=name,
            NamespaceId=on.namespaces["corp.internal"],
            DnsConfig={"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 15}]},
            HealthCheckCustomConfig={},
        )["Service"]["Id"]
        for number in range(1, count + 1):
            _register(on, service, f"{name}-{number}", f"10.0.{3 if name == 'orders' else 4}.{number}")
    print("  Consul:    web (2 instances), api (1)")
    print("  Cloud Map: orders (2), payments (1) in corp.internal")
    eventually(
        lambda: _addresses(on, "orders.corp.internal"), timeout=15, message="Cloud Map does not answer"
    )
    for name in ("web.service.consul", "web.corp.internal", "orders.service.consul", "orders.corp.internal"):
        _show(on, name)


def _plan(on: Stage) -> None:
    _scene("The plan: syncer plan")
    print("\n".join("  " + line for line in on.syncer("plan").stdout.splitlines()))


def _in_step(on: Stage) -> None:
    _scene("syncer run: both names answer with the same addresses")
    _same(on, "web.service.consul", "web.corp.internal", "10.0.1.1 10.0.1.2")
    _same(on, "orders.service.consul", "orders.corp.internal", "10.0.3.1 10.0.3.2")
    print("\n  syncer names web --resolve")
    print(
        "\n".join(
            "  " + line for line in on.syncer("names", "web.service.consul", "--resolve").stdout.splitlines()
        )
    )


def _births(on: Stage) -> None:
    _scene("A service is born on each side")
    born = time.monotonic()
    on.consul.register("cart", "cart-1", "10.0.5.1", 8080, status="passing")
    _until(on, "cart.corp.internal", "10.0.5.1", born, "registered in Consul")
    service = on.cloudmap.create_service(
        Name="mail",
        NamespaceId=on.namespaces["corp.internal"],
        DnsConfig={"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 15}]},
    )["Service"]["Id"]
    born = _register(on, service, "mail-1", "10.0.6.1")
    _until(on, "mail.service.consul", "10.0.6.1", born, "registered in Cloud Map, its operation done,")


def _critical(on: Stage) -> None:
    _scene("An instance turns critical in Consul, and leaves the answers")
    began = time.monotonic()
    on.consul.set_check("web-2", "critical", "the demo says so")
    _until(on, "web.corp.internal", "10.0.1.1", began, "critical")
    began = time.monotonic()
    on.consul.set_check("web-2", "passing", "well again")
    _until(on, "web.corp.internal", "10.0.1.1 10.0.1.2", began, "passing again")


def _removal(on: Stage) -> None:
    _scene("An instance is removed, and a whole service")
    began = time.monotonic()
    on.consul.deregister("web-1")
    _until(on, "web.corp.internal", "10.0.1.2", began, "deregistered")
    began = time.monotonic()
    on.consul.deregister("cart-1")
    _until(on, "cart.corp.internal", "", began, "deregistered")


def _plain_resolver(on: Stage) -> None:
    _scene("A namespace called service.consul: the VPC's own resolver answers Consul's name")
    _until(on, "api.service.consul", "10.0.2.1", time.monotonic(), "asked at the VPC's resolver", on.aws_dns)


def _task(on: Stage) -> None:
    _scene("A Fargate task starts with a public address, and stops")
    began = time.monotonic()
    task = on.tasks.start("shop", "54.1.2.3")
    private = task["ipv4"]
    print(f"    ECS knows {private}, EC2 the public 54.1.2.3")
    names = {"shop.service.consul": private, "shop.corp.internal": private, "shop.example.com": "54.1.2.3"}
    _all_until(on, names, began, "running")
    began = time.monotonic()
    on.tasks.stop(task["task"])
    _all_until(on, dict.fromkeys(names, ""), began, "told to stop")


def _all_until(on: Stage, wanted: dict[str, str], began: float, what: str) -> None:
    """Ask for all names at once, so that none waits for another's answer."""
    with ThreadPoolExecutor(len(wanted)) as pool:
        for told in [pool.submit(_until, on, name, value, began, what) for name, value in wanted.items()]:
            told.result()


def _register(on: Stage, service: str, instance: str, address: str) -> float:
    """Register an instance in Cloud Map as a user would, and return the time when its operation was done."""
    operation = on.cloudmap.register_instance(
        ServiceId=service,
        InstanceId=instance,
        Attributes={"AWS_INSTANCE_IPV4": address, "AWS_INSTANCE_PORT": "8080"},
    )["OperationId"]

    def done() -> bool:
        return bool(on.cloudmap.get_operation(OperationId=operation)["Operation"]["Status"] == "SUCCESS")

    eventually(done, timeout=15, message=f"{instance} was not registered")
    return time.monotonic()


def _server(on: Stage, name: str) -> tuple[str, int]:
    return on.consul.dns_addr if name.endswith(".consul") else on.aws_dns


def _addresses(on: Stage, name: str, server: tuple[str, int] | None = None) -> str:
    return " ".join(
        value for answer in ask(name, "A", server or _server(on, name)) for value in answer.values
    )


def _show(on: Stage, name: str) -> None:
    print(f"    {name:<24} {_addresses(on, name) or 'no answer'}")


def _until(
    on: Stage, name: str, wanted: str, began: float, what: str, server: tuple[str, int] | None = None
) -> None:
    eventually(
        lambda: _addresses(on, name, server) == wanted,
        timeout=20,
        message=f"{name} does not answer {wanted or 'with nothing'}",
    )
    took = (time.monotonic() - began) * 1000
    print(f"    {what} → {name} answers {wanted or 'nothing any more'}  after {took:.0f} ms", flush=True)


def _same(on: Stage, one: str, other: str, wanted: str) -> None:
    both: Callable[[], bool] = lambda: _addresses(on, one) == _addresses(on, other) == wanted  # noqa: E731
    eventually(both, timeout=30, message=f"{one} and {other} do not agree")
    for name in (one, other):
        _show(on, name)


def _wait_for_interrupt() -> None:
    try:
        while True:
            time.sleep(1)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    sys.exit(main())
