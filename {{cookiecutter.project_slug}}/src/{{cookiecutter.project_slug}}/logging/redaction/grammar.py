"""The patterns of pairs: keys, signs between a key and its value, and values with and without quotes."""

import re

_STRING_PREFIX = r"[bBfFrRuUL@]{0,2}+"
"""What may precede the quote of a string: b"...", rb"...", L"...", @"..."."""
OPENING_QUOTE = rf"{_STRING_PREFIX}\\*+[\"'`]"
_TEXT = r"""
    (?: (?P<escaped>\\++["']) (?: [^\\]++ | (?!(?P=escaped))\\++(?s:.) )*+ (?P=escaped)?+ )+    # \"in a quoted text\"
  | (?: (?P<quote>["'`]) (?: [^\\"'`]++ | \\(?s:.) | (?!(?P=quote))["'`] )*+ (?P=quote)?+ )+    # "a b", '''c'''
"""
KEY = re.compile(
    r"""
    (?<![\w.-]) (?P<key> [\w.-]++ ) \\*+ (?: (?P<quote>["'`]) \]?+ )?+ (?: \*\* )?+
    (?: [ ] (?: str(?:ing)? | String ) \b )?+ [ \t]*+                    # var token string = "x"
    (?: !==?+                                                            # x != y
      | (?: [?|.]{1,2}+ | :{1,3}+ | \+ )?+ = [=>~]?+ | <- | \|\|         # x=y, x == y, x => y, x ?= y, x := y
      | (?P<colon> : (?!:) (?: \*\* )?+ >?+ )                            # x: y, **x:** y
      | (?<=["']) ,\  (?=b["']) )                                        # (b'x', b'y')
    (?P<space> [ \t]*+ )
    """,
    re.VERBOSE,
)
QUOTED = re.compile(rf"{_STRING_PREFIX}(?:{_TEXT})", re.VERBOSE)
OPENING = re.compile(
    rf"[\[{{](?!redacted\])|(?P<callee>[\w.]*+)\((?=\s*+{OPENING_QUOTE}(?P<argument>[^\"'`\\]{{0,99}}+))"
)
"""The start of ["x", "y"], {"x": "y"} or SecretStr("x")."""
_BRACKET = re.compile(rf"(?: (?<![\w\\]) | (?<=\b[bBfFrRuU]) ) (?:{_TEXT}) | [\[{{(] | [\]}})]", re.VERBOSE)
"""A bracket, or a text, whose brackets do not count."""

_BLOCK_START = r"[|>][-+\d]{0,2}+[ \t]*+"
BLOCK = re.compile(
    rf"{_BLOCK_START}\r?\n(?P<indent>[ \t]++).*+(?:\r?\n(?:(?P=indent).*+|(?=\r?\n)))*+"
    rf"|{_BLOCK_START}(?:\\++[rn])++[ \t]++[^\"']*+"
)
"""A block of lines in YAML, after `|` or `>-`; the second one inside a quoted text."""
_LINE_END = r"(?:\r?\n|(?:\\++r)?+\\++n)"
_LINE = r"(?:(?!\\++[rn])[^\n])*+"
_FIRST_LINE = rf"[ \t]*+{_LINE_END}(?P<indent>[ \t]*+)(?P<item>-[ \t])?+"
FIRST_LINE = re.compile(rf"{_FIRST_LINE}(?P<first>(?!\\++[rn])[^\n]{{0,99}}+)")
LINES = re.compile(rf"{_FIRST_LINE}{_LINE}(?:{_LINE_END}(?P=indent)(?(item)[ \t-]|(?=[ \t]*+\S)){_LINE})*+")
"""The indented lines below a key in YAML: a list or an object."""
INDENT = re.compile(r"(?:^|\n|\\n|[\"'])(?:[\w.]{1,99}+: )?(?P<indent>(?:[ \t]|-[ \t])*)(?:-[ ])?[\"']?$")
"""What precedes a key in its line, in YAML and in an exception's message: `ValueError: `."""

_NO_PAIR = r"(?![\w.-]++\\*+[\"']?+\s*+[:=])"
_WORD = r"(?:\[redacted\]|[^\s,;&\"'}\])]++|[\"'}\])](?=\w))++"
_DEFAULT = rf"(?:\]?+(?: \| [\w.]++)?+ = (?:[\w.]++\()?+{OPENING_QUOTE}[^\"'\n]*+[\"']?+)?+"
"""The value after an annotation, as in `token: str | None = "x"`."""
BARE = re.compile(rf"(?:&(?![\w.-]++=))?+{_WORD}(?:[,;&]{_NO_PAIR}{_WORD})*+{_DEFAULT}")
"""Unquoted words: all of `a,b`, but only `a` of `a,b=c`."""
MORE_WORDS = re.compile(rf"(?:[ \t,;&]++{_NO_PAIR}{_WORD})++")
"""The further words of a passphrase, up to the end of the line or the next pair."""
RANDOM_VALUE = re.compile(rf"(?P<before>\s*+{OPENING_QUOTE}|)(?P<random>[\w+/~%.:-]{{16,4096}}+=*+)")
"""A value that may be random."""
HEADER = re.compile(
    rf"""
    (?: \b | (?<=\\[nrt]) )
    (?P<name> (?P<key> (?:proxy-)?authorization | (?:set-)?cookie ) \\*+ ["']?+
        \s*+ (?: (?P<colon>:) | = ) [>=]?+ [^\S\n]*+ )
    (?! [\[{{](?!redacted\]) | (?: [\w.]*+ \( \s*+ )?+ {OPENING_QUOTE} | {_BLOCK_START} [\r\n\\] )  # these are pairs
    (?P<value> (?:
        [^\r\n"'\\]++                                                                           # a=b; c=d
      | (?: (?<==) | (?<==\ ) ) (?P<quote> \\{{0,3}}["'] ) (?: (?!(?P=quote)). )*+ (?P=quote)?+  # a="b"
      | ["'] (?=\w) )+ )                                                                        # a'b
    """,
    re.IGNORECASE | re.VERBOSE,
)


def end_of_brackets(text: str, position: int) -> int:
    """Return the end of the list, object or call whose bracket is at `position`; if it is missing, that of the text."""
    opening, closing = ("(", ")") if text[position] == "(" else ("[{", "]}")
    depth = 0
    for token in _BRACKET.finditer(text, position):
        depth += (token[0] in opening) - (token[0] in closing)
        if not depth:
            return token.end()
    return len(text)
