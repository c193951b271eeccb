"""Where the web server listens: never on other interfaces unless it is a clinic's."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from django.conf import settings

REPORT = """
import json, runpy
read = runpy.run_path("config/gunicorn.py")
import os
print(json.dumps([read["bind"], read["workers"], os.environ["DATABASE_KEPT"]]))
"""
REAL = {"SECRET_KEY": "x" * 60, "ALLOWED_HOSTS": "clinic.example"}


@pytest.fixture
def serve(tmp_path):
    """What gunicorn reads from a project with this .env file and this environment."""
    # A .env file of the developer's stays out of it.
    for name in ("config", "clinic"):
        shutil.copytree(
            settings.BASE_DIR / name, tmp_path / name, ignore=lambda folder, names: {"__pycache__", "static"} & {*names}
        )

    def read(file=None, **environment):
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in (file or {}).items()))
        done = subprocess.run(
            [sys.executable, "-c", REPORT],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr.splitlines()[-1]

    return read


def test_clinic_listens_where_it_is_told(serve):
    assert serve(**REAL) == ["127.0.0.1:8000", 2, "1"]
    assert serve(**REAL, BIND="0.0.0.0", PORT="80", WEB_WORKERS="5") == ["0.0.0.0:80", 5, "1"]  # noqa: S104


def test_env_file_counts(serve):
    file = {**REAL, "BIND": "10.0.0.7", "PORT": "8123", "WEB_WORKERS": "3", "WEB_THREADS": "6"}
    assert serve(file) == ["10.0.0.7:8123", 3, "1"]
    assert serve(file, PORT="8124") == ["10.0.0.7:8124", 3, "1"]


@pytest.mark.parametrize("loose", ["DEBUG", "DEMO"])
def test_demo_and_debug_never_leave_this_machine(serve, loose):
    public = {"BIND": "0.0.0.0"}  # noqa: S104  # what must not happen
    for file, environment in (({}, {loose: "1", **public}), ({loose: "1"}, public), ({loose: "1", **public}, {})):
        assert serve(file, **environment)[0] == "127.0.0.1:8000"


@pytest.mark.parametrize("where", ["file", "environment"])
def test_testing_is_not_served(serve, where):
    given = {"file": {"TESTING": "1"}} if where == "file" else {"TESTING": "1"}
    refusal = "TESTING is for tests: the web server does not start with it."
    assert serve(**given).endswith(refusal)
