"""The right credentials deliver; wrong ones are one clear sentence without a secret, and the server runs on."""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.backends.processes import wait_until
from tests.support.auth_proxy import proxied
from tests.support.processes import LineServer

from .logins import (
    API_KEY,
    WAYS,
    Login,
    Request,
    Way,
    base64_of,
    convex,
    elasticsearch_api_key,
    elasticsearch_basic,
    elasticsearch_tls,
    kafka,
    kafka_certificate,
    kafka_scram_512,
    postgres,
)
from .targets import ElasticsearchTarget, unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.project import Project

WRONG = "wr0ng-secret"
PATIENCE = 30.0


def wrong_ca(setting: str) -> Callable[[Login, Request], None]:
    """Return what makes a login trust a CA that signed nothing."""

    def spoil(login: Login, request: Request) -> None:
        login.settings[setting] = str(request.getfixturevalue("certificates").wrong_ca_file)

    return spoil


def wrong(setting: str) -> Callable[[Login, Request], None]:
    """Return what replaces the secret in a setting."""

    def spoil(login: Login, _: Request) -> None:
        old = login.secrets[0]
        assert old in login.settings[setting]
        login.settings[setting] = login.settings[setting].replace(old, WRONG)
        login.secrets += [WRONG, base64_of(WRONG)]

    return spoil


def none(setting: str) -> Callable[[Login, Request], None]:
    """Return what leaves a setting away."""

    def spoil(login: Login, _: Request) -> None:
        del login.settings[setting]

    return spoil


AT = r"at (http://)?127\.0\.0\.1:\d+"
NOT_TRUSTED = r"that is not trusted \([\w ]+\)"
NOT_ACCEPTED = (
    r"Elasticsearch rejects our credentials \(401\): check ELASTICSEARCH_API_KEY, or "
    r"ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
)


class Mistake(NamedTuple):
    """A way in, what is wrong with it, and the sentence that tells."""

    way: Way
    spoil: Callable[[Login, Request], None]
    sentence: str


