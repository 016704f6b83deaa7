"""Tools that fail at random in a real compositor: each text is typed or copied, once, and kept."""

import random
import shutil
from pathlib import Path

import pytest
from support.injecting import Rig, final, flaky_tool, profile
from support.waiting import moment, until
from support.wayland import SwaySession

from vivavoce.actors.history.actor import HistoryActor
from vivavoce.actors.history.reading import Reader
from vivavoce.actors.history.recorder import Recorder
from vivavoce.actors.injection.focus import make_probe
from vivavoce.actors.injection.tool import ToolRunner
from vivavoce.actors.injection.wayland import WaylandClipboard
from vivavoce.config.cell import ProfileCell
from vivavoce.config.history import HistorySettings
from vivavoce.config.injection import InjectionSettings
from vivavoce.config.schema import Profile
from vivavoce.pipeline.actor import ActorContext
from vivavoce.pipeline.metrics import Metrics

pytestmark = [pytest.mark.desktop, pytest.mark.patient]

TEXTS = 40
_FAILING = """\
n=$(cat {count} 2>/dev/null || echo 0); echo $((n + 1)) > {count}
case "{plan}" in
*" $n:unread "*) exit 0;;
*" $n:broken "*) exit 1;;
*" $n:halfway "*) head -c 5 | "$REAL" -; exit 1;;
esac
exec "$REAL" "$@"
"""


def _flaky_wtype(folder: Path) -> str:
    """One that fails at each tenth call or so, in each way that it can."""
    rng = random.Random(8)
    failing = [n for n in range(3 * TEXTS) if rng.random() < 0.1]
    ways = ["unread", "broken", "halfway"]
    plan = "".join(f" {n}:{ways[at % 3]} " for at, n in enumerate(failing))
    script = _FAILING.format(count=folder / "count", plan=plan)
    return flaky_tool(folder / "bin", "wtype", str(shutil.which("wtype")), script)


async def test_each_text_is_typed_or_copied_once_and_in_the_history(
    sway: SwaySession, tools: ToolRunner, tmp_path: Path
) -> None:
    editor = sway.terminal()
    clipboard = WaylandClipboard(tools, InjectionSettings())
    environ = {**sway.environ, "PATH": f"{_flaky_wtype(tmp_path)}:{sway.environ['PATH']}"}
    kept = HistorySettings(enabled=True, keep_days=None)
    recorder = Recorder(tmp_path / "history.db", lambda: kept, Metrics())
    await recorder.open()
    context = ActorContext(settings=ProfileCell(Profile(history=kept)))
    history = HistoryActor(recorder, lambda: "dictation", context=context)
    rig = Rig(
        profile({"backend": "auto", "paste_keys": "ctrl+shift+v"}),
        probe=make_probe(environ),
        environ=environ,
        report=recorder.deliver,
    )
    copies: dict[int, str] = {}
    for number in range(1, TEXTS + 1):
        said = final(number, f"<{number}> was said.")
        await history.on_message(said)
        await rig.say(said)
        if rig.deliveries[-1].outcome in ("copied", "partly"):
            content = await clipboard.get()
            assert content is not None
            copies[number] = content.text or ""
    await rig.stop()
    typed = sum(d.outcome == "typed" for d in rig.deliveries)
    await until(lambda: editor.typed.count("was said.") >= typed, "not all has arrived")
    await moment()
    await recorder.close()
    typed = editor.typed
    with Reader(tmp_path / "history.db") as reader:
        rows = {row.utterance: row for row in reader.every()}
    assert [each.utterance for each in rig.deliveries] == list(range(1, TEXTS + 1))
    for delivery in rig.deliveries:
        number, text = delivery.utterance, f"<{delivery.utterance}> was said."
        assert typed.count(text) == (delivery.outcome == "typed"), delivery
        assert delivery.outcome == "typed" or text in copies[number], delivery
        assert rows[number].text == text
        assert rows[number].outcome == delivery.outcome
    assert rig.outcomes.count("typed") > 0.8 * TEXTS
    assert copies, "the halves of texts are uncertain"
