"""Keys, tokens and passwords; put together here, so that no scanner takes them for real ones."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from llmops.prompts.lint import LintConfig
from llmops.prompts.lint.secrets import find_secrets

from .conftest import Folder

ALPHANUMERIC = string.ascii_letters + string.digits


def made(length: int, alphabet: str = ALPHANUMERIC, seed: int = 7) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


TOKENS = {
    "AWS access key id": "AKIA" + made(16, string.ascii_uppercase + string.digits),
    "GitHub token": "ghp_" + made(36),
    "Anthropic key": "sk-ant-" + "api03-" + made(80),
    "OpenAI key": "sk-" + "proj-" + made(60),
    "Hugging Face token": "hf_" + made(34),
    "Slack token": "xoxb-" + made(11, string.digits) + "-" + made(24),
    "Google API key": "AIza" + made(35),
    "Stripe key": "sk_" + "live_" + made(24),
    "GitLab token": "glpat-" + made(20),
    "npm token": "npm_" + made(36),
    "PyPI token": "pypi-" + "AgEIcHlwaS5vcmc" + made(80),
    "JSON Web Token": f"eyJ{made(20)}.eyJ{made(40)}.{made(43)}",
    "password in a URL": "postgres://app:" + made(12) + "@db.acme.com/main",
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + made(64) + "\n",
}
OTHERS = {
    "an older OpenAI key": "sk-" + made(48),
    "a fine-grained GitHub token": "github_pat_" + made(22) + "_" + made(59),
    "a webhook": "https://hooks.slack.com/services/T" + "024BE7LD/B024BE7LE/" + made(24),
    "a password": 'password = "' + made(14, seed=3) + '"',
    "a password of letters": "passwd: " + made(14, string.ascii_letters),
    "a token in JSON": '{"token": "' + made(32, "0123456789abcdef") + '"}',
    "a key in YAML": "api_key: " + made(24),
    "a key with a name": "STRIPE_SECRET_KEY=" + made(24),
}


@pytest.mark.parametrize("kind", TOKENS)
def test_a_token_of_a_known_format_is_found_by_its_name(kind: str) -> None:
    text = f"Use this:\n{TOKENS[kind]}\nand answer."
    assert [(hit.kind, hit.start) for hit in find_secrets(text)] == [(kind, 10)]


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_a_secret_is_found_once(text: str) -> None:
    assert len(list(find_secrets(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "api_key = <your key here>",
        "password: {{ password }}",
        "token=$GITHUB_TOKEN",
        "export OPENAI_API_KEY=${OPENAI_API_KEY}",
        "api_key = os.environ['OPENAI_API_KEY1234']",
        "password: changeme123456",
        "token: xxxxxxxxxxxxxxxx1",
        "secret = ****************",
        "sk-" + "x" * 40,
        "sk-" + "1234567890" * 4,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "your_token_here_1234567890_abcdefghijk",
        "https://user:password@host.com and https://user:<password>@host.com",
        "Never write the password: it stays with the user.",
        "max_tokens: 4096, next_token: gpt-4o-mini-2024-07-18",
        "The secret: 2024-01-01-release-notes",
        "token: application/json; charset=utf-8",
        "Look for `-----BEGIN RSA PRIVATE KEY-----` and for `AKIA`, `ghp_`, `sk-`.",
        "a task-oriented-dialogue-about-risk-management-0123456789",
        "token: aCamelCaseNameOfSomething",
        "key: value, primary key: customer_order_2024_identifier",
    ],
)
def test_a_placeholder_and_ordinary_words_are_no_secret(text: str) -> None:
    assert list(find_secrets(text)) == []


@pytest.mark.parametrize("kind", TOKENS)
def test_no_finding_quotes_more_than_the_first_characters(folder: Folder, kind: str) -> None:
    secret = TOKENS[kind]
    folder.prompt(f"user:\nHi {secret}\n")
    (found,) = folder.lint()
    assert found.rule == "secret"
    if kind in found.message and "`" not in found.message:
        assert found.message == f"{kind} in the text"
    else:
        shown = found.message.split("`")[1].removesuffix("…")
        assert secret.startswith(shown)
        assert len(shown) == 4


def test_secrets_are_found_in_every_file_of_a_prompt(folder: Folder) -> None:
    token = TOKENS["GitHub token"]
    folder.write("shared/tone.jinja", f"Be kind.\n{{# {token} #}}\n")
    folder.write("rows.jsonl", f'{{"q": "one"}}\n{{"q": "two\\n{token}"}}\n')
    folder.prompt(
        f'system:\n{{% include "shared/tone" %}}\n{token}\n{{{{ examples[0].q }}}}\n',
        head=f"description: Uses {token}.\nexamples: rows.jsonl\n",
    )
    assert folder.told() == [
        ("secret", "p.prompty", 3),
        ("secret", "p.prompty", 8),
        ("secret", "rows.jsonl", 2),
        ("secret", "shared/tone.jinja", 2),
    ]


def test_a_broken_file_is_searched_for_secrets_too(folder: Folder) -> None:
    folder.write("p.prompty", f"---\nno: front matter\n---\n{TOKENS['npm token']}\n")
    assert [rule for rule, _, _ in folder.told()] == ["broken", "secret"]


def test_a_text_that_is_allowed_is_no_finding(folder: Folder) -> None:
    folder.prompt(f"user:\n{TOKENS['npm token']} jane@acme.com joe@acme.com\n")
    config = LintConfig(allow=[TOKENS["npm token"], "jane@acme.com"])
    assert [one.rule for one in folder.lint(config=config)] == ["personal-data"]


def test_real_prompts_hold_no_secret() -> None:
    prompts = [path for path in Path("tests/data/prompts").rglob("*") if path.is_file()]
    assert len(prompts) > 100
    assert [path for path in prompts if any(find_secrets(path.read_text()))] == []
