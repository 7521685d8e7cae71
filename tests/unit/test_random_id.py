"""Ids that no other process makes."""

import multiprocessing
import re

from cnc_station.engine.domain.random_id import random_id


def test_ids_differ_also_between_a_process_and_its_forks() -> None:
    random_id()
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    forks = [context.Process(target=lambda: queue.put(random_id())) for _ in range(3)]
    for fork in forks:
        fork.start()
    found = {queue.get() for _ in forks} | {random_id()}
    for fork in forks:
        fork.join()
    assert len(found) == 4
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)
