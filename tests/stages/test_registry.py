"""Which stages there are, and that planning may ask about them without loading what they stand on."""

import pathlib
import subprocess
import sys
from typing import Any

import pytest

from clipbuild.engine.action import Stage
from clipbuild.errors import ActionError
from clipbuild.stages import registry
from clipbuild.stages.workdir import Workdir


class Memory(dict[tuple[str, str], bytes]):
    """A small table."""

    def get(self, kind: str, key: str) -> bytes | None:  # type: ignore[override]
        return super().get((kind, key))

    def put(self, kind: str, key: str, data: bytes) -> None:
        self[kind, key] = data


@pytest.mark.parametrize("name", registry.names())
def test_every_stage_tells_what_it_is(name: str) -> None:
    """Its own name, a version, its outputs once each, tools that exist."""
    stage: Any = registry.stage(name)
    assert stage.name == name
    assert stage.version >= 1
    assert len(set(stage.outputs)) == len(stage.outputs) > 0
    assert set(stage.tools) <= {"ffmpeg", "pillow", "numpy", "opencv", "freetype", "harfbuzz", "bidi"}
    assert isinstance(stage.inline, bool)


def facts(stage: Stage) -> tuple[Any, ...]:
    """What planning needs."""
    return stage.name, stage.version, tuple(stage.outputs), tuple(stage.tools), stage.inline


@pytest.mark.parametrize("name", registry.names())
def test_what_is_remembered_is_what_it_is(name: str) -> None:
    """From memory it is the same as from the module, the first time and the second."""
    memory = Memory()
    first = registry.kind(name, memory)
    assert memory
    assert facts(first) == facts(registry.kind(name, memory)) == facts(registry.stage(name))


def test_memory_spares_the_imports() -> None:
    """A process that remembers asks for no numpy to plan a render."""
    code = (
        "import sys, json\nfrom clipbuild.stages import registry\n"
        "class M(dict):\n get=lambda s,k,n: dict.get(s,(k,n))\n put=lambda s,k,n,d: s.__setitem__((k,n),d)\n"
        "m=M()\n"
        "spec=registry.find_spec(registry.MODULES['render'])\nimport os\nf=os.stat(spec.origin)\n"
        "mark=json.dumps([registry.__version__, spec.origin, f.st_size, f.st_mtime_ns, f.st_ino])\n"
        "m.put('stage', f'render {mark}', json.dumps(dict(name='render',version=1,outputs=['video'],tools=[],inline=False)).encode())\n"
        "registry.kind('render', m)\nprint('numpy' in sys.modules, 'clipbuild.stages.render' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_an_unknown_stage() -> None:
    """Told with those that are known, whoever asks."""
    for ask in (registry.stage, lambda name: registry.kind(name, Memory())):
        with pytest.raises(ActionError, match="there is no stage 'paint'") as caught:
            ask("paint")
        assert "render" in dict(caught.value.facts)["known"]


def test_a_run_must_leave_the_main_output(tmp_path: pathlib.Path) -> None:
    """`run` hands on the facts a stage told, and fails for one that left nothing."""
    words = {"captions": [], "seconds": 1.0, "language": "en", "hook": "", "cta": "", "offer": {"price": "", "was": "", "text": ""}}
    registry.run("captions", Workdir("k", "a/captions", words, {}, str(tmp_path)))
    assert (tmp_path / "srt").exists()
