"""A CA that OpenSSL of long ago numbered zero: taken over without a word of any library."""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[3]
DOCUMENTS = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: p}
spec: {keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]}
"""
AUTHORITY = """\
kind: Authority
metadata: {name: legacy}
spec: {commonName: Legacy CA, privateKey: {custody: none}, existing: {certificate: ca.pem}}
"""


def test_a_root_with_the_number_zero_is_read_in_silence(tmp_path: Path) -> None:
    (tmp_path / "certform.yaml").write_text(DOCUMENTS)
    (tmp_path / "authorities").mkdir()
    (tmp_path / "authorities/legacy.yaml").write_text(AUTHORITY)
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null"]
    named = ["-subj", "/CN=Legacy CA", "-set_serial", "0", "-out", "ca.pem"]
    subprocess.run(["openssl", *made, *named], cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "reconciler", "-C", tmp_path, "validate"],
        env={"PYTHONPATH": str(SOURCE), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
