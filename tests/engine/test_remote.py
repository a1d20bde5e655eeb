"""The shared cache: what arrives is what its name says, who may write and whom to believe, and every fault is a miss."""

import asyncio
import os
import threading

import pytest

from clipbuild import digest
from clipbuild.engine import doors
from clipbuild.engine.action import Trace
from clipbuild.engine.doors import Folder, Web, where
from clipbuild.engine.remote import Remote, Trust, open_remote
from clipbuild.engine.store import Store
from clipbuild.errors import UsageError
from tests.support.answers import ANSWERS, serve
from tests.support.cache import Cache

SECRET = "a secret of two machines"
ALL = Trust(write=True, secret=SECRET)


class Machine:
    """A store with its remote, and the warnings it gave."""

    def __init__(self, root, door, trust: Trust = ALL) -> None:
        self.warnings: list[str] = []
        self.store = Store(str(root / "store"))
        self.folder = str(root)
        self.remote = Remote(door, trust, self.warnings.append)

    def fetch(self, name) -> bool:
        return self.remote.fetch(name, self.store, self.folder)


@pytest.fixture(params=["folder", "web"])
def pair(request, tmp_path):
    """Two machines and a door maker, over a folder and over HTTP."""
    with Cache() as cache:

        def door():
            return Folder(str(tmp_path / "shared")) if request.param == "folder" else Web(cache.url)

        machines = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            machines.append(Machine(tmp_path / name, door()))
        yield machines


def test_what_one_machine_pushes_another_fetches(pair):
    """A blob goes there once and arrives whole; a bought one is marked as bought."""
    one, two = pair
    name = one.store.add_bytes(b"clip" * 50_000)
    assert one.remote.push(name, one.store) == "sent"
    assert one.remote.push(name, one.store) == "there"
    assert two.remote.fetch(name, two.store, two.folder, precious=True)
    assert two.store.sound(name)
    assert two.store.is_precious(name)
    assert not two.fetch(digest.of_bytes(b"never pushed"))
    assert (one.warnings, two.warnings) == ([], [])
    assert not [entry for entry in os.listdir(two.folder) if entry.startswith("remote-")]


def test_a_signed_statement_is_believed(pair):
    """Who has the secret learns what a free key gave, and how long it took."""
    one, two = pair
    key = digest.of_bytes(b"key")
    trace = Trace("mug/render", key, {"video": one.store.add_bytes(b"video")}, seconds=3.5)
    assert one.remote.say(trace, one.store, one.folder) == "sent"
    assert two.remote.statement(key) == trace
    assert two.remote.statement(digest.of_bytes(b"other key")) is None


def test_an_unsigned_or_foreign_statement_is_not_believed(pair):
    """Without the secret, with another, under another key, or changed: nothing is believed."""
    one, two = pair
    key, other = digest.of_bytes(b"key"), digest.of_bytes(b"another key")
    trace = Trace("mug/render", key, {"video": one.store.add_bytes(b"video")})
    one.remote.say(trace, one.store, one.folder)
    for secret in ("", "the secret of somebody else"):
        two.remote.trust = Trust(secret=secret)
        assert two.remote.statement(key) is None
    said: list[bytes] = []
    one.remote._door.read(f"ac/{key}", said.append, 1 << 20)
    forged = os.path.join(one.folder, "forged")
    for number, data in enumerate((b"".join(said), b"".join(said).replace(b"mug", b"jug"), b"{}", b"[1]", b"\xff")):
        name = other if number == 0 else digest.of_bytes(b"%d" % number)
        with open(forged, "wb") as file:
            file.write(data)
        one.remote._door.write(f"ac/{name}", forged, digest.of_bytes(data))
        two.remote.trust = ALL
        assert two.remote.statement(name) is None


def test_what_costs_money_is_never_stated(pair):
    """A bought result has its pin in the lock; no statement is made of it."""
    one, _ = pair
    blob = one.store.add_bytes(b"bought", precious=True)
    for trace in (Trace("a/animate", digest.of_bytes(b"k"), {"v": blob}, cost="0.4"),
                  Trace("a/animate", digest.of_bytes(b"k"), {"v": blob}, facts={"provider": "kling"})):  # fmt: skip
        assert one.remote.say(trace, one.store, one.folder) == "refused"


def test_the_first_word_stays_and_a_second_is_reported(pair):
    """Two machines that made different bytes of one key: nothing is replaced, and it is said."""
    one, two = pair
    key = digest.of_bytes(b"key")
    one.remote.say(Trace("mug/render", key, {"video": one.store.add_bytes(b"one")}), one.store, one.folder)
    answer = two.remote.say(Trace("mug/render", key, {"video": two.store.add_bytes(b"two")}), two.store, two.folder)
    assert answer == "there"
    assert "other bytes of the same key" in two.warnings[0]
    assert two.remote.statement(key).outputs["video"] == digest.of_bytes(b"one")


