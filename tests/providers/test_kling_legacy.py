"""Kling's legacy standard: what each documented answer means, what is sent, and that a secret never is."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from clipbuild.providers import kling_legacy
from clipbuild.providers.config import Config
from clipbuild.providers.contract import Accepted, Outcome, PollError, State, Status, SubmitError
from clipbuild.redact import HIDDEN, redact
from tests.fakes.kling_legacy import KlingLegacy
from tests.support.adapters import CASES, DAY, download, run
from tests.support.fixtures import Given, all_of, giving

(CASE,) = [case for case in CASES if case.name == "kling-legacy"]
FIXTURES = all_of("kling")
TASKS = {
    "legacy_create_ok": Status(State.QUEUED, code="submitted"),
    "legacy_task_processing": Status(State.RUNNING, code="processing"),
    "legacy_task_succeed": Status(State.DONE, code="succeed", cost=Decimal("0.56")),
    "legacy_task_failed": Status(State.REFUSED, code="failed", detail="Failure to pass the risk control system (fixture)"),
}


def adapter(*names: str, **changes: Any) -> kling_legacy.KlingLegacy:
    transport = giving(*(FIXTURES[name] for name in names))
    config = Config(key=lambda: "access-1:secret-1", download=download, today=lambda: DAY, transport=transport)
    return kling_legacy.make(replace(config, **changes))


@pytest.mark.parametrize(("name", "status"), TASKS.items())
def test_each_task_is_told_as_it_is(name: str, status: Status) -> None:
    """States, the words of moderation, and what was taken off the pack."""
    assert run(adapter(name).status("900000000000000011")) == status


def test_a_token_is_sealed_as_the_standard_says() -> None:
    """The example of RFC 7515, appendix A.1; and the claims that Kling wants."""
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    head = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
    said = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    seal = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert kling_legacy.signed(f"{head}.{said}", _bytes(key)) == f"{head}.{said}.{seal}"
    head, claims, _ = kling_legacy.token("access-1", "secret-1", 1_800_000_000.9).split(".")
    assert json.loads(_bytes(head)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(_bytes(claims)) == {"iss": "access-1", "exp": 1_800_001_800, "nbf": 1_799_999_995}


def _bytes(part: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_the_secret_stays_here_and_an_api_key_goes_as_it_is(tmp_path: Any) -> None:
    """Of a pair only a token is sent, made anew for each request; it is hidden wherever it would be printed."""
    given = Given([FIXTURES["legacy_create_ok"]])
    clock = iter([1e9, 2e9])
    maker = adapter("legacy_create_ok", transport=lambda: given, now=lambda: next(clock))
    for _ in range(2):
        assert run(maker.submit(CASE.request(tmp_path), "cb-legacy-1")) == Accepted("900000000000000011")
    sent = [request.headers["authorization"] for request in given.asked]
    assert len(set(sent)) == 2
    assert not any("secret-1" in text or "access-1" in text for text in sent)
    assert redact(sent[0]) == f"{HIDDEN}"
    plain = Given([FIXTURES["legacy_create_ok"]])
    run(adapter("legacy_create_ok", transport=lambda: plain, key=lambda: "api-key-1").submit(CASE.request(tmp_path), "cb-1"))
    assert plain.asked[0].headers["authorization"] == "Bearer api-key-1"


@pytest.mark.parametrize(("skew", "code"), [(0, ""), (-3600, "1004"), (3600, "1003")])
def test_a_clock_that_is_wrong_closes_the_lane(skew: int, code: str, tmp_path: Any) -> None:
    """A token from the past or the future is refused for good: nothing is charged, nothing sent again."""
    import time

    with KlingLegacy(small=True) as fake:
        maker = CASE.adapter(fake, now=lambda: time.time() + skew)
        if not code:
            assert run(maker.submit(CASE.request(tmp_path), "cb-1")).job
            return
        with pytest.raises(SubmitError) as raised:
            run(maker.submit(CASE.request(tmp_path), "cb-1"))
        assert (raised.value.outcome, raised.value.code, fake.submits, fake.leaks) == (Outcome.LANE_CLOSED, code, 1, [])
        assert not fake.ledger.charges


def test_what_is_sent(tmp_path: Any) -> None:
    """Model and mode in the body, the length as text, bare base64, no watermark, our id."""
    body = adapter("legacy_create_ok").document(CASE.request(tmp_path, width=1080, height=1920, negative="blur"), "cb-9")
    assert body.pop("image").startswith("iVBOR")
    assert body == {
        "model_name": "kling-v3", "prompt": "slow push-in on the lamp", "mode": "pro", "duration": "5", "sound": "off",
        "external_task_id": "cb-9", "watermark_info": {"enabled": False}, "negative_prompt": "blur",
    }  # fmt: skip


def test_an_unknown_id_is_an_error_here(tmp_path: Any) -> None:
    """Asked by our id it proves that there is no job; asked for a job it is a poll that failed, and the job is as it was."""
    assert run(adapter("legacy_error_400_1201_not_found").find("cb-1")) is None
    with pytest.raises(PollError, match="not found"):
        run(adapter("legacy_error_400_1201_not_found").status("1"))
    with pytest.raises(PollError):
        run(adapter("error_400_1201_bad_parameter").find("cb-1"))
    for repeats, submits in (("refused", 2), ("billed", 2)):
        with KlingLegacy(small=True, repeats=repeats) as fake:
            maker = CASE.adapter(fake)
            jobs = [run(maker.submit(CASE.request(tmp_path), "cb-1")).job for _ in range(2)]
            assert (len(set(jobs)), fake.submits) == (1 if repeats == "refused" else 2, submits)


def test_a_pair_sent_as_it_is_would_be_seen() -> None:
    """The fake counts a key in a header as a leak, and takes no token that is signed with another secret."""
    with KlingLegacy(small=True) as fake:
        url = f"{fake.url}{kling_legacy.PATH}/1"
        assert httpx.get(url, headers={"Authorization": f"Bearer {fake.key}"}).json()["code"] == 1000
        assert fake.leaks
        access = fake.key.partition(":")[0]
        import time

        other = kling_legacy.token(access, "another", time.time())
        assert httpx.get(url, headers={"Authorization": f"Bearer {other}"}).json()["code"] == 1002
