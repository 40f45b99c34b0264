"""Every example of README and docs is run: Python, `$ market-sim` commands, scenario files.

The blocks of one page share a folder and, for Python, their names, from top to bottom, as a reader
meets them. Where a command's block shows output, the command must print it; `...` stands for
anything, also for several lines.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
START = "from market_sim._command import main; main()"


def matches(expected: str, printed: str) -> bool:
    """Compare two texts up to white space; `...` in the expected one stands for any text."""
    parts = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("...")]
    pattern = r"[\s\S]*?".join(r"\s*" + part + r"\s*" for part in parts)
    return re.fullmatch(pattern, printed) is not None


def commands(block: str) -> list[tuple[str, str]]:
    """Split a console block into the commands (without `$`) and the output shown below each."""
    found: list[tuple[str, str]] = []
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif found:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found


def run(command: str) -> subprocess.CompletedProcess[str]:
    """Run `market-sim ...` in the current folder with the packages of this checkout."""
    return subprocess.run(
        [sys.executable, "-c", START, *shlex.split(command)[1:]],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def evaluate_console(example: Example) -> str | None:
    """Run the commands of a block; return what went wrong, None if nothing did."""
    for command, expected in commands(example.parsed):
        if not command.startswith("market-sim "):
            continue  # another program's: git, pip, make
        done = run(command)
        if done.returncode != 0:
            return f"{command!r} ended with code {done.returncode}:\n{done.stdout}{done.stderr}"
        if expected.strip() and not matches(expected, done.stdout):
            return f"{command!r} was to print\n{expected}\nand printed\n{done.stdout}"
    return None


def evaluate_toml(example: Example) -> str | None:
    """Check a scenario, whole or in part; save it if its first line is `# NAME.toml`."""
    from scenarios import Scenario, load_scenario

    document = tomllib.loads(example.parsed)
    unknown = set(document) - set(Scenario.model_fields)
    if unknown:
        return f"no keys of a scenario: {sorted(unknown)}"
    named = re.match(r"# (\S+\.toml)\n", example.parsed)
    file = Path(named[1] if named else "unnamed.toml")
    file.write_text(example.parsed)
    if "experiment" in document:
        load_scenario(file)
    return None


PARSERS = [
    PythonCodeBlockParser(),
    CodeBlockParser("console", evaluate_console),
    CodeBlockParser("toml", evaluate_toml),
]


def document(page: Path) -> Document:
    return Document.parse(str(page), *PARSERS)


def examples(page: Path) -> list[Example]:
    return list(document(page).examples())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page(page: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for example in examples(page):
        example.evaluate()


def test_the_pages_hold_examples() -> None:
    assert len([example for page in PAGES for example in examples(page)]) >= 20


def test_no_example_hides_under_another_name() -> None:
    """A fence such as ```py or ```bash with a command in it would be run by nobody."""
    allowed = {"python", "console", "toml", "text", "bibtex", "json"}
    for page in PAGES:
        for language in re.findall(
            r"^[ \t]*```+[ \t]*(\S+)", page.read_text(encoding="utf-8"), re.M
        ):
            assert language in allowed, f"{page}: ```{language}"


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a b", "a  b\n", True),
        ("a b", "a c", False),
        ("a ... c", "a x\ny c", True),
        ("a ...", "a", True),
        ("... z", "a b y", False),
        ("1.5", "125", False),
    ],
)
def test_comparison(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 + 1 == 3\n```\n",
        "```console\n$ market-sim no-such-command\n```\n",
        "```console\n$ market-sim list\nnothing of the kind\n```\n",
        "```toml\nno_such_key = 1\n```\n",
    ],
)
def test_a_wrong_example_is_noticed(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    (example,) = examples(page)
    with pytest.raises(AssertionError):
        example.evaluate()
