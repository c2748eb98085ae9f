"""What every folder of tests may ask for: one line per real server, and the rule on skips."""

import signal

pytest_plugins = [
    "tests.skips",  # under PODIUM_CI=1 nothing is skipped
    "tests.servers.control_plane",
    "tests.servers.helm",
    "tests.servers.postgresql",
    "tests.servers.prometheus",
]

# A shell that starts the tests in the background lets them ignore ctrl-C, and so would every Podium that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
