"""Baked servers under fire: what fails here is a backend, a disk, a client or an exit, and never a tool call.

Where things are: `project.py` bakes and installs a server, `fixtures/` holds what is put into it (tools that look
inside, destinations that fail in Python, the same server without logging), `servers.py` runs it over stdio or HTTP,
`stubs.py` and `proxy.py` are the backends and networks that fail, `measure.py` compares two servers. `soak.py` is
`make soak`. What was seen is in `docs/delivery.md`.
"""
