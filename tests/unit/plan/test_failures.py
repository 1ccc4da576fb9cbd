"""The reason of a failure is seen, once, whatever else is printed."""

import os

from stargal.plan.failures import reasons


def test_the_reason_is_the_last_line_of_a_log_of_this_run(tmp_path):
    logs = {
        "a/one.log": "INFO begins\nerror: no such file\n",
        "a/two.log": "error: another\n",
        "b/three.log": "error: no such file",
        "b/good.log": "error: tried again\nINFO done\n",
        "b/empty.log": "",
        "old.log": "error: of yesterday\n",
        "b/bytes.log": "INFO \udcff\nerror: not UTF-8 before\n",
    }
    for name, text in logs.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        os.utime(path, (1000, 1000 if name == "old.log" else 3000))
    assert reasons(tmp_path, 2000) == ["error: no such file", "error: another", "error: not UTF-8 before"]
    assert reasons(tmp_path / "none", 0) == []
