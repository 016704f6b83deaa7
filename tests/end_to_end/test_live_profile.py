"""A profile that changes while it is in force: real files, real inotify, edits as editors do."""

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S, advance, moment, until

from vivavoce.config import Profile, load_profile
from vivavoce.config.schema import LogSettings
from vivavoce.live_profile import LiveProfile
from vivavoce.pipeline.log import LogSink, use_sink


class Following:
    """A profile that is followed, and what came of it."""

    def __init__(self, profile: str | Path, environ: dict[str, str], *overrides: str) -> None:
        loaded = load_profile(profile, environ=environ, overrides=overrides)
        self.live = LiveProfile(profile, loaded, environ=environ, overrides=overrides)
        self.applied: asyncio.Queue[Profile] = asyncio.Queue()
        self.log = io.StringIO()
        self.reads = 0
        read = self.live.read

        def counting(*, asked: bool = False) -> Profile | None:
            found = read(asked=asked)
            self.reads += 1
            return found

        self.live.read = counting  # type: ignore[method-assign]

    async def next(self) -> Profile:
        async with asyncio.timeout(PATIENCE_S):
            return await self.applied.get()

    async def until_told(self, words: str) -> str:
        await until(lambda: words in self.log.getvalue(), self.log.getvalue)
        return next(line for line in self.log.getvalue().splitlines() if words in line)


@contextlib.asynccontextmanager
async def followed(
    profile: str | Path, *overrides: str, environ: dict[str, str] | None = None
) -> AsyncIterator[Following]:
    following = Following(profile, environ or {"XDG_CONFIG_HOME": "/nonexistent"}, *overrides)
    use_sink(LogSink(lambda: LogSettings(level="info"), following.log))
    task = asyncio.create_task(following.live.follow(following.applied.put))
    await until(lambda: following.reads, "it was not read")
    try:
        yield following
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


