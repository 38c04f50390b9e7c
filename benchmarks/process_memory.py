"""What this process took at most."""

import re


def peak():
    """Resident MiB. Not getrusage, whose peak a process inherits from the one that started it."""
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\s*(\d+)", status.read()).group(1)) / 2**10
