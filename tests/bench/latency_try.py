import sys, time, random
from tests.bench.rig import *
def main(n, each, samples):
    with rig(throttle=None, operation_delay=0.3) as r:
        t=time.time(); r.fill_consul(n, each); print('filled', time.time()-t)
        t=time.time()
        with r.syncing(r.ours()) as p:
            settle(lambda: r.calls()['counts'].get('RegisterInstance',0)>=n*each, 600, 'first sync'); print('synced', time.time()-t)
            time.sleep(8)
            for mode in ('quiet','hot'):
                lat=[]; rng=random.Random(1)
                pool=list(range(n)); rng.shuffle(pool)
                hot=pool[:10]
                for i in range(samples):
                    num = pool[i+20] if mode=='quiet' else hot[i%10]
                    r.emulator('DELETE','/_emulator/calls')
                    t0=time.monotonic()
                    r.set_instance(f'svc-{num}', 9, number=num, tag=f't{i}')
                    for _ in range(400):
                        e=[x for x in r.entries('RegisterInstance')]
                        if e: break
                        time.sleep(0.02)
                    else: print('lost'); continue
                    lat.append((e[0]['monotonic']-t0)*1000)
                    time.sleep(0.6 if mode=='quiet' else 0.8)
                print(n,mode,'median',quantile(lat,.5),'p90',quantile(lat,.9),'max',max(lat))
            print('rss', p.memory_info().rss/1e6, 'cpu', p.cpu_times())
main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