async def test_an_edit_is_taken_over_and_told(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {threshold: 0.6}\n")
    async with followed(path, "vad.pause_ms=100") as following:
        written(path, "vad: {threshold: 0.7}\ntranscription: {partial_interval_ms: 400}\n")
        fresh = await following.next()
        assert (fresh.vad.threshold, fresh.vad.pause_ms) == (0.7, 100)
        assert following.live.profile is fresh
        line = await following.until_told("has changed")
        assert line.endswith(
            "the profile has changed: vad.threshold: 0.6 → 0.7, "
            "transcription.partial_interval_ms: 250 → 400"
        )
        assert following.reads == 2


async def test_a_file_that_is_replaced_is_followed_again_and_again(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with followed(path) as following:
        written(elsewhere / "new", "vad: {pause_ms: 105}\n").rename(path)
        assert (await following.next()).vad.pause_ms == 105
        for pause in (110, 120, 130):
            path.rename(tmp_path / "mine.yaml~")  # as vim does: the old one away, a new one there
            written(tmp_path / ".new", f"vad: {{pause_ms: {pause}}}\n").rename(path)
            assert (await following.next()).vad.pause_ms == pause


async def test_the_profiles_that_it_extends_are_followed_too(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    parent = written(other / "parent.yaml", "vad: {pause_ms: 100}\n")
    path = written(tmp_path / "mine.yaml", "extends: other/parent.yaml\n")
    async with followed(path) as following:
        written(parent, "vad: {pause_ms: 110}\n")
        assert (await following.next()).vad.pause_ms == 110
        written(path, "extends: captions\nvad: {pause_ms: 120}\n")
        assert (await following.next()).vad.pause_ms == 120


async def test_the_target_of_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target = written(tmp_path / "dotfiles" / "mine.yaml", "vad: {pause_ms: 100}\n")
    (tmp_path / "config").mkdir()
    link = tmp_path / "config" / "mine.yaml"
    link.symlink_to(target)
    async with followed(link) as following:
        written(target, "vad: {pause_ms: 110}\n")
        assert (await following.next()).vad.pause_ms == 110
        written(tmp_path / "dotfiles" / "b.yaml", "vad: {pause_ms: 120}\n")
        (tmp_path / "config" / "new").symlink_to(tmp_path / "dotfiles" / "b.yaml")
        (tmp_path / "config" / "new").rename(link)
        assert (await following.next()).vad.pause_ms == 120


async def test_a_user_profile_that_takes_the_place_of_a_shipped_one_is_noticed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "vivavoce" / "profiles"
    folder.mkdir(parents=True)
    async with followed("captions", environ={"XDG_CONFIG_HOME": str(tmp_path)}) as following:
        written(folder / "captions.yaml", "extends: captions\nvad: {pause_ms: 110}\n")
        assert (await following.next()).vad.pause_ms == 110


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vad: {treshold: 0.7}\n", "vad.treshold: unknown setting: did you mean 'threshold'?"),
        ("vad: [\n", "this is not YAML"),
        ("power: {on_battery: {settings: {vad: {threshold: 7}}}}\n",
         "power.on_battery.settings.vad.threshold: 7: expected"),
        ("extends: ./missing.yaml\n", "there is no profile file"),
    ],
)  # fmt: skip
async def test_a_wrong_edit_is_told_and_changes_nothing(tmp_path: Path, text, words) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {threshold: 0.6}\n")
    async with followed(path) as following:
        written(path, text)
        line = await following.until_told(words)
        assert line.startswith("vivavoce: warning: profile: the profile stays as it was: ")
        assert following.live.profile.vad.threshold == 0.6
        written(path, "vad: {threshold: 0.6}\n")
        await following.until_told("nothing has changed")
        assert following.applied.empty()
        written(path, "vad: {threshold: 0.7}\n")
        assert (await following.next()).vad.threshold == 0.7


async def test_a_missing_parent_that_appears_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    path = written(tmp_path / "mine.yaml", "vad: {threshold: 0.6}\n")
    async with followed(path) as following:
        written(path, "extends: other/parent.yaml\n")
        await following.until_told("there is no profile file")
        written(tmp_path / "other" / "parent.yaml", "vad: {threshold: 0.7}\n")
        assert (await following.next()).vad.threshold == 0.7


async def test_the_same_content_and_other_files_change_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {threshold: 0.6}\n")
    async with followed(path) as following:
        for number in range(100):
            written(tmp_path / "other.yaml", f"# {number}\n")
        await moment()
        advance(1.0)  # it has settled
        await moment()
        assert following.reads == 1
        written(path, "vad: {threshold: 0.6}\n")
        advance(3.0)  # the folder in which others write is left alone no longer
        await until(lambda: following.reads > 1, "the new file was not read")
        await moment()
        assert following.applied.empty()
        assert following.log.getvalue() == ""


async def test_many_edits_at_once_are_read_once(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")
    async with followed(path) as following:
        for pause in range(101, 121):
            written(path, f"vad: {{pause_ms: {pause}}}\n")
        assert (await following.next()).vad.pause_ms == 120
        advance(3.0)
        await moment()
        assert following.reads == 2


async def test_what_needs_a_start_is_told_and_waits(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "captions: {format: text}\n")
    async with followed(path) as following:
        written(path, "captions: {format: srt, colour: never}\nmetrics: {listen: '127.0.0.1:9'}\n")
        fresh = await following.next()
        assert (fresh.captions.format, fresh.captions.colour) == ("text", "never")
        line = await following.until_told("at the next start")
        assert line == (
            "vivavoce: warning: profile: this takes effect at the next start: "
            'captions.format: "text" → "srt", metrics.listen: null → "127.0.0.1:9"'
        )
        written(path, "captions: {format: text, colour: never}\n")
        await following.until_told('"srt" → "text"')
        await moment()
        assert following.log.getvalue().count("at the next start") == 1
        assert following.applied.empty()


async def test_reload_reads_at_once_and_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")
    async with followed(path) as following:
        following.live.reload()
        await following.until_told("the profile was read again: nothing has changed")
        status = path.stat()
        with path.open("r+") as file:  # as long as before, at the same time: nothing to see
            file.write("vad: {pause_ms: 110}\n")
            file.flush()
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
            following.live.reload()
            assert (await following.next()).vad.pause_ms == 110


async def test_without_inotify_reload_still_works(tmp_path: Path, monkeypatch) -> None:
    def missing(_self, _on_event) -> None:
        raise OSError("this system has no inotify")

    monkeypatch.setattr("vivavoce.folder_watch.FolderWatch.__init__", missing)
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")
    async with followed(path) as following:
        await following.until_told("only with SIGHUP")
        written(path, "vad: {pause_ms: 110}\n")
        following.live.reload()
        assert (await following.next()).vad.pause_ms == 110


@pytest.mark.pace
async def test_following_costs_nothing_while_nothing_happens(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")

    def switches() -> int:
        tasks = Path("/proc/self/task").iterdir()
        lines = [line for task in tasks for line in (task / "status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if "voluntary_ctxt" in line)

    async with followed(path):
        await asyncio.sleep(0.5)
        before = switches()
        await asyncio.sleep(2.0)
        assert switches() - before <= 6  # this sleep itself, and the test's own


async def test_nothing_stays_open(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.yaml", "vad: {pause_ms: 100}\n")
    async with followed(path):
        pass
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(3):
        async with followed(path):
            pass
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before
