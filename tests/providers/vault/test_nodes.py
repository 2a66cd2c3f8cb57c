"""Several nodes behind one address, and answers that no Vault should give."""

import pytest
from bao import Bao
from bao_line import Cluster, Line
from vault_orders import Order, issuer, revocation
from wire import Response, Way, Wire

from providers.errors import Ambiguous, Throttled


def test_a_node_that_lags_behind_what_we_wrote_is_not_believed(bao: Bao) -> None:
    cluster = Cluster(Line(bao))
    with Wire(cluster.forward, lambda _: "any").running() as wire:
        made = issuer(wire.url, bao.root)
        issued = Order.of().by(made)
        made.revoke(revocation(issued))
    assert cluster.lagged == 1


@pytest.mark.parametrize(
    ("said", "seconds"), [("\xb2", None), ("-1", None), ("9" * 400, 999999999)]
)
def test_a_wish_to_wait_that_is_none_brings_nobody_down(
    bao: Bao, said: str, seconds: float | None
) -> None:
    answer = Response(429, b'{"errors":["slow down"]}', {"Retry-After": said})
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, answer, times=None)
        with pytest.raises(Throttled) as told:
            Order.of().by(issuer(wire.url, bao.root, patience=0.0))
    assert told.value.retry_after == seconds


def test_an_answer_without_end_of_its_brackets_is_no_vaults(bao: Bao) -> None:
    with Line.to(bao) as (_, wire):
        wire.fail("sign", Way.REFUSED, Response(200, b"[" * 100_000))
        with pytest.raises(Ambiguous, match="is no Vault"):
            Order.of().by(issuer(wire.url, bao.root))
