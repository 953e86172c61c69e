"""Remove secrets from texts and JSON values, by the name of their key and by their shape."""

from .redactor import Redactor
from .shapes import REDACTED, without_login

__all__ = ["REDACTED", "Redactor", "without_login"]
