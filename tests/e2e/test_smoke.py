import time
from tests.e2e.world import World
from tests.support.wait import eventually

def test_smoke(world: World) -> None:
    t=time.monotonic()
    for n in (1,2):
        world.consul.register("web", f"web-{n}", f"10.0.0.{n}", 80)
        world.cloud.put("orders", f"o-{n}", f"10.1.0.{n}")
    print("setup", time.monotonic()-t)
    with world.syncing(proxied=True) as running:
        running.settled()
        print("settled", time.monotonic()-t)
        assert world.cloud.addresses("web")==["10.0.0.1","10.0.0.2"]
        assert set(world.imported("orders"))=={"o-1","o-2"}
        world.cloud.register("orders","o-3","10.1.0.3")
        eventually(lambda: "o-3" in world.imported("orders"))
        print("born", time.monotonic()-t)
    print("stopped", time.monotonic()-t)
