"""Places that give a secret away without a pair of key and value: commands, files, addresses and sentences."""

from .row import Row

_NAMES = "attribute env field header id k key name param parameter property variable"
_VALUES = "content data default v val value"
NAME_FIELDS = frozenset(f"{_NAMES} {_NAMES.title()} {_NAMES.upper()}".split())
VALUE_FIELDS = frozenset(f"{_VALUES} {_VALUES.title()} {_VALUES.upper()}".split())
"""Keys of the name of a secret and of its value, where they are apart."""

_QUOTE = r"""\\*+["'`]"""
_KEY = r"(?P<key>[\w.:/$-]{1,100}+)"
_TAG = r"(?P<key>[\w:.-]{1,100}+)"
_VALUE = r"""
(?: (?P<quote>\\{0,7}["'`]) (?P<quoted>(?:(?!(?P=quote))[^\n])*+)
  | (?P<secret>[^\s"'`<>,;)\]}\\&|]++) )
"""
_SHORT_VALUE = _VALUE.replace("*+", "{0,300}+").replace("++", "{1,300}+")
_LINE = r"[^\n|;]{0,200}?"
_ARGUMENT = r"""(?: "[^"\n]*+" | '[^'\n]*+' | [^\s"']++ )"""
_NAME_FIELD = rf"(?:{'|'.join(_NAMES.split())}) (?:{_QUOTE})?+ \s*+ [:=] \s*+"
_VALUE_FIELD = rf"(?:{'|'.join(_VALUES.split())}) (?:{_QUOTE})?+ \s*+ [:=] \s*+"

