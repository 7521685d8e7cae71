"""How late the loop was, as the benchmark counts it."""

import asyncio
import time

from tests.tools.lag import LagProbe
from tests.until import until


async def test_a_block_counts_for_every_call_it_kept_waiting() -> None:
    with LagProbe() as probe:
        await asyncio.sleep(0.01)
        time.sleep(0.1)  # noqa: ASYNC251 - the block to be measured
        await until(lambda: sum(lag > 0.02 for lag in probe.lags) >= 15)
    assert max(probe.lags) >= 0.09
    assert min(probe.lags) >= 0.0


async def test_a_probe_that_is_left_measures_no_more() -> None:
    with LagProbe() as probe:
        await until(lambda: probe.lags)
    count = len(probe.lags)
    await asyncio.sleep(0.02)
    assert len(probe.lags) == count


def test_a_percentile_is_the_lag_that_so_many_were_not_above() -> None:
    probe = LagProbe()
    assert probe.percentile(0.5) == 0.0
    probe.lags = [lag / 1000 for lag in range(1, 101)]
    assert (probe.percentile(0.5), probe.percentile(0.99), probe.percentile(1)) == (
        0.05,
        0.099,
        0.1,
    )
