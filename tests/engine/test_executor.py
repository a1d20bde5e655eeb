"""Worker processes: tasks in, results out, limits held, and nobody survives who should not."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from clipbuild.engine.executor import Limits, Workers, cores, environment
from clipbuild.errors import ActionError, IntegrityError, MediaError

CHILD = """
import os, sys, time, signal, subprocess
from clipbuild.engine.worker import serve
from clipbuild.errors import MediaError, IntegrityError

def handle(task, progress):
    match task["do"]:
        case "echo": return {"said": task["say"], "pid": os.getpid()}
        case "slow":
            for step in range(3): progress(step / 3, f"step {step}")
            return {}
        case "print":
            print("noise on standard output"); sys.stdout.flush()
            os.write(1, b"raw noise\\n")
            return {}
        case "stdin": return {"read": sys.stdin.read(), "raw": os.read(0, 10).decode()}
        case "media": raise MediaError("a.png: no picture", [("size", "0")], "replace it")
        case "integrity": raise IntegrityError("other bytes")
        case "bug": raise KeyError("nonsense")
        case "memory": raise MemoryError
        case "allocate": return {"n": len(bytearray(1 << 30))}
        case "die":
            print("last words", file=sys.stderr); sys.stderr.flush()
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit": os._exit(3)
        case "sleep": time.sleep(60)
        case "spin":
            while True: pass
        case "family":
            child = subprocess.Popen(["sleep", "61"])
            with open(task["note"] + ".new", "w") as file: file.write(f"{os.getpid()} {child.pid}")
            os.rename(task["note"] + ".new", task["note"])
            if task.get("die"): os._exit(1)
            child.wait()
        case "env": return {"env": dict(os.environ), "cwd": os.getcwd(), "pgid": os.getpgid(0), "pid": os.getpid()}
        case "file":
            with open(task["path"], "wb") as file: file.write(b"x" * (2 << 20))
        case "nonsense":
            os.write(4, b"not json\\n"); os.write(5, b"not json\\n"); time.sleep(60)
        case "big": return {"text": "x" * (1 << 20)}
        case "set": return {1, 2}
    return {}

serve(handle)
"""


@pytest.fixture
def crew(tmp_path):
    """Workers of the child above; `with_` makes more."""
    script = tmp_path / "child.py"
    script.write_text(textwrap.dedent(CHILD))
    made = []

    def make(count=1, **limits):
        env = environment({**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})
        made.append(
            Workers([sys.executable, str(script)], count=count, env=env, limits=Limits(**limits), folder=str(tmp_path))
        )
        return made[-1]

    return make


def run(crew, *tasks, wall=20.0, progress=None):
    """Give the tasks one after another; each result or the error it raised."""

    async def main():
        results = []
        try:
            for task in tasks:
                try:
                    results.append(await crew.run(task, progress, wall))
                except Exception as error:
                    results.append(error)
        finally:
            await crew.close()
        return results

    return asyncio.run(main())


def pids_in(note: str) -> list[int]:
    with open(note) as file:
        return [int(pid) for pid in file.read().split()]


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until_dead(*pids: int, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(map(alive, pids)):
        time.sleep(0.02)
    return not any(map(alive, pids))


def test_a_task_comes_back_as_a_result_from_one_persistent_child(crew):
    """Tasks are plain data both ways, and the same process takes the next one."""
    one, two = run(crew(), {"do": "echo", "say": "ž \u2028"}, {"do": "echo", "say": [1, None]})
    assert one["said"] == "ž \u2028"
    assert two["said"] == [1, None]
    assert one["pid"] == two["pid"]


def test_progress_is_told_on_the_way(crew):
    """Each step reaches the caller before the result."""
    seen = []
    run(crew(), {"do": "slow"}, progress=lambda done, note: seen.append((round(done, 2), note)))
    assert seen == [(0.0, "step 0"), (0.33, "step 1"), (0.67, "step 2")]


def test_noise_on_standard_output_does_no_harm(crew):
    """A library that prints can't break the protocol; there is no terminal to read from."""
    noisy, empty, after = run(crew(), {"do": "print"}, {"do": "stdin"}, {"do": "echo", "say": 1})
    assert noisy == {}
    assert empty == {"read": "", "raw": ""}
    assert after["said"] == 1


def test_errors_of_the_task_arrive_whole_and_the_child_goes_on(crew):
    """An error keeps its class, facts and hint; a bug becomes an ActionError with its place."""
    tasks = [{"do": name} for name in ("media", "integrity", "bug", "memory", "set")]
    *errors, last = run(crew(), *tasks, {"do": "echo", "say": "still here"})
    media, integrity, bug, memory, odd = errors
    assert isinstance(media, MediaError)
    assert (media.what, media.facts, media.hint) == ("a.png: no picture", (("size", "0"),), "replace it")
    assert isinstance(integrity, IntegrityError)
    assert type(bug) is ActionError
    assert ("error", "KeyError") in bug.facts
    assert "child.py" in str(bug)
    assert "memory" in str(memory)
    assert isinstance(odd, ActionError)
    assert last["said"] == "still here"


@pytest.mark.parametrize(("do", "word"), [("die", "SIGSEGV"), ("exit", "exit 3"), ("nonsense", "broke down")])
def test_a_broken_child_is_told_and_replaced(crew, do, word):
    """A crash gives an error with the signal or status and the last words; the next task gets a fresh child."""
    first, error, after = run(crew(), {"do": "echo", "say": 1}, {"do": do}, {"do": "echo", "say": 2})
    assert isinstance(error, ActionError)
    assert word in str(error)
    if do == "die":
        assert "last words" in str(error)
    assert after["said"] == 2
    assert after["pid"] != first["pid"]