_VALUE_HINTS = ("value", *(f"{quote}{name}" for quote in "\"'" for name in ("val", "v", "content", "data", "default")))
COMMANDS = (
    Row(
        "option",
        rf"-(?:(?<=[^\w.-]-)|(?<=\\[nrt]-)|(?<=\A-)) -?+ {_KEY} (?: \s++ | {_QUOTE},\s*+ (?={_QUOTE}) ) {_VALUE}",
        "run --password {a12}",
        "run --port 8080",
        ("-",),
    ),
    Row("option of Windows", rf"/(?<=\s/) {_KEY} (?<=:) {_VALUE}", "cmd /password:{a12}", "cmd /path:here", ("/",)),
    Row(
        "login of a request",
        rf"-(?<=\s-) (?: u | U | -user | -proxy-user | a | -auth ) [ =]?+ \\*+ [\"']?+"
        rf"[^\s:\"'%/]*+ [:%] (?!//) {_VALUE}",
        "curl -u kim:{a12} host",
        "curl -u kim host",
        ("curl ", "smbclient ", "http -a", "http --auth"),
    ),
    Row(
        "mysql",
        rf"(?:mysql|mariadb)\w*+ {_LINE} \s-p {_VALUE}",
        "mysql -u root -p{a12}",
        "mysql -u root -p",
        ("mysql ", "mysqldump ", "mariadb "),
    ),
    Row(
        "password option",
        r"(?: sshpass | sqlcmd | (?:docker|podman) \s login | oc\slogin | unzip"
        rf"| plink | pscp | cqlsh | clickhouse-client ) {_LINE} \s -(?:p|P|pw) [ =]?+ (?!\d++\b) {_VALUE}",
        "sshpass -p {a12} ssh host",
        "docker login -p 80",
        (
            "sshpass",
            "sqlcmd",
            "docker login",
            "podman login",
            "oc login",
            "unzip ",
            "plink ",
            "pscp",
            "cqlsh",
            "clickhouse-client",
        ),
    ),
    Row(
        "redis-cli",
        rf"redis-cli {_LINE} \s(?:-a|--pass) [ =]?+ {_VALUE}",
        "redis-cli -a {a12} ping",
        "redis-cli -h host",
        ("redis-cli",),
    ),
    Row(
        "LDAP tools",
        rf"ldap\w++ {_LINE} \s-w [ =]?+ {_VALUE}",
        "ldapsearch -w {a12}",
        "ldapsearch -W",
        ("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami"),
    ),
    Row(
        "openssl",
        rf"-pass(?:in|out)? \s++ \\*+[\"']?+ pass: {_VALUE}",
        "openssl -passin pass:{a12}",
        "openssl -passin stdin",
        ("pass:",),
    ),
    Row(
        "htpasswd",
        rf"htpasswd \s++ -\w*b\w*+ \s++ (?:-\w++\s++)*+ {_ARGUMENT} \s++ {_ARGUMENT} \s++ {_VALUE}",
        "htpasswd -b file kim {a12}",
        "htpasswd -c file kim",
        ("htpasswd",),
    ),
    Row(
        "user of a command",
        rf"rabbitmqctl \s++ (?:add_user|change_password) \s++ {_ARGUMENT} \s++ {_VALUE}",
        "rabbitmqctl add_user kim {a12}",
        "rabbitmqctl list_users",
        ("rabbitmqctl",),
    ),
    Row(
        "setting of a command",
        rf"(?: ENV | ARG | setenv | setx | putenv | config(?:ure)? \s++ set | config (?:\s++--\w++)*+"
        rf"| secrets? [ :] set | export ) \s++ {_KEY} \s++ (?:--?b(?:ody)?\s++)?+ {_VALUE}",
        "ENV API_KEY {a20}",
        "ENV API_URL x",
        ("env ", "arg ", "setx", "config", "secret set", "secrets set", "secrets:set", "export "),
    ),
    Row(
        "SQL",
        rf"(?i:identified)\s++ (?i:with\s++\S++\s++)?+ (?i:by|as) \s++ (?i:password\s++)?+ (?={_QUOTE}) {_VALUE}",
        "CREATE USER kim IDENTIFIED BY '{a12}'",
        "IDENTIFIED BY x",
        ("identified by", " by '"),
    ),
)
FILES = (
    Row(
        "SQL, password",
        rf"(?P<key>(?i:password)) (?:\s*+[=(]\s*+|\s++) (?={_QUOTE}) {_VALUE}",
        "ALTER ROLE kim PASSWORD '{a12}'",
        "the password is unset",
        ("password",),
    ),
    Row(
        "netrc",
        rf"(?:login|user) \s++ \S++ \s++ (?:account\s++\S++\s++)?+ (?P<key>password) \s++ {_VALUE}",
        "machine host login kim password {a12}",
        "login kim",
        ("login", "user"),
    ),
    Row(
        "pgpass",
        r":(?:\d{1,5}|\*) : [^\s:]++ : [^\s:]++ : (?P<secret>[^\s\"'`\\]++)",
        "db.example.org:5432:logs:kim:{a12}",
        "12:30:45",
        (":5432:", "*:*:"),
    ),
    Row(
        "setting without a sign",
        rf"(?: requirepass | enable\s++secret(?:\s++\d)? | pre-shared-key | wpa-psk ) \s++ {_VALUE}",
        "requirepass {a12}",
        "requirepass",
        ("requirepass", "enable secret", "pre-shared-key ", "wpa-psk "),
    ),
    Row(
        "element",
        rf"<{_TAG} (?:\s[^<>]{{0,200}}+)? > \s*+ (?:<!\[CDATA\[)?+ (?P<secret>[^<>\]]++)",
        "<password>{a12}</password>",
        "<password/>",
        ("<",),
    ),
    Row(
        "element with a name",
        rf"<\w++ \s [^<>]{{0,99}}? (?:name|key|id) \s*+=\s*+ {_QUOTE} {_KEY} {_QUOTE} [^<>]{{0,200}}+ >"
        r"\s*+ (?:<value>\s*+)?+ (?P<secret>[^<>]++)",
        '<entry key="db.password">{a12}</entry>',
        '<entry key="user">kim</entry>',
        ("</",),
    ),
    Row(
        "property list",
        rf"<key>{_KEY}</key> (?:\s|\\n)*+ <(?:string|data)> (?P<secret>[^<>]++)",
        "<key>Password</key><string>{a12}</string>",
        "<key>User</key><string>kim</string>",
        ("<key>",),
    ),
)
APART = (
    Row(
        "key, then value",
        rf"{_NAME_FIELD} (?:{_QUOTE})?+ {_KEY} (?:{_QUOTE})?+ (?: \s*+[,;] | \\*n | \s )"
        rf"[^{{}}<>]{{0,120}}? {_VALUE_FIELD} {_VALUE}",
        '{"name": "DB_PASSWORD", "value": "{a12}"}',
        '{"name": "city", "value": "Rome"}',
        _VALUE_HINTS,
    ),
    Row(
        "value, then key",
        rf"{_VALUE_FIELD} {_SHORT_VALUE} (?:{_QUOTE})?+ \s*+ ,?+ [^{{}}<>]{{0,60}}?"
        rf"{_NAME_FIELD} {_QUOTE} {_KEY} {_QUOTE}",
        '{"value": "{a12}", "name": "DB_PASSWORD"}',
        '{"value": "Rome", "name": "city"}',
        _VALUE_HINTS,
    ),
    Row(
        "list of two",
        rf"[\[(]\s*+ [bu]?+ {_QUOTE} {_KEY} {_QUOTE} \s*+,\s*+ [bu]?+"
        rf"(?={_QUOTE}(?![a-z_ -]*+{_QUOTE})) {_VALUE} (?={_QUOTE}\s*+[\])])",
        '["X-Api-Key", "{a20}7"]',
        '["Accept", "text/html"]',
        ('", ', "', ", '","', "','"),
    ),
    Row(
        "setter",
        rf"(?:set|with|use)_?+ {_KEY} \(\s*+ (?={_QUOTE}) {_VALUE}",
        "client.setPassword('{a12}')",
        "client.setTimeout('9')",
        ('("', "('", '(\\"'),
    ),
)
ADDRESSES = (
    Row(
        "webhook",
        r"://[^\s/\"'<>]{0,99}hook[^\s/\"'<>]*+/ (?P<secret>(?=[^\s\"'<>?]{0,99}\d)[^\s\"'<>\\]{8,}+)",
        "https://hooks.slack.com/services/T{u8}/B{u8}/{a24}7",
        "https://hooks.example.org/docs/intro",
        ("//hook.", "webhook", "/hooks."),
    ),
    Row(
        "webhook in a path",
        r"/(?:\w{0,20}hooks?\w{0,3})/ (?P<random>[^\s\"'<>\\?#]{12,}+)",
        "https://discord.com/api/webhooks/{d18}/{a68}",
        "https://docs.example.org/hooks/pre-commit-config",
        ("hooks/", "webhook"),
    ),
    Row(
        "key in a path",
        r"/(?P<key>api[_-]?keys?|keys?|access_token|token|secret|auth)/ (?P<random>[\w.~%-]{16,}+)",
        "https://host.example/trigger/door/with/key/{a22}",
        "https://host.example/key/value",
        ("key/", "token/", "secret/", "auth/"),
    ),
)


SENTENCES = (
    Row(
        "password in a sentence",
        r"(?i: (?P<key> password | passphrase | passwd | passcode | pin | otp | verification[ ]code )"
        r"(?:\s++for\s++\S++)?+ \s++ (?:is|was|to|as) (?:\s++now)?+ ) :?+ \s++ \\*+[\"'`]?+"
        r"(?P<secret> (?=[^\s\"'`,;]{0,60}[\d@#$%^&*!]) [^\s\"'`,;]{4,}+ )",
        "the password is {a8}7",
        "the password is too short",
        (" is ", " was ", " to ", " as "),
    ),
)
PLACES = (*COMMANDS, *FILES, *APART, *ADDRESSES, *SENTENCES)
