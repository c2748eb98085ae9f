"""The HTTP door: one file per resource: parse, permit, call, render. No rules in it.

`create_app(view, token=…)` builds it over a `View`; `serve(app, listen)` puts it on an address, in the caller's
event loop.
"""

from podium.api.access import new_token
from podium.api.app import create_app
from podium.api.server import Permanent, address, bind, loopback_hosts, serve

__all__ = ["Permanent", "address", "bind", "create_app", "loopback_hosts", "new_token", "serve"]