MISTAKES = {
    "kafka-password": Mistake(
        kafka,
        wrong("KAFKA_SASL_PASSWORD"),
        rf"Kafka {AT} rejects user 'tester' \(PLAIN\): check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    ),
    "kafka-scram-password": Mistake(
        kafka_scram_512,
        wrong("KAFKA_SASL_PASSWORD"),
        rf"Kafka {AT} rejects user 'tester' \(SCRAM-SHA-512\): check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    ),
    "kafka-certificate": Mistake(
        kafka_certificate, none("KAFKA_SSL_CERTFILE"), rf"Kafka {AT} .*requires a client certificate"
    ),
    "kafka-ca": Mistake(
        kafka,
        wrong_ca("KAFKA_SSL_CAFILE"),
        rf"Kafka {AT} presents an untrusted certificate \([\w ]+\): KAFKA_SSL_CAFILE must name the CA that signed "
        "it, and KAFKA_BOOTSTRAP_SERVERS a host it was issued for",
    ),
    "postgres-password": Mistake(
        postgres,
        wrong("POSTGRES_DSN"),
        rf'PostgreSQL {AT} rejects the login of POSTGRES_DSN: password authentication failed for user "tester"',
    ),
    "postgres-ca": Mistake(
        postgres,
        wrong_ca("POSTGRES_SSL_ROOT_CERT"),
        rf"PostgreSQL {AT} has an untrusted certificate, check POSTGRES_SSL_ROOT_CERT: [\w ]+",
    ),
    "elasticsearch-ca": Mistake(
        elasticsearch_tls,
        wrong_ca("ELASTICSEARCH_CA_CERTS"),
        r"Elasticsearch's certificate is not trusted \([\w ]+\): check ELASTICSEARCH_CA_CERTS",
    ),
    "elasticsearch-api-key": Mistake(elasticsearch_api_key, wrong("ELASTICSEARCH_API_KEY"), NOT_ACCEPTED),
    "elasticsearch-basic": Mistake(elasticsearch_basic, wrong("ELASTICSEARCH_PASSWORD"), NOT_ACCEPTED),
    "convex-key": Mistake(
        convex,
        wrong("CONVEX_API_KEY"),
        rf"Convex {AT} answered 401: The key is not this deployment's LOG_INGEST_KEY "
        r"\(CONVEX_API_KEY must be the deployment's LOG_INGEST_KEY\)",
    ),
}


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What is closed at the end."""
    with ExitStack() as closing:
        yield closing


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__.replace("_", "-"))
def right(request: Request, stack: ExitStack) -> Login:
    """Each way in with the right credentials."""
    login: Login = request.param(request, stack)
    return login


@pytest.fixture(params=list(MISTAKES))
def mistaken(request: Request, stack: ExitStack) -> tuple[Login, str]:
    """Each wrong credential, with the sentence that tells."""
    mistake = MISTAKES[request.param]
    login = mistake.way(request, stack)
    mistake.spoil(login, request)
    return login, mistake.sentence


def test_doctor_is_content_with_the_right_credentials(project: Project, right: Login, tmp_path: Path) -> None:
    """One line says that the probe arrived, exit code 0, and nothing else is said."""
    done = project.run(tmp_path, "doctor", **right.settings)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"ok    {right.target.name}: a test entry was written" in done.stdout
    assert done.stderr == ""
    assert len(right.target.find("probe of", "message")) == 1


def test_tool_calls_arrive_with_the_right_credentials(project: Project, right: Login, tmp_path: Path) -> None:
    """What a running server records is there, and the credentials stay out of what it says."""
    text = unique()

    with LineServer(project, tmp_path, **right.settings) as server:
        assert server.call("echo", text=text) == text
        arrived = right.target.wait_for(text, "output_summary", "tool_name", "status")

    assert arrived == [(text, "echo", "success")]
    assert all(secret not in server.stderr_text() for secret in right.secrets)


def test_doctor_names_the_mistake(project: Project, mistaken: tuple[Login, str], tmp_path: Path) -> None:
    """One sentence, exit code 1, no secret, no traceback, no line of a driver beside it."""
    login, sentence = mistaken

    done = project.run(tmp_path, "doctor", **login.settings)

    failures = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(failures) == 1, done.stdout
    assert re.fullmatch(rf"FAIL  {login.target.name}: {sentence}", failures[0]), failures
    assert done.stderr == ""
    assert all(secret not in done.stdout for secret in login.secrets)


def test_a_server_names_the_mistake_and_runs_on(project: Project, mistaken: tuple[Login, str], tmp_path: Path) -> None:
    """The same sentence comes once on stderr; tools answer before and after, and are recorded on this machine."""
    login, sentence = mistaken
    text = unique()

    with LineServer(project, tmp_path, **{**login.settings, "ENABLE_LOCAL_LOGGING": "true"}) as server:
        assert server.call("echo", text=text) == text
        said = re.compile(rf" {login.target.name}: {sentence} \(")
        assert wait_until(lambda: said.search(server.stderr_text()) is not None, PATIENCE), server.stderr_text()
        assert server.call("echo", text=f"{text} again") == f"{text} again"
        assert server.end() == 0

    assert len(said.findall(server.stderr_text())) == 1, server.stderr_text()
    assert "Traceback" not in server.stderr_text()
    assert all(secret not in server.stderr_text() for secret in login.secrets)
    assert login.target.find(text, "output_summary") == []


def test_elasticsearch_is_sent_what_it_documents(project: Project, request: Request, tmp_path: Path) -> None:
    """An API key goes as `ApiKey <base64 of id:key>`, also where it is given in that form; no other header goes."""
    cluster, key = request.getfixturevalue("elasticsearch_9"), base64_of(API_KEY)

    for given in (API_KEY, key):
        with proxied(cluster.url) as proxy:
            target = ElasticsearchTarget(cluster)
            settings = {"ELASTICSEARCH_HOSTS": proxy.url, "ELASTICSEARCH_API_KEY": given}
            done = project.run(tmp_path, "doctor", **{**target.alone, **settings})

        assert done.returncode == 0, done.stdout
        assert proxy.seen == {f"ApiKey {key}"}
