"""How long a run waits for a CA that wants to be left alone."""

from providers.acme.waiting import Waiting


def _waiting(slept: list[float]) -> Waiting:
    return Waiting(60.0, lambda: sum(slept), slept.append, lambda: None)


def test_who_is_to_be_left_alone_for_long_is_looked_at_once_more() -> None:
    slept: list[float] = []
    waiting = _waiting(slept)
    assert [waiting.pause(asked) for asked in (20.0, 3600.0, 3600.0, None)] == [
        *(True, True, False, False)
    ]
    assert slept == [20.0, 15.0]
    waiting.begin()
    assert waiting.pause(50.0)
    assert waiting.pause(50.0)
    assert slept[2:] == [50.0, 10.0]
    assert not waiting.pause()
