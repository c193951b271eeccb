"""The environment's readers: the right type, or one sentence."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import env

SECRET = "x" * 60


@pytest.fixture
def setting(monkeypatch):
    def put(value):
        monkeypatch.setenv("A_SETTING", value)

    monkeypatch.delenv("A_SETTING", raising=False)
    return put


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("", False)])
def test_flag_reads_words(setting, value, expected):
    setting(value)
    assert env.flag("A_SETTING", default=not expected) is expected


def test_flag_unset_is_the_default(setting):
    assert env.flag("A_SETTING", default=True) is True


def test_flag_refuses_anything_else(setting):
    setting("maybe")
    with pytest.raises(ImproperlyConfigured, match=r"^A_SETTING must be 1 or 0, not “maybe”.$"):
        env.flag("A_SETTING")


@pytest.mark.parametrize("value", ["eighty", "0", "70000", "1.5"])
def test_number_refuses_what_is_out_of_range(setting, value):
    setting(value)
    with pytest.raises(ImproperlyConfigured, match=f"A_SETTING must be a whole number from 1 to 65535, not “{value}”"):
        env.number("A_SETTING", default=8000, minimum=1, maximum=65535)


def test_number_reads_and_defaults(setting):
    assert env.number("A_SETTING", default=8000) == 8000
    setting(" 12 ")
    assert env.number("A_SETTING", default=8000) == 12


def test_text_without_default_must_be_set(setting):
    setting("  ")
    with pytest.raises(ImproperlyConfigured, match=r"^A_SETTING is missing"):
        env.text("A_SETTING")


def test_choice_refuses_what_is_not_offered(setting):
    setting("fr")
    with pytest.raises(ImproperlyConfigured, match=r"^A_SETTING must be one of it, en, not “fr”.$"):
        env.choice("A_SETTING", ["it", "en"], default="en")


def test_csv_drops_empty_parts(setting):
    setting("a.example, ,b.example,")
    assert env.csv("A_SETTING") == ["a.example", "b.example"]


def test_database_reads_every_part(setting):
    setting("postgresql://some%40one:p%2Fw@db.example:6543/clinic?sslmode=verify-full")
    assert env.database("A_SETTING") == {
        "NAME": "clinic",
        "USER": "some@one",
        "PASSWORD": "p/w",
        "HOST": "db.example",
        "PORT": "6543",
        "OPTIONS": {"sslmode": "verify-full"},
    }


def test_database_reads_a_socket_folder(setting):
    setting("postgresql://app@/clinic?host=%2Frun%2Fpg&port=5433")
    entry = env.database("A_SETTING")
    assert (entry["HOST"], entry["PORT"], entry["OPTIONS"]) == ("/run/pg", "5433", {})


@pytest.mark.parametrize("url", ["mysql://a:secret@b/c", "postgresql://a:secret@b", "postgresql://a:secret@b:port/c"])
def test_database_refuses_without_repeating_the_password(setting, url):
    setting(url)
    with pytest.raises(ImproperlyConfigured) as refused:
        env.database("A_SETTING")
    assert str(refused.value) == "A_SETTING must look like postgresql://user:password@host:5432/name."


def test_load_reads_a_file_and_leaves_the_environment_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("A_SETTING", "mine")
    monkeypatch.setenv("ANOTHER_SETTING", "")
    monkeypatch.delenv("ANOTHER_SETTING")
    file = tmp_path / ".env"
    file.write_text("# remark\n\nA_SETTING=theirs\nANOTHER_SETTING='a b'  # remark\n")
    env.load(file)
    assert (os.environ["A_SETTING"], os.environ["ANOTHER_SETTING"]) == ("mine", "a b")


def test_load_names_the_wrong_line(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# remark\nnonsense\n")
    with pytest.raises(ImproperlyConfigured, match=r"^Line 2 of .env is not of the form NAME=value.$"):
        env.load(file)


def test_secret_file_is_made_once_and_private(tmp_path):
    path = tmp_path / "var" / "secret"
    with ThreadPoolExecutor(4) as pool:
        secrets = set(pool.map(lambda _: env.secret_file(path), range(8)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["secret"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "SECRET_KEY is missing: set it in the environment."),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short: at least 50 random characters."),
        ({"SECRET_KEY": SECRET}, "ALLOWED_HOSTS is missing: name the host names that this clinic is reached by."),
        (
            {"DEMO": "1", "ALLOWED_HOSTS": "clinic.example"},
            "DEBUG and DEMO are for localhost: ALLOWED_HOSTS names others.",
        ),
        ({"DEBUG": "perhaps"}, "DEBUG must be 1 or 0, not “perhaps”."),
        (
            {"DEMO": "1", "DATABASE_URL": "postgresql://a@b/c", "DATABASE_OWNER_URL": "postgresql://a@b/d"},
            "DATABASE_URL and DATABASE_OWNER_URL must name the same database.",
        ),
        ({"DEMO": "1", "BACKUP_KEY": "short"}, "BACKUP_KEY is too short: at least 20 random characters."),
    ],
)
def test_start_with_a_wrong_value_says_one_sentence(given, sentence, tmp_path):
    # A .env file of the developer's must not lend what is missing here.
    blank = dict.fromkeys(("SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BACKUP_KEY"), "") | {
        "DEBUG": "0",
        "DEMO": "0",
    }
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path)} | blank | given
    done = subprocess.run(
        [sys.executable, "manage.py", "db", "status"],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, f"Camerino does not start: {sentence}\n")