def test_many_writers_of_one_name_give_one_value(pair):
    """Sixteen threads push the same blob; it is whole and there once."""
    one, two = pair
    name = one.store.add_bytes(b"x" * 300_000)
    said: list[str] = []
    threads = [threading.Thread(target=lambda: said.append(one.remote.push(name, one.store))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {"sent", "there"}
    assert two.fetch(name)


def test_who_may_not_write_does_not(tmp_path):
    """An untrusted run has no secret and never writes, whatever the environment holds."""
    environ = {"CLIPBUILD_REMOTE_KEY": SECRET}
    remote = open_remote(str(tmp_path / "shared"), environ, trusted=False, write=True, warn=print)
    assert remote is not None
    assert remote.trust == Trust()
    store = Store(str(tmp_path / "store"))
    assert remote.push(store.add_bytes(b"x"), store) == "refused"
    assert not (tmp_path / "shared").exists()
    trusted = open_remote(str(tmp_path / "shared"), environ, trusted=True, write=True, warn=print)
    assert trusted is not None
    assert trusted.trust == ALL
    with pytest.raises(UsageError, match="too short"):
        open_remote("x", {"CLIPBUILD_REMOTE_KEY": "short"}, trusted=True, write=True, warn=print)


@pytest.mark.parametrize("fault", ["cut", "reset", "error", "lie", "encoded", "redirect"])
def test_a_faulty_cache_is_a_miss_with_one_warning(tmp_path, fault):
    """Nothing wrong gets a name in the store, nothing is raised, and after a few refusals it is let alone."""
    with Cache() as cache:
        machine = Machine(tmp_path, Web(cache.url, sleep=lambda _: None))
        names = [digest.of_bytes(b"blob %d" % n) for n in range(8)]
        cache.things |= {f"cas/{name}": b"blob %d" % n for n, name in enumerate(names)}
        cache.fault = fault
        assert [machine.fetch(name) for name in names] == [False] * 8
        assert list(machine.store.blobs()) == []
        assert len(machine.warnings) == 1
        assert machine.remote.closed
        assert len(cache.asked) <= 9


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row["id"])
def test_no_hostile_answer_is_a_hit(tmp_path, row):
    """Whatever a server sends for a blob: it is the blob, whole, or there is none; in bounded time, nothing raised."""
    clip = bytes(range(256)) * 80
    name = digest.of_bytes(clip)

    async def main() -> bool:
        server = await serve(row, clip)
        port = server.sockets[0].getsockname()[1]
        door = Web(f"http://127.0.0.1:{port}", idle=0.2, whole=1.0, sleep=lambda _: None)
        machine.remote = Remote(door, ALL, machine.warnings.append, largest=1 << 20)
        found = await asyncio.wait_for(asyncio.to_thread(machine.fetch, name), 10)
        server.close()
        return found

    machine = Machine(tmp_path, Folder(""))
    found = asyncio.run(main())
    assert list(machine.store.blobs()) == ([name] if found else [])
    assert len(machine.warnings) <= 1
    if row["id"] in ("ok", "ct-png"):
        assert found


def test_a_slow_cache_is_a_miss(tmp_path):
    """Bytes that stop coming end the wait."""
    with Cache() as cache:
        machine = Machine(tmp_path, Web(cache.url, idle=0.3))
        name = digest.of_bytes(b"blob")
        cache.things[f"cas/{name}"] = b"blob"
        cache.fault = "slow"
        assert not machine.fetch(name)
        assert "Timeout" in machine.warnings[0]


def test_a_cache_that_is_not_there_is_a_miss(tmp_path):
    """Refused connections and folders that can't be written cost one warning."""
    machine = Machine(tmp_path, Web("http://127.0.0.1:9/cache"))
    assert not machine.fetch(digest.of_bytes(b"x"))
    assert len(machine.warnings) == 1
    (tmp_path / "file").write_text("in the way")
    blocked = Machine(tmp_path, Folder(str(tmp_path / "file")))
    assert blocked.remote.push(blocked.store.add_bytes(b"x"), blocked.store) == "refused"
    assert len(blocked.warnings) == 1


def test_a_full_cache_refuses_and_the_build_goes_on(tmp_path):
    """507 on every upload: refused, said once, let alone."""
    with Cache() as cache:
        machine = Machine(tmp_path, Web(cache.url))
        cache.fault = "full"
        names = [machine.store.add_bytes(b"%d" % n) for n in range(6)]
        assert {machine.remote.push(name, machine.store) for name in names} == {"refused"}
        assert len(machine.warnings) == 1


def test_an_upload_that_was_cut_starts_again_from_its_first_byte(tmp_path):
    """The second attempt sends the whole body."""
    with Cache() as cache:
        machine = Machine(tmp_path, Web(cache.url, sleep=lambda _: None))
        name = machine.store.add_bytes(os.urandom(400_000))
        cache.fault = "cut-upload"
        assert machine.remote.push(name, machine.store) == "sent"
        assert digest.of_bytes(cache.things[f"cas/{name}"]) == name
        assert cache.methods().count("PUT") == 2
        assert machine.warnings == []


def test_uploads_say_what_they_are_and_replace_nothing(tmp_path):
    """If-None-Match and the digest go along, so that the far side can hold us to both."""
    with Cache() as cache:
        machine = Machine(tmp_path, Web(cache.url, token="t0ken"))
        machine.remote.push(machine.store.add_bytes(b"x"), machine.store)
        headers = next(headers for method, _, headers in cache.asked if method == "PUT")
        assert headers["if-none-match"] == "*"
        assert headers["content-digest"].startswith("sha-256=:")
        assert headers["authorization"] == "Bearer t0ken"


def test_the_token_goes_over_tls_or_to_this_machine():
    """Plain HTTP to another machine gets no token; what is shown has no user and no query."""
    assert "authorization" not in Web("http://cache.example/x", "t0ken")._client().headers
    assert "authorization" in Web("https://cache.example/x", "t0ken")._client().headers
    assert where("https://me:pw@cache.example:8443/x?sig=1") == "https://cache.example:8443/x"


@pytest.mark.parametrize("address", ["ftp://x/y", "https://", "s3://bucket"])
def test_an_address_of_another_kind_is_an_error(address):
    """Only folders and http(s)."""
    with pytest.raises(UsageError):
        doors.open_door(address, {})
