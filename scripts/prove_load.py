"""`scripts/proof load`: a thousand patrollers come back into the network within one minute."""

import random
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from prove_faults import Caller, Row, Tally, judge, laid_out, row, say

PATROLLERS, ITEMS_EACH, WITHIN_S, AT_ONCE = 1000, 30, 60.0, 48
BATCH = 50  # as the app sends


def prove_load() -> list[Row]:
    """Each flushes 30 items, at a moment of the minute of its own, in batches as the app sends."""
    with laid_out() as ground:
        callers = [Caller(ground, ground.port, who) for who in range(PATROLLERS)]
        for caller in callers:
            caller.batch = BATCH
        loads = [caller.items(ITEMS_EACH) for caller in callers]
        tally, lock = Tally(items=[item for load in loads for item in load]), threading.Lock()
        moments = sorted(random.Random(5).uniform(0, WITHIN_S) for _ in callers)
        late_s: list[float] = []
        began = time.monotonic()

        def flush(who: int) -> None:
            time.sleep(max(0.0, began + moments[who] - time.monotonic()))
            callers[who].send(loads[who], tally)
            with lock:
                late_s.append(time.monotonic() - began - moments[who])

        say.print(f"· {PATROLLERS} patrollers, {ITEMS_EACH} items each, batches of {BATCH}")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(flush, range(PATROLLERS)))
        took_s = time.monotonic() - began
        wrong = judge(ground, tally)
    answers = statistics.quantiles(tally.waits_s, n=20)
    flushed = statistics.quantiles(late_s, n=20)
    note = (
        f"{took_s:.0f} s in all, {len(tally.acked) / took_s:.0f} items/s; p95 of an answer"
        f" {answers[18] * 1000:.0f} ms, of a whole flush {flushed[18]:.1f} s"
    )
    return [row("1,000 patrollers flush 30 items", len(tally.items), wrong, note)]
