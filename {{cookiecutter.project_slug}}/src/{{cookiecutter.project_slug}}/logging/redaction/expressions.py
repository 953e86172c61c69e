"""Recognise expressions, types and names of variables, which programs have after a key: `token = self.get_token(`."""

import re

_QUOTE = r"[bBfFrRuUL@]{0,2}+\\*+[\"'`]"
_ATTRIBUTE = re.compile(
    r"""
    (?: args | cfg | client | cls | conf | config | context | ctx | data | env | event | kwargs | options | opts | os
      | params | payload | process | req | request | res | resp | response | self | session | settings | super | sys
      | this | user ) \. [A-Za-z_.]++ (?![\w@$!#%^&*])
  | [A-Za-z_][\w.]*+ \[ \\*+ (?P<quote>["']) [\w ]++ \\*+ (?P=quote) \]     # data["x"]
    """,
    re.VERBOSE,
)
_EXPRESSION = re.compile(
    r"""
    (?: async | await | function | yield | not | lambda | new | if | typeof | void ) [ (]
  | [A-Za-z_][\w.]*+ \( [^()"'\n]*+ \)                                       # get(x)
  | [A-Za-z_][\w.]*+ \[ [^\[\]\n]{0,60}+ \]                                  # items[0]
  | [A-Za-z_](?:[^\W_]|\.)*+_[\w.]*+ \( (?! \s*+ \\*+ ["'] )                # get_token(
  | [A-Za-z_][\w.]*+ \( \s*+ (?: \n | \Z )                                   # a call over several lines
  | [A-Za-z_][\w.]*+ [ ]++ (?: or | and | if | is | in | \|\| | && | \?\?? | [+] ) [ ]
  | [A-Za-z_][\w.]*+ [ ]=[ ] (?! [bBfFrRuU"'`\\] )                           # a = b = 1
    """,
    re.VERBOSE,
)
_TYPE = re.compile(
    r"""
    (?: (?: [a-z]++ \. )*+
        (?: Any | Callable | Dict | Final | Iterable | List | Literal | Mapping | None | Optional | Sequence | Tuple
          | Type | Union | SecretStr | SecretBytes | bool | boolean | Boolean | bytearray | bytes | dict | float | int
          | list | number | object | set | str | string | String | tuple | type | unknown | any | void )
        (?= [\[\],)|?;=}"] | \s | \Z | \.\s )
      | (?: [a-z_]\w*+ \. )*+ _?+ [A-Z][a-z]++ (?: [A-Z]++ [a-z]*+ )*+
        (?= [ ]?+ (?: \|[ ] | =[ ] | \) | \[ | ,[ ]?+ (?: \* | \w++ \s*+ [:=] | \n | \Z ) ) )
    )
    """,
    re.VERBOSE,
)
_DEFAULT = re.compile(rf"[^=\n\"',;]{{0,99}}+=\s*+(?:[\w.]++\()?+{_QUOTE}")
"""The text up to the default value after a type."""
_NAME = re.compile(r"[A-Za-z_]++(?:\.[A-Za-z_]++)*+(?![\w.-])")
_READER_NAMES = """
_ argument compile contextvar cookie depends environ field find form format get getattr getenv getpass gettext header
input isinstance join literal load loads match namedtuple newtype open option param path pop prompt property query
read replace require split startswith strip symbol typevar
"""
_READERS = frozenset(_READER_NAMES.split())
"""Functions whose argument is a name or a prompt rather than a secret."""


def is_expression(text: str, start: int) -> bool:
    """Return whether a text has the attribute of an object, a call or another expression at `start`."""
    return _ATTRIBUTE.match(text, start) is not None or _EXPRESSION.match(text, start) is not None


def is_type(text: str, start: int) -> bool:
    """Return whether a text has a type without a default value at `start`, or an attribute: `str | None`."""
    if _ATTRIBUTE.match(text, start) is not None:
        return True
    found = _TYPE.match(text, start)
    return found is not None and _DEFAULT.match(text, found.end()) is None


def name_at(text: str, start: int) -> str | None:
    """Return the name of a variable or an attribute at `start`."""
    name = _NAME.match(text, start)
    return None if name is None else name[0]


def takes_a_name(callee: str, argument: str) -> bool:
    """Return whether the argument of a call is a name or a prompt: `getenv("TOKEN")`, `state.push("open", 1)`."""
    owner, _, name = callee.rpartition(".")
    is_method = bool(owner) and name.islower() and argument.replace("_", "").isalpha()
    return is_method or name.lower() in _READERS
