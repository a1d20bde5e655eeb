"""JUnit reports: a case for every action, failures with their whole text, and XML whatever names hold."""

import random
from dataclasses import dataclass, field
from xml.etree import ElementTree

from clipbuild import events
from clipbuild.cli.junit import JUnitFile, document
from clipbuild.errors import UsageError


@dataclass
class Told:
    """A build's report, as far as it is asked."""

    failed: dict[str, str] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)


def test_each_action_is_a_case_of_its_clip() -> None:
    """Ran, failed, not reached: counted, with times and the error's whole text."""
    told = Told({"mug/9x16/check": "mug: no good\n    hint  another photo"}, ["mug/9x16/render"])
    root = ElementTree.fromstring(document(told, {"mug/9x16/image": 1.25, "jar/9x16/image": 2.0}))
    mug = next(suite for suite in root if suite.get("name") == "mug")
    assert {k: mug.get(k) for k in ("tests", "failures", "skipped", "time")} == {
        "tests": "3", "failures": "1", "skipped": "1", "time": "1.250"}  # fmt: skip
    failure = mug.find("testcase[@name='9x16/check']/failure")
    assert failure is not None
    assert failure.get("message") == "mug: no good"
    assert "another photo" in (failure.text or "")
    assert len(root) == 2


def test_a_clip_that_is_held_back_is_skipped() -> None:
    """It is no failure, but is seen."""
    root = ElementTree.fromstring(document(Told(held={"mug": "mug: waits for a person's approval\n    hint  x"}), {}))
    skipped = root.find("testsuite/testcase[@name='publish']/skipped")
    assert skipped is not None
    assert skipped.get("message") == "mug: waits for a person's approval"


def test_a_build_that_never_began_is_one_error(tmp_path) -> None:
    """A broken catalog still gives a report."""
    report = JUnitFile(str(tmp_path / "r.xml"))
    report(events.ActionFinished(at=0.0, name="a/b", stage="b", seconds=1.0))
    report.write(UsageError("catalog/a.yaml:3:1: no such key", hint="did you mean"))
    case = ElementTree.parse(tmp_path / "r.xml").getroot().find("testsuite/testcase/error")
    assert case is not None
    assert "catalog/a.yaml:3:1" in case.get("message", "")


def test_any_text_gives_xml() -> None:
    """Control characters, quotes, lone surrogates and brackets in names and errors."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    chance = random.Random(seed)
    for _ in range(200):
        text = "".join(chr(chance.choice([*range(128), 0x202E, 0xD800, 0xFFFE, 0x1F600])) for _ in range(20))
        root = ElementTree.fromstring(document(Told({f"{text}/x": text}), {}).encode("utf-8"))
        assert root.find("testsuite/testcase/failure") is not None
