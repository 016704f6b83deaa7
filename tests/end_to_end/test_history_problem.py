"""A history that is not kept is seen where the program's state is asked for."""

from pathlib import Path

from support.waiting import until

from vivavoce import Pipeline


async def test_a_history_that_cannot_be_kept_is_the_problem_of_the_desktop(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").mkdir()
    pipeline = Pipeline(
        overrides=[
            "history.enabled=true",
            f"history.path={tmp_path}/history.sqlite3",
            f"capture.source={tmp_path}/none.wav",
        ]
    )
    desktop = pipeline.desktop
    await desktop.open()
    try:
        await until(lambda: desktop.problem, "it is not told")
        assert desktop.problem.startswith("what is said is not kept: ")
        assert "history.sqlite3 is no file" in desktop.problem
    finally:
        await desktop.close()
