"""Refuse answers that cannot make a working project, before any file is written: one sentence per invalid answer."""

import json
import keyword
import re
import sys

ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")
TEXT = (
    r"(?!\s|.{501})[^\0-\x1f\x7f-\x9f\u200b\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]+(?<!\s)",
    "one line of 1 to 500 visible characters, without spaces at either end",
)
ATOM = r"[A-Za-z0-9_!#$&'*+/=?^`|~-]+"
IPV6 = r"(?!([^]]*:){8})(x(:x)*)?::(x(:x)*)?|(x:){7}x".replace("x", "[0-9A-Fa-f]{1,4}")
HOST = rf"(\[({IPV6})\]|[A-Za-z0-9_.-]+)"
PORT = r":(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
PARTS = {"<host>": HOST, "<port>": PORT, "<url>": rf"https?://{HOST}({PORT})?(/[A-Za-z0-9_./~%:+-]*)?"}
LOGIN = re.compile("(?<=//).*(?=@)|^(?!.*//).*:.*(?=@)|(?<=passw).+")
"""What a refusal does not repeat: `user:password` before an @, with or without a scheme, and a password parameter."""
DAYS = "0|[1-9][0-9]{0,3}|[12][0-9]{4}|3[0-5][0-9]{3}|36[0-4][0-9]{2}|36500"
RULES = {
    "project_slug": (
        r"(?!.{41})[a-z][a-z0-9]*(_[a-z0-9]+)*",
        "1 to 40 characters from a-z, 0-9 and single _, beginning with a-z",
    ),
    "author_email": (
        rf"|{ATOM}(\.{ATOM})*@([A-Za-z0-9-]+\.)*[A-Za-z0-9-]+",
        "empty or an address such as ada@example.org",
    ),
    "log_retention_days": (DAYS, "a whole number between 0 and 36500"),
    "log_retry_attempts": ("[1-9][0-9]?|100", "a whole number between 1 and 100"),
    "log_retry_delay_ms": ("0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|60000", "a whole number between 0 and 60000"),
}


def main() -> int:
    """Print a sentence for each invalid answer, except those for unchosen destinations; return 1 if there is one."""
    names = ["project_name", "project_slug", "description", "author_name", "author_email"]
    names += ["log_retention_days", "log_retry_attempts", "log_retry_delay_ms"]
    taken = {*ANSWERS["_taken_slugs"], *sys.stdlib_module_names, *keyword.kwlist, *keyword.softkwlist}
    for name, entry in ANSWERS["_manifest"]["destinations"].items():
        RULES.update(entry.get("rules", {}))
        needs = [*entry["requirements"], *entry.get("dev_requirements", [])]
        taken.update(re.split(r"[^\w-]", need)[0].replace("-", "_") for need in needs)
        if ANSWERS[entry["role"] + "_log_destination"] in (name, "all"):
            names += [*entry["answers"], *entry.get("secrets", [])]
    problems = [problem for name in dict.fromkeys(names) if (problem := problem_of(name, taken))]
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


def problem_of(name: str, taken: set[str]) -> str:
    """Return a sentence about an invalid answer: its name, its value and what is valid; return "" for a valid one."""
    value = ANSWERS["__answered_slug" if name == "project_slug" else name]
    pattern, valid = RULES.get(name, TEXT)
    if not re.fullmatch(re.sub("<(host|port|url)>", lambda part: PARTS[part[0]], pattern), value):
        shown = "not shown here" if name.endswith("_key") else ascii(LOGIN.sub("***", value))
        return f"{name} is {shown:.90}; it must be {valid}."
    if name == "project_slug" and value in taken:
        return f"project_slug is {value!r}; it must be a name that no Python keyword, module or project folder has."
    return ""


if __name__ == "__main__":
    sys.exit(main())
