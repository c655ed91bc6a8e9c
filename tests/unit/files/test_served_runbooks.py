"""The runbooks that the agent serves: a team's own, else those that come with figwatch."""

from pathlib import Path

from figwatch_agent.files.runbooks import MOST_CHARACTERS, read_runbooks
from figwatch_agent.model.names import AlertName


def test_without_a_folder_of_ones_own_every_alert_has_the_page_that_comes_with_figwatch(tmp_path: Path) -> None:
    found = read_runbooks(str(tmp_path / "figwatch.yaml"))
    assert list(found) == [name.value for name in AlertName]
    assert all(text.startswith("# ") for text in found.values())


def test_a_page_beside_figwatch_yaml_takes_the_place_of_that_page_alone(tmp_path: Path) -> None:
    packaged = read_runbooks(str(tmp_path / "figwatch.yaml"))
    tmp_path.joinpath("runbooks").mkdir()
    tmp_path.joinpath("runbooks", "EarlyOutage.md").write_text("call the team of the edge\n", "utf-8")
    tmp_path.joinpath("runbooks", "secret.md").write_text("not an alert\n", "utf-8")
    assert read_runbooks(str(tmp_path / "figwatch.yaml")) == {**packaged, "EarlyOutage": "call the team of the edge\n"}


def test_a_page_is_never_endless_and_may_hold_bytes_that_are_no_text(tmp_path: Path) -> None:
    tmp_path.joinpath("runbooks").mkdir()
    tmp_path.joinpath("runbooks", "EarlyOutage.md").write_bytes(b"\xff" + b"x" * (2 * MOST_CHARACTERS))
    assert len(read_runbooks(str(tmp_path / "figwatch.yaml"))["EarlyOutage"]) == MOST_CHARACTERS
