"""A cluster that runs inside Podium: pods that take time to start, nodes that fill up, starts that fail.

To Podium it is the outside world: it keeps its own time, its own file and its own record of who wrote what, and it
refuses writes exactly where the Kubernetes API server would.
"""
