"""Whatever is answered: it is shown as it was given, or refused by one sentence, and then nothing is left."""

from __future__ import annotations

import ast
import io
import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from cookiecutter.exceptions import FailedHookException
from dotenv import dotenv_values
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scripts.project import bake, everything_on, questions
from tests.generation.rendering import PROJECT, context_of, judge, render, takes
from tests.generation.test_answers import assert_shown, literal
from tests.generation.test_destination_answers import ACCEPTED, Case, judged_by_the_project, owners

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Baked, Environment

TYPED = {name: default for name, default in questions().items() if name[0] != "_" and isinstance(default, str)}
"""The questions that take any text, with what they offer."""
SHOWN = ("project_name", "description", "author_name")
NUMBERS = ("log_retention_days", "log_retry_attempts", "log_retry_delay_ms")
WORKING = {
    **ACCEPTED,
    "project_slug": ["kept", "x", "a_1b"],
    "author_email": ["o'hara+x@example.org", "a$#`='|@b"],
    **{name: ["1", "7", "100"] for name in NUMBERS},
}
"""Answers that are taken, into which something is put."""
PUNCTUATION = "\"'\\{}%#$`:@=,?&[]()<>|;*~/.-_+!^"
TOKENS = ["{{", "}}", "{%", "%}", "{#", "#}", '"""', "'''", "\\u0041", "\\N", "${HOME}", "$(id)", "://", " #"]
HOSTILE = st.sampled_from(TOKENS) | st.text(st.sampled_from(PUNCTUATION + "\n\t\0 ") | st.characters(), max_size=60)
LEGIBLE = st.sampled_from(PUNCTUATION + " 09azAZ") | st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
ANY_LINE = st.lists(st.sampled_from(TOKENS) | st.text(LEGIBLE, max_size=40), max_size=8).map("".join)


@st.composite
def put_into(draw: st.DrawFn, answers: list[str], odd: st.SearchStrategy[str]) -> tuple[str, str]:
    """Draw an answer that works, and the same with something put into it."""
    good = draw(st.sampled_from(answers))
    place = draw(st.integers(0, len(good)))
    return good, good[:place] + draw(odd) + good[place:]


def taken(name: str) -> st.SearchStrategy[str]:
    """Draw an answer that the hook takes, an odd one if it can be."""
    odd = st.sampled_from(TOKENS) | st.text(PUNCTUATION + "09azAZ", max_size=3)
    pairs = put_into(WORKING[name], odd) if name in WORKING else ANY_LINE.map(lambda line: ("x", line.strip()))
    return pairs.map(lambda pair: next(answer for answer in reversed(pair) if takes(name, answer)))


def hostile(name: str) -> st.SearchStrategy[str]:
    """Draw an answer that nobody would give."""
    return HOSTILE | put_into(WORKING.get(name, [TYPED[name]]), HOSTILE).map(lambda pair: pair[1])


TAKEN = st.fixed_dictionaries({name: taken(name) for name in TYPED})
ANY = st.fixed_dictionaries({}, optional={name: hostile(name) for name in TYPED})


def answers_from(given_answers: Mapping[str, str]) -> dict[str, str]:
    """Return what the command line says where everything is chosen, in a package whose name is known."""
    return {**everything_on(), "project_slug": "kept", **{name: literal(text) for name, text in given_answers.items()}}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(TAKEN)
def test_any_answers_that_are_taken_are_shown(answers: dict[str, str]) -> None:
    """Each file that holds them says what was given, whatever is beside it."""
    context = context_of(answers_from(answers))
    assert judge(context) == []
    project = tomllib.loads(render(f"{PROJECT}/pyproject.toml", context))["project"]
    assert project["name"] == answers["project_slug"].replace("_", "-")
    assert project["description"] == answers["description"]
    author = {"name": answers["author_name"], "email": answers["author_email"]}
    assert project["authors"] == [{name: text for name, text in author.items() if text}]
    assert_defaults(render(f"{PROJECT}/src/{PROJECT}/choices.py", context), answers)
    assert_environment(render(f"{PROJECT}/.env.example", context), answers)
    assert f"# {answers['project_name']}\n" in render(f"{PROJECT}/README.md", context)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(ANY)
def test_any_answer_that_is_not_taken_is_one_sentence(answers: dict[str, str]) -> None:
    """However many there are, and whatever they hold."""
    said = judge(context_of(answers_from(answers)))
    refused = [line.partition(" is ")[0] for line in said]
    assert sorted(refused) == sorted(name for name, text in answers.items() if not takes(name, text))
    for line in said:
        assert re.fullmatch(r"\w+ is [ -~]+; it must be [ -~]+\.", line)
        assert len(line) < 250


def test_the_project_takes_what_the_template_takes(baked: Baked, installed: Environment, tmp_path: Path) -> None:
    """Whatever is put into an answer that works: what generation lets pass does not stop the server."""
    cases: dict[Case, None] = {}

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(st.fixed_dictionaries({name: taken(name) for name in owners()}))
    def collect(answers: dict[str, str]) -> None:
        cases.update({(owners()[name][0], name, text): None for name, text in answers.items()})

    collect()
    verdicts = judged_by_the_project(installed(baked(everything_on())), [*cases], tmp_path)
    assert [case for case, is_taken in verdicts.items() if not is_taken] == []


def assert_defaults(module: str, answers: Mapping[str, str]) -> None:
    """Fail unless the module binds what was answered; a password is none of it."""
    assigned = [node for node in ast.parse(module).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [node.target if isinstance(node, ast.AnnAssign) else node.targets[0] for node in assigned]
    bound = {ast.unparse(target): node.value or node for target, node in zip(targets, assigned, strict=True)}
    assert ast.literal_eval(bound["TITLE"]) == answers["project_name"]
    assert ast.literal_eval(bound["DESCRIPTION"]) == answers["description"]
    defaults = ast.literal_eval(bound["DEFAULTS"])
    assert {name: str(defaults[name]) for name in NUMBERS} == {name: answers[name] for name in NUMBERS}
    kept = {name: text for name, text in answers.items() if name in owners() and name != "convex_api_key"}
    assert {name: defaults[name] for name in kept} == {name: without_password(text) for name, text in kept.items()}


def assert_environment(file: str, answers: Mapping[str, str]) -> None:
    """Fail unless the file says, as python-dotenv reads it, what was answered; a password is none of it."""
    values = dotenv_values(stream=io.StringIO(file))
    kept = {name.upper(): text for name, text in answers.items() if name in owners() and name != "convex_api_key"}
    assert {name: values[name] for name in kept} == {name: without_password(text) for name, text in kept.items()}


def without_password(url: str) -> str:
    """Return a URL with a user's name only."""
    return re.sub(r"^(\w+://[^/?#@:]*):[^/?#@]*@", r"\1@", url)


@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
@given(TAKEN, ANY)
def test_any_answers_make_a_project_or_leave_nothing(answers: dict[str, str], others: dict[str, str]) -> None:
    """What the hook alone does to answers is what happens when cookiecutter is run."""
    with TemporaryDirectory() as folder:
        assert_shown(bake(Path(folder), answers_from(answers)), answers)
    if not judge(context_of(answers_from(others))):
        return
    with TemporaryDirectory() as folder:
        with pytest.raises(FailedHookException):
            bake(Path(folder, "baked"), answers_from(others))
        assert [*Path(folder).rglob("*")] == [Path(folder, "baked")]
