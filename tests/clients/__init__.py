"""A project of the default answers, used by the clients that people use.

`python_sdk.py` drives the Python SDK's client, `npm/` has the clients from npm with their versions, and `fixtures/` the
programs and modules that the tests put beside the project.
"""
