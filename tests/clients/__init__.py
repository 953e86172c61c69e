"""A baked default project, driven by the clients that people use.

Where things are: `project.py` bakes and installs it, `servers.py` serves it over HTTP and reads what it recorded,
`python_sdk.py` is the Python SDK's client at work, `npm/` holds the clients from npm with their versions, `fixtures/`
a tool with a bug and the same tools without logging.
"""
