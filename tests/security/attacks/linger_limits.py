"""Changes limits, priorities and processors of its parent, to the harm of all later jobs."""

import os
import resource

parent = os.getppid()
for attempt in (
    lambda: resource.prlimit(parent, resource.RLIMIT_NOFILE, (3, 3)),
    lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)),
    lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
    lambda: os.sched_setaffinity(parent, {0}),
    lambda: os.sched_setscheduler(parent, os.SCHED_IDLE, os.sched_param(0)),
):
    try:
        attempt()
        print("BREACH: the parent has been changed")
    except OSError:
        pass
