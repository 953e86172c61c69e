"""What is recognised as a secret, as tables; docs/redaction.md is generated from them."""

from .issuers import ISSUED_KEYS
from .key_words import ANYWHERE, AT_THE_END, IF_RANDOM, WITH_ID
from .places import PLACES

KEY_WORDS = (*ANYWHERE, *AT_THE_END, *WITH_ID, *IF_RANDOM)
RECOGNISED = f"{len(KEY_WORDS)} kinds of keys, {len(ISSUED_KEYS)} forms and {len(PLACES)} places"
