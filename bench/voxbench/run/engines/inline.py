"""The engine that runs every job in this process, one after the other."""

from collections.abc import Callable, Sequence

from voxbench.run.jobs import Job, Outcome, Place, lost, raise_file_limit, work


def run(
    jobs: Sequence[Job],
    place: Place,
    started: Callable[[Job], None],
    finished: Callable[[Outcome], None],
    more: Callable[[], Sequence[Job]] = list,
) -> None:
    """Run the jobs in their order; a cell whose weights could not be made fails with the reason.

    Once all are done `more` is asked for further ones, until it has none.
    """
    raise_file_limit()
    failed: dict[str, str] = {}
    while jobs:
        for job in jobs:
            started(job)
            reason = failed.get(job.needs or "")
            outcome = lost(job, reason, place) if reason else work(job, place)
            if job.pretraining and outcome.failure:
                failed[job.id] = outcome.failure
            finished(outcome)
        jobs = more()
