"""What cookiecutter makes of answers, in this process: in a hundredth of the time that a whole project takes."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from functools import cache
from typing import TYPE_CHECKING, Any

from cookiecutter.environment import StrictEnvironment
from cookiecutter.prompt import prompt_for_config

from scripts.project import ROOT, everything_on, questions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

PROJECT = "{{cookiecutter.project_slug}}"


@cache
def _template(path: str) -> Template:
    environment = StrictEnvironment(context={}, keep_trailing_newline=True)
    template: Template = environment.from_string((ROOT / path).read_text(encoding="utf-8"))
    return template


def context_of(answers: Mapping[str, str]) -> dict[str, Any]:
    """Return what cookiecutter knows when it has all answers, which it renders."""
    asked = questions()
    chosen = {name: [answers[name]] for name in answers if isinstance(asked[name], list)}
    return dict(prompt_for_config({"cookiecutter": {**asked, **answers, **chosen}}, no_input=True))


def render(path: str, context: Mapping[str, Any]) -> str:
    """Return the text of one of the template's files."""
    return _template(path).render(cookiecutter=context)


def judge(context: Mapping[str, Any]) -> list[str]:
    """Return what the first hook says about the answers: nothing where it takes them."""
    hook = _hook(render("hooks/pre_gen_project.py", context))
    with redirect_stderr(io.StringIO()) as said:
        code = hook["main"]()
    sentences = said.getvalue().splitlines()
    assert code == (1 if sentences else 0)
    return sentences


def takes(name: str, answer: str) -> bool:
    """Tell whether the first hook takes an answer, whatever the others are."""
    hook = _usual_hook()
    hook["ANSWERS"]["__answered_slug" if name == "project_slug" else name] = answer
    return not hook["problem_of"](name, set())


@cache
def _usual_hook() -> dict[str, Any]:
    hook = _hook(render("hooks/pre_gen_project.py", context_of(everything_on())))
    hook["main"]()  # which collects the rules
    return hook


def _hook(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "hook"}
    exec(source, namespace)
    return namespace
