"""The words of keys that have a secret value."""

from typing import NamedTuple

NEUTRAL_ENDINGS = "data header string value"
"""Last words that change nothing: token_value is a token."""
_KEY_OWNERS = """
access account activation admin aes anon api app application auth bot cipher client consumer crypto customer decryption
deploy deployment developer encryption event fernet functions hmac host ingest ingestion jwt license management master
partner personal pre_shared preshared private recovery rest role root rsa sas secret security server service
session shared signing ssh storage subscription webhook write
"""
"""Words before `key` that make it secret: api_key; not a key alone."""
_PLACES = """
begin bos change class cls continuation cursor delta end eos first image input last lock mask max min next num output
pad page pagination paging prev previous prompt request sep skip special start stop sync total unexpected unk
"""
"""Words before `token` that make it a place in a list, or a piece of text: next_page_token, eos_token."""
_TICKETS = """
all backward band boarding build bus compile day each first forward guest hall high last lint low max min multi next num
one optimization per press render season second single ski test tests third total two
"""
"""Words before `pass` that make it harmless: boarding_pass, compile_pass."""
_DEVICES = "adc analog bottom chip clock cs data digital echo gpio input io led map motor output relay rx servo top tx"
"""Words before `pin` that make it a part of a device: gpio_pin."""
_PATTERNS = "attr date exclude file glob include line match name num path re regex search tag time url word"
"""Words before `pat` that make it a pattern: name_pat."""
_TABLES = """
cache content dedup etag foreign group hash idempotency index lookup object partition primary public publishable row
sort unique
"""
"""Words before `key` that make it the name of a thing: cache_key."""


def either(words: str) -> str:
    """Return a pattern for any of the words."""
    return "|".join(words.split())


class KeyWord(NamedTuple):
    """A word that makes a key secret."""

    name: str
    words: str
    """Words in lower case, with `s?` if there may be several; `_` may separate their parts."""
    example: str
    """A secret key."""
    survives: str
    """A similar key that is not."""
    after: str = ""
    """Words of which one precedes, with or without `_`."""
    not_after: str = ""
    """Words of which none precedes."""

    @property
    def pattern(self) -> str:
        """Return a pattern for the words of a key, each between underscores: `_db_password_`."""
        words = rf"(?:{either(self.words.replace('_', '_?'))})"
        if self.after:
            return rf"(?:{either(self.after)})_?{words}_"
        if self.not_after:
            return rf"(?:^|_(?!(?:{either(self.not_after)})_)[^_]+)_{words}_"
        return rf"_{words}_"


ANYWHERE = (
    KeyWord(
        "password", "pass_words? pass_wds? pass_phrases? pass_codes? passwort pwd", "password_hash", "password_policy"
    ),
    KeyWord("secret", "secrets?", "client_secret_value", "secret_name"),
    KeyWord("credentials", "creds credentials?", "db_creds", "credential_type"),
    KeyWord("authorization", "authorization", "Proxy-Authorization", "authorization_url"),
    KeyWord("qualified key", "keys?", "aws_secret_access_key", "ssh_key_path", after=_KEY_OWNERS),
    KeyWord("qualified tokens", "tokens", "refreshTokens", "tokens", after="access api auth bearer id refresh session"),
)
"""Words that make a key secret in any position, unless its last word only describes the secret."""
AT_THE_END = (
    KeyWord("token", "token", "access_token", "next_page_token", not_after=_PLACES),
    KeyWord("joined token", "tokens?", "csrftoken", "continuationtoken",
            after="access api app auth bearer bot csrf id middleware refresh session user xsrf"),
    KeyWord("joined password", "passwords? passwd secrets?", "dbpassword", "secretary", after=r"\w"),
    KeyWord("joined pass", "pass", "smtpPass", "compass",
            after="admin auth db ftp key ldap login mail pg redis root smtp sql ssh store user"),
    KeyWord("pass", "pass", "DB_PASS", "hall_pass", not_after=_TICKETS),
    KeyWord("pw", "pw", "ADMIN_PW", "pwm"),
    KeyWord("auth", "auth", "proxy_auth", "auth_type"),
    KeyWord("cookie", "cookies?", "Set-Cookie", "cookie_consent"),
    KeyWord("JSON web token", "jwts? bearer", "user_jwt", "jwt_algorithm"),
    KeyWord("one-time password", "t?otp otp_code verification_code", "otp", "otp_length"),
    KeyWord("PIN", "pin pin_code", "card_pin", "gpio_pin", not_after=_DEVICES),
    KeyWord("personal access token", "pat", "GITHUB_PAT", "name_pat", after=rf"_(?!(?:{either(_PATTERNS)})_)[^_]+_"),
    KeyWord("card code", "cvv2? cvc2?", "card_cvv", "cvs"),
    KeyWord("seed phrase", "seed_phrase recovery_phrase backup_phrase mnemonics?", "seed_phrase", "seed"),
    KeyWord("recovery codes", "recovery_codes? backup_codes? scratch_codes?", "recovery_codes", "country_codes"),
    KeyWord("CSRF token", "csrf", "X-CSRF", "csrf_enabled"),
    KeyWord("connection string", "connection_strings? conn_string conn_str", "connection_string", "connection_name"),
)  # fmt: skip
"""Words that make a key secret only in the last position, with or without a number."""
WITH_ID = (
    KeyWord("session id", "session_ids? phpsessid jsessionid", "session_id", "session_name"),
    KeyWord("Vault secret id", "vault_secret_id approle_secret_id", "VAULT_SECRET_ID", "secret_id"),
)
"""The exceptions among the keys that end with a describing word."""
IF_RANDOM = (
    KeyWord("key", "key", "key", "cache_key", not_after=_TABLES),
    KeyWord("signature", "signature sig", "X-Amz-Signature", "design"),
    KeyWord("code", "code", "code", "code_point"),
    KeyWord("proof", "code_verifier ticket samlresponse", "code_verifier", "ticket_office"),
    KeyWord("license", "license", "license", "license_url"),
)
"""Words that make a key secret in the last position if its value looks random."""
DESCRIBING = {
    "property": """
        age alg algo algorithm arn category class consent cost count desc description encoding error errors
        expiration expired expires expiry field fields format formats group help hint id ids index info kind label
        len length level lifetime limit manager message method methods mode name names number outfile owner param
        pattern placeholder policies policy position prefix prompt provider reason ref regex region required
        requirements role rotation rules scheme scope scopes score size source state status strength suffix template
        timeout title ttl type types usage version
    """,
    "place": """
        dir directory domain endpoint file filename folder host location path paths server store uri url urls
    """,
    "time": "at date days expires_in hours ms seconds time timestamp",
    "verdict": """
        allowed configured disabled enabled exists invalid missing optional present set supported valid validation
        validator verified
    """,
}
"""Last words of keys that only describe a secret: password_policy, api_key_id."""
ASKING = "allow can enable has have hide is max min need needs no num require requires should show support supports"
"""First words of keys whose value is a yes, a no or a number: has_password."""
