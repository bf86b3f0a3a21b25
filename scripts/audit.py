"""Audit: the locked packages against the known vulnerabilities, by pip-audit; run it with `make audit`.

python scripts/audit.py requirements.lock

pip-audit says that nothing is known, and exits 0, where it could not ask: so it is first asked of a package that is
known to be vulnerable. Where that is not found there is no network, and the audit says that it was skipped.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

VULNERABLE = "jinja2==2.4.1\n"  # CVE-2014-1402, CVE-2016-10745 and others
WITHIN = 600  # seconds


def audited(requirements: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Return what pip-audit says of a file of pinned packages, which it does not install."""
    command = [sys.executable, "-m", "pip_audit", "--strict", "--disable-pip", "--progress-spinner", "off", *options]
    return subprocess.run([*command, "-r", requirements], capture_output=True, text=True, timeout=WITHIN)


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.txt"
        control.write_text(VULNERABLE)
        known = audited(control, "--no-deps")
    if "jinja2" not in known.stdout.lower():
        reason = (known.stderr.strip().splitlines() or ["no answer"])[-1][:200]
        print(f"audit SKIPPED: the service of known vulnerabilities cannot be asked ({reason})")
        return
    found = audited(Path(sys.argv[1]), "--require-hashes")
    print(found.stdout + found.stderr)
    sys.exit(found.returncode)


if __name__ == "__main__":
    main()
