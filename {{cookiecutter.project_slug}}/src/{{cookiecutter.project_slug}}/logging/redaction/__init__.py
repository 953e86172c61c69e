"""Remove secrets from texts and JSON values, by the name of their key and by their shape."""

from .addresses import without_login
from .redactor import Redactor
from .tables import RECOGNISED
from .values import REDACTED

__all__ = ["RECOGNISED", "REDACTED", "Redactor", "without_login"]
