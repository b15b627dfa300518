"""A child's tie to the gateway that started it."""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9


def die_with(parent: int) -> None:
    """Asks the kernel to kill this process when its parent dies, and ends it if the parent is already gone (prctl(2)). Linux only;
    elsewhere a no-op.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
