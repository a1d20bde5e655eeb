"""Events: plain facts, in order, the same for every listener, without secrets."""

import dataclasses
import inspect
import json

import pytest

from clipbuild import events, redact
from clipbuild.events import Bus

KINDS = [kind for kind in vars(events).values() if inspect.isclass(kind) and issubclass(kind, events.Event)]
SAMPLE = {"str": "x", "int": 3, "float": 0.5}


def made(kind: type[events.Event]) -> events.Event:
    """An event of this kind with some facts."""
    return kind(**{field.name: SAMPLE[getattr(field.type, "__name__", str(field.type))] for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_is_one_line_of_json(kind: type[events.Event]) -> None:
    """Its class in snake case, its time, its facts: nothing that JSON can't hold."""
    plain = json.loads(json.dumps(events.plain(made(kind))))
    assert plain["event"].replace("_", "") == kind.__name__.lower()
    assert plain["event"] == plain["event"].lower()
    assert set(plain) == {"event", *(field.name for field in dataclasses.fields(kind))}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_listener_can_change_an_event(kind: type[events.Event]) -> None:
    """Frozen: what the first listener saw is what the last one sees."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        made(kind).at = 9.0  # type: ignore[misc]


def test_the_bus_keeps_order_and_time() -> None:
    """Every listener hears every event, one after another, at the clock's time."""
    ticks = iter([0.5, 1.5])
    heard: list[tuple[str, float]] = []
    bus = Bus(lambda: next(ticks))
    bus.listeners += [lambda e: heard.append(("one", e.at)), lambda e: heard.append(("two", e.at))]
    bus.emit(events.Warned, text="a")
    bus.emit(events.TreeReady)
    assert heard == [("one", 0.5), ("two", 0.5), ("one", 1.5), ("two", 1.5)]


def test_a_secret_does_not_travel() -> None:
    """A learned secret is hidden before the first listener hears of it (K3); addresses lose their query (K2)."""
    redact.learn("canary-5f2a9c-value")
    heard: list[events.Event] = []
    bus = Bus(lambda: 0.0, [heard.append])
    bus.emit(events.Warned, text="the key canary-5f2a9c-value, https://x.example/a?token=1")
    bus.emit(events.ActionFailed, name="a/canary-5f2a9c-value", stage="image", error="canary-5f2a9c-value")
    told = json.dumps([events.plain(event) for event in heard])
    assert "canary" not in told
    assert "token=1" not in told
    assert told.count(redact.HIDDEN) == 3


def test_a_fact_that_an_event_does_not_have() -> None:
    """A slip in the builder is told where it is made, not at some listener."""
    with pytest.raises(TypeError):
        Bus(lambda: 0.0).emit(events.Warned, words="x")
