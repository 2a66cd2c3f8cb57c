"""The first pull request of a repository: there is no Project on its branch yet, and nothing was applied."""

from merge_documents import certificate
from merge_house import LABEL, House


def test_the_first_pull_request_is_applied_as_it_was_shown(bare: House) -> None:
    files = {"web.yaml": certificate("web"), "README": "words"}
    pull = bare.github.pull({**bare.documents(), **files})
    planned = bare.plan_job(pull)
    assert planned.code == 0, planned.log
    merged = bare.github.merge(pull.number)
    ended = bare.apply()
    assert ended.code == 0, ended.log
    assert bare.held() == {"web"}
    assert bare.conclusions(merged) == ["success"]
    assert f"({LABEL})" in ended.summary
    assert not bare.plan(merged).changes
