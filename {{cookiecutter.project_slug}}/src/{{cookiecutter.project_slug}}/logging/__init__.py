"""Logging that never makes a tool wait: entries, redaction, buffers and destinations."""
