"""Keys, tokens and passwords; put together here, so that no scanner takes them for real ones."""

from __future__ import annotations

import base64
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


def basic(account: str) -> str:
    return "Authorization: Basic " + base64.b64encode(account.encode()).decode()


HEX = "0123456789abcdef"
EVERYBODYS = (
    # The key of the storage emulator, from its manual.
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
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
    "SendGrid key": "SG." + made(22) + "." + made(43),
    "Azure storage key": "AccountKey=" + made(86, ALPHANUMERIC + "+/") + "==",
    "Twilio key": "SK" + made(32, HEX),
    "Shopify token": "shpat_" + made(32, HEX),
    "DigitalOcean token": "dop_v1_" + made(64, HEX),
    "Telegram bot token": "481957302:AA" + made(33),
    "Discord bot token": f"MTE4{made(22)}.{made(6)}.{made(27)}",
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
    "a short password": "password: " + made(8),
    "a password with signs": "passphrase = kG!yq&aL*yY",
    "a bearer in hex": "Authorization: Bearer " + made(40, HEX),
    "a bearer of curl": f"curl -H 'authorization: bearer {made(40)}'",
    "a bearer in JSON": f'{{"Authorization": "Bearer {made(40)}"}}',
    "a bearer that is a known token": "Authorization: Bearer ghp_" + made(36),
    "a token in a header": "Authorization: Token " + made(40, HEX),
    "a name and a password in Base64": basic("deploy:tree-house-9"),
    "a password that is told": f"The admin password is {made(12, seed=3)}.",
    "a password that is told for something": f"The password for the test server is `{made(12)}`",
    "a key that is told": f"Our **API key** is now {made(16)}, use it",
    "a token that is told": f"the token was {made(32, HEX)}!",
    "a password that stands beside": f"log in as bob with password {made(12)} first",
    "a password in German": f"Das Passwort lautet {made(12)}.",
    "one that two names tell": f"The password for the token is {made(12)}",
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
        "Authorization: Bearer <token>, Authorization: Bearer {{ token }}, Bearer $ACCESS_TOKEN_1",
        "Authorization: Bearer YOUR_ACCESS_TOKEN_1234, the bearer identification-document",
        "Send `Authorization: Bearer xxxxxxxxxxxxxxxxxxxxxxxx1`",
        "Basic understanding of basic1234 networks, Basic QWxhZGRpbg==",
        basic("Aladdin:open sesame")
        + " "
        + basic("username:password")
        + " "
        + basic("demo1:demo1"),
        "SG.Example.com, SG.2024.01, MSG.header_of_the_message.body_of_the_message_which_is_long_0",
        "AccountKey=<key>",
        "AccountKey=" + EVERYBODYS,
        "TASK" + made(32, HEX) + " SK" + "x" * 32 + " SK" + made(31, HEX) + " SK" + "0" * 32,
        "shpat_" + "0" * 32 + " shpat_your_token dop_v1_" + "x" * 64 + " dop_v1_<token>",
        "10:AAA, 123456789:AA" + "x" * 33 + " 110201543:AA" + made(32) + " 12:AA" + made(33),
        "MyVeryLongNameOfAPackage.module.aVeryLongNameOfAFunctionInIt",
        "Never tell what the password is. The password is required, the token is base64encoded.",
        "The password is P@ssw0rd123! or Summer2024!, the secret is gpt-4o-mini-2024-07-18.",
        "The token is 2024-01-31T12:00:00Z; the secret is https://acme.com/a1B2c3D4e5",
        "The token is 0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984.",
        "The API key is <insert the key>, the API key is OPENAI_API_KEY_V2.",
        "The password for the account is {{ password }}; the keyboard is QWERTZ105x9Kd2m",
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
