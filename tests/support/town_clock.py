"""A clock that can be ahead, for processes that know nothing of it: the C library's, replaced."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = """\
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long ahead(void) {
    const char *said = getenv("TOWN_CLOCK_AHEAD");
    return said ? atol(said) : 0;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, which, now);
    if (!done && which == CLOCK_REALTIME) now->tv_sec += ahead();
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return 0;
}

int clock_nanosleep(clockid_t which, int flags, const struct timespec *until, struct timespec *left) {
    if (getenv("TOWN_CLOCK_HURRIES")) return 0;
    return -syscall(SYS_clock_nanosleep, which, flags, until, left);
}

time_t time(time_t *place) {
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (place) *place = found.tv_sec;
    return found.tv_sec;
}
"""


@dataclass(slots=True)
class Clock:
    """How far a machine's clock is ahead; `environment` is what its processes get."""

    library: Path
    ahead: timedelta = timedelta()
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def built(cls, path: Path) -> Path:
        """Compile the library; needs `cc`."""
        compiler = ("cc", "-shared", "-fPIC", "-O1", "-o", path, "-x", "c", "-")
        subprocess.run(compiler, input=SOURCE, text=True, check=True)
        return path

    @contextmanager
    def hurrying(self) -> Iterator[None]:
        """Let whoever waits for a moment to come wait no longer, for as long as the context lasts."""
        self.environment |= {"LD_PRELOAD": str(self.library), "TOWN_CLOCK_HURRIES": "1"}
        yield
        del self.environment["TOWN_CLOCK_HURRIES"]

    @property
    def now(self) -> datetime:
        """The moment as the machine has it."""
        return datetime.now(UTC) + self.ahead

    def pass_(self, **time: float) -> None:
        """Let time pass: `days`, `hours` and the like."""
        self.ahead += timedelta(**time)
        seconds = str(int(self.ahead.total_seconds()))
        self.environment |= {"LD_PRELOAD": str(self.library), "TOWN_CLOCK_AHEAD": seconds}
