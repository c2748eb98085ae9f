"""Ends its whole process group, and removes a folder, once whoever started it is gone.

The components of a control plane join this process's group. Its standard input is a pipe held by the owner alone,
and the kernel closes that even after `kill -9`: nothing is left running, whatever happens to a test.
"""

import os
import shutil
import signal
import sys

sys.stdin.buffer.read()
for folder in sys.argv[1:]:
    shutil.rmtree(folder, ignore_errors=True)
os.killpg(0, signal.SIGKILL)
