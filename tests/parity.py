"""Hold the package against a folder of reference fixtures: ``python tests/parity.py FOLDER``.

Prints one line a fixture and exits 1 unless all are matched. Runs on the backend of ``KERAS_BACKEND``.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import parity_attengait
import parity_gaitgraph2
import parity_selfgait
import parity_sge
import parity_skeletongait
from fixtures import reader

# by a word in a fixture's source; else AttenGait
SYSTEMS = {
    "OpenGait": parity_skeletongait.FAMILIES,
    "GaitGraph": parity_gaitgraph2.FAMILIES,
    "pytorch-metric-learning": parity_gaitgraph2.FAMILIES,
    "Kali-Hac": parity_sge.FAMILIES,
    "SelfGait": parity_selfgait.FAMILIES,
    "AbnerHqC": parity_selfgait.FAMILIES,
}


def family(name, source):
    """The runner of a fixture: the longest family name of its system that the fixture's name begins with."""
    families = next((known for word, known in SYSTEMS.items() if word in source), parity_attengait.FAMILIES)
    matching = [known for known in families if name == known or name.startswith((known + "_", known + "-"))]
    return families[max(matching, key=len)] if matching else None


def difference(meta, name, expected, computed):
    """Largest absolute difference as a share of the tolerance; infinite where shapes differ."""
    expected, computed = np.asarray(expected), np.asarray(computed)
    if expected.shape != computed.shape:
        return float("inf")
    allowed = meta.get("allowed", {}).get(name, reader.tolerance(meta, name, expected))
    if expected.dtype.kind not in "fiub":
        return 0.0 if (expected == computed).all() else float("inf")
    gap = np.abs(expected.astype(np.float64) - computed.astype(np.float64))
    same = (expected == computed) | (np.isnan(expected.astype(float)) & np.isnan(computed.astype(float)))
    gap = float(np.where(same, 0.0, gap).max(initial=0.0))
    if np.isnan(gap):
        return float("inf")
    return gap / allowed if allowed else (0.0 if gap == 0 else float("inf"))


def check(path):
    """Run one fixture file -> ``(verdict, share of its tolerance, remark)``."""
    meta, inputs, outputs = reader.load(path)
    compute = family(path.stem, meta["source"])
    if compute is None:
        return "not supported", float("inf"), "no such family"
    computed = compute(meta, inputs, path)
    missing = sorted(set(outputs) - set(computed))
    if missing:
        return "not supported", float("inf"), f"nothing computes {', '.join(missing)}"
    shares = {name: difference(meta, name, outputs[name], computed[name]) for name in outputs}
    worst = max(shares, key=shares.get)
    return "matched" if shares[worst] <= 1 else "differs", shares[worst], worst


def main(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(argv).folder
    files = sorted(folder.glob("*.npz"))
    if not files:
        parser.exit(2, f"parity.py: no .npz fixtures in {folder}\n")
    matched = 0
    for path in files:
        try:
            verdict, share, remark = check(path)
        except Exception as error:  # one broken fixture must not hide the others
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            verdict, share, remark = "differs", float("inf"), reason
        matched += verdict == "matched"
        print(f"{verdict:13s} {share:9.3g} of tolerance  {path.stem}  ({remark})", flush=True)
    print(f"{matched} of {len(files)} fixtures matched")
    sys.exit(0 if matched == len(files) else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
