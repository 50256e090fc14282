from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncengine.config.interpolation import environment, expand
from syncengine.errors import ConfigError


@given(st.text(alphabet=st.sampled_from("${}:-aA_ 1é"), max_size=40) | st.text(max_size=40))
@settings(deadline=None, max_examples=300)
def test_an_escaped_text_comes_back_as_it_was(text: str) -> None:
    assert expand(text.replace("${", "$${"), {}) == (text, (), False, ())


@given(st.text(max_size=20), st.text(alphabet="${}A:-x", max_size=20))
@settings(deadline=None, max_examples=200)
def test_a_value_is_taken_as_it_is_and_never_looked_through_again(around: str, value: str) -> None:
    around = around.replace("$", "")
    assert expand(f"{around}${{A}}{around}", {"A": value, "x": "!"}) == (around + value + around, ("A",), False, ())


@given(st.text(alphabet="${}A:-?x ", max_size=30))
@settings(deadline=None, max_examples=300)
def test_what_is_left_after_a_clean_expansion_has_no_reference(text: str) -> None:
    expansion = expand(text, {"A": "1", "x": "2"})
    if not expansion.problems and "$${" not in text:
        assert "${" not in expansion.text


@pytest.mark.parametrize(
    ("text", "environ", "result"),
    [
        ("${A}", {"A": "1"}, "1"),
        ("${A:-2}", {"A": "1"}, "1"),
        ("${A:-2}", {}, "2"),
        ("${A:-2}", {"A": ""}, "2"),
        ("${A}", {"A": ""}, ""),
        ("${A:-}", {}, ""),
        ("${A:-a:-b}", {}, "a:-b"),
        ("x${A}y${B:-z}", {"A": "1"}, "x1yz"),
        ("$A $$ ${A}", {"A": "1"}, "$A $$ 1"),
        ("$$${A}", {"A": "1"}, "$${A}"),
        ("$${A:-${A}}", {"A": "1"}, "${A:-1}"),
    ],
)
def test_variables_are_replaced_as_in_a_shell(text: str, environ: dict[str, str], result: str) -> None:
    expansion = expand(text, environ)
    assert (expansion.text, expansion.problems) == (result, ())


@pytest.mark.parametrize("text", ["${}", "${1A}", "${A-b}", "${A:?b}", "${A", "${ A }", "${A:-${B}}"])
def test_what_looks_like_a_variable_and_is_none_is_a_problem(text: str) -> None:
    assert "is no variable" in expand(text, {"A": "1", "B": "2"}).problems[0]


def test_a_missing_variable_is_named() -> None:
    assert expand("${A}/${B}", {"A": "1"}).problems == (
        "the variable B is not set; set it (in .env, for example) or write ${B:-default}",
    )


def test_the_environment_wins_then_the_profile_s_neighbour_then_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / ".env").write_text("A=cwd\nB=cwd\nC=cwd\n")
    (tmp_path / "profiles" / ".env").write_text("A=beside\nB=beside\n")
    monkeypatch.chdir(tmp_path)
    found = environment(Path("profiles/p.yaml"), {"A": "environment"})
    assert (found["A"], found["B"], found["C"]) == ("environment", "beside", "cwd")


def test_a_dotenv_is_read_without_interpolation_and_with_its_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("\ufeffA=1\nexport B='two words' # why\nC=${A}\nD\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = environment(Path("p.yaml"), {})
    assert dict(found) == {"A": "1", "B": "two words", "C": "${A}"}


def test_the_process_s_own_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SYNCENGINE_TEST_VARIABLE", "here")
    assert environment(Path("p.yaml"))["SYNCENGINE_TEST_VARIABLE"] == "here"


def test_a_dotenv_that_cannot_be_read_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"\.env: not UTF-8"):
        environment(Path("p.yaml"), {})
