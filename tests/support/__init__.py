"""What the suites share: installed projects, their servers, and peers that fail.

`project.py` bakes and installs a project, `settings.py` has settings for its destinations. `servers.py` runs a server
whose tools a test calls, over stdio or HTTP; `serving.py` serves over HTTP for other clients; `processes.py` runs
programs that answer lines with lines. `proxy.py`, `auth_proxy.py` and `http_stub.py` are networks and backends that
fail. `fixtures/` holds modules that run inside a project.
"""
