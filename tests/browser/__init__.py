"""The page of a baked project in a real browser.

`chromium.py` starts the browser, whose version `npm/` names; `ui.py` runs the page's server; `fixtures/` has the tools
that are called and the scripts that record calls.
"""