def test_a_task_that_takes_too_long_is_killed_with_what_it_started(crew, tmp_path):
    """Past its wall time the child and its own children are gone, and the next task runs."""
    note = str(tmp_path / "note")
    error, after = run(crew(), {"do": "family", "note": note}, {"do": "echo", "say": 1}, wall=1.0)
    assert "too long" in str(error)
    assert wait_until_dead(*pids_in(note))
    assert after["said"] == 1


def test_what_a_crashed_child_started_is_killed(crew, tmp_path):
    """A child that goes away leaves no grandchild behind."""
    note = str(tmp_path / "note")
    (error,) = run(crew(), {"do": "family", "note": note, "die": True})
    assert isinstance(error, ActionError)
    assert wait_until_dead(*pids_in(note))


def test_cancelling_kills_the_child(crew, tmp_path):
    """A cancelled task ends at once and leaves no process."""
    workers, note = crew(), str(tmp_path / "note")

    async def main():
        task = asyncio.create_task(workers.run({"do": "family", "note": note}))
        while not os.path.exists(note):
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await workers.close()

    asyncio.run(main())
    assert wait_until_dead(*pids_in(note))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_us(tmp_path, how):
    """Killed with no chance to clean up, we still take children and grandchildren along."""
    (tmp_path / "child.py").write_text(textwrap.dedent(CHILD))
    note = str(tmp_path / "note")
    parent = textwrap.dedent(f"""
        import asyncio, os, sys
        from clipbuild.engine.executor import Workers, environment
        async def main():
            crew = Workers([sys.executable, {str(tmp_path / "child.py")!r}], count=1, env=environment(os.environ))
            await crew.run({{"do": "family", "note": {note!r}}})
        asyncio.run(main())
    """)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen([sys.executable, "-c", parent], env=env)
    end = time.monotonic() + 20
    while not os.path.exists(note) and time.monotonic() < end:
        time.sleep(0.02)
    pids = pids_in(note)
    assert all(map(alive, pids))
    process.send_signal(how)
    process.wait()
    assert wait_until_dead(*pids)


def test_limits_are_held(crew, tmp_path):
    """Processor time counts per task, memory and file size per process; going over is a clear error."""
    spin, after = run(crew(cpu_seconds=1), {"do": "spin"}, {"do": "echo", "say": 1})
    assert "SIGXCPU" in str(spin)
    assert after["said"] == 1
    (memory,) = run(crew(memory_bytes=512 << 20), {"do": "allocate"})
    assert "memory" in str(memory)
    (file,) = run(crew(file_bytes=1 << 20), {"do": "file", "path": str(tmp_path / "big")})
    assert "File too large" in str(file)
    assert os.path.getsize(tmp_path / "big") <= 1 << 20
    (spared,) = run(crew(), {"do": "allocate"})
    assert spared == {"n": 1 << 30}


def test_a_child_sees_only_what_it_is_given(crew, tmp_path, monkeypatch):
    """No key of ours reaches a child; locale, time zone and hash seed are fixed; its group is its own."""
    monkeypatch.setenv("OPENAI_API_KEY", "canary")
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    (seen,) = run(crew(), {"do": "env"})
    assert "canary" not in str(seen)
    assert seen["env"]["LC_ALL"] == "C.UTF-8"
    assert seen["env"]["TZ"] == "UTC"
    assert not any(name.startswith("CLIPBUILD_WORKER") for name in seen["env"])
    assert seen["pgid"] == seen["pid"]
    assert seen["cwd"].startswith(str(tmp_path))
    assert seen["env"]["TMPDIR"] == seen["cwd"]


def test_no_more_children_than_asked_for(crew):
    """Eight tasks on two places are done by two processes."""
    workers = crew(2)

    async def main():
        results = await asyncio.gather(*(workers.run({"do": "echo", "say": n}) for n in range(8)))
        await workers.close()
        return results

    results = asyncio.run(main())
    assert [r["said"] for r in results] == list(range(8))
    assert len({r["pid"] for r in results}) <= 2


def test_a_large_result_arrives(crew):
    """A line of a megabyte is no problem."""
    (result,) = run(crew(), {"do": "big"})
    assert len(result["text"]) == 1 << 20


def test_a_worker_that_can_not_start_is_a_clear_error(tmp_path):
    """A missing program is an ActionError, not a traceback."""
    (error,) = run(Workers(["/no/such/program"], count=1, env={}), {"do": "echo"})
    assert isinstance(error, ActionError)
    assert "can't be started" in str(error)


def test_a_worker_that_died_while_it_rested_harms_no_task(crew):
    """The next task gets another one."""

    async def main(workers):
        first = await workers.run({"do": "echo", "say": "a"})
        os.kill(first["pid"], signal.SIGKILL)
        while workers._idle[0].process.returncode is None:
            await asyncio.sleep(0.01)
        second = await workers.run({"do": "echo", "say": "b"})
        await workers.close()
        return first["pid"], second

    pid, second = asyncio.run(main(crew()))
    assert second["said"] == "b"
    assert second["pid"] != pid


def test_no_more_processors_are_counted_than_may_be_used(tmp_path):
    """Those of this process, and of a container's share no more than it comes to; a share without an end takes nothing."""
    whole, quota = cores(str(tmp_path / "none")), tmp_path / "cpu.max"
    assert whole == len(os.sched_getaffinity(0))
    told = {"max 100000\n": whole, "150000 100000\n": min(whole, 2), "10000 100000\n": 1, "nonsense": whole}
    for text, expected in told.items():
        quota.write_text(text)
        assert cores(str(quota)) == expected
    one = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); from clipbuild.engine.executor import cores; print(cores())"
    assert subprocess.run([sys.executable, "-c", one], capture_output=True, check=True).stdout == b"1\n"
