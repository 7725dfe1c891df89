"""Writes the same payments as pandas, DuckDB, polars and spreadsheets write them: make.py FOLDER.

The files in made/ were written by `install.sh` and `make.py made`; versions.txt names the tools. Spreadsheets are not at hand: their
forms are those that their makers document (CSV in the code page of Windows with the list separator of the region, Unicode text, CSV
UTF-8, CSV of the Macintosh), written by the csv module of Python.
"""

import csv
import io
import platform
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)

FIELDS = ["idempotency_key", "account_id", "merchant_id", "amount", "currency", "corridor", "created_at", "is_fraud"]


def at(hour, minute):
    return datetime(2026, 11, 20, hour, minute, 30, 250000, tzinfo=timezone.utc)


ROWS = [
    ("k1", "Müller, Söhne", "m_1", 12.5, "EUR", "DE-EG", at(9, 30), True),
    ("k2", 'O"Neill', "m_2", 1000.0, "JPY", "JP-EG", at(9, 31), False),
    ("k3", "4111111111111111", "m_3", 0.1, "EUR", "DE-EG", at(9, 32), False),
    ("k4", "00123", "m_4", 125000.25, "USD", "US-EG", at(9, 33), True),
]
frame = pd.DataFrame(ROWS, columns=FIELDS)

# pandas
frame.to_csv(folder / "pandas.csv")
frame.to_csv(folder / "pandas-bom.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
frame.to_csv(folder / "pandas-quoted.csv", index=False, quoting=csv.QUOTE_ALL)
frame.to_csv(folder / "pandas.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
frame.assign(is_fraud=frame.is_fraud.astype(float)).to_csv(folder / "pandas-gaps.csv", index=False)
frame.assign(created_at=frame.created_at.map(lambda time: time.isoformat())).to_json(
    folder / "pandas.ndjson", orient="records", lines=True, force_ascii=False
)
frame.to_csv(folder / "pandas-windows.csv", index=False, encoding="cp1252")
frame.to_csv(folder / "pandas-german.csv", index=False, sep=";", decimal=",")
frame.assign(account_id=[4111111111111111, 4222222222222222, None, 4333333333333333]).to_csv(
    folder / "pandas-float-ids.csv", index=False
)
frame.assign(account_id=pd.Series(["a", None, "c", "d"]).map(str)).to_csv(folder / "pandas-nan-ids.csv", index=False)

# DuckDB, whose decimals keep their zeros
duck = duckdb.connect()
duck.execute("set timezone = 'UTC'")
duck.execute(
    "create table payments (idempotency_key text, account_id text, merchant_id text, amount decimal(18, 2),"
    " currency text, corridor text, created_at timestamptz, is_fraud boolean)"
)
duck.executemany(
    "insert into payments values (?, ?, ?, ?, ?, ?, ?, ?)",
    [row[:3] + (Decimal(str(row[3])),) + row[4:] for row in ROWS],
)
duck.execute(f"copy payments to '{folder}/duckdb.csv'")
duck.execute(f"copy payments to '{folder}/duckdb-quoted.csv' (force_quote *)")
duck.execute(f"copy payments to '{folder}/duckdb.ndjson' (format json)")
duck.execute(f"copy payments to '{folder}/duckdb-tabs.csv' (delimiter '\t')")
duck.execute(f"copy (select * replace (4111111111111111::double * 10 as account_id) from payments) to '{folder}/duckdb-double-ids.csv'")

# polars
table = pl.DataFrame(ROWS, schema=FIELDS, orient="row")
table.write_csv(folder / "polars.csv")
table.write_csv(folder / "polars-bom.csv", include_bom=True, line_terminator="\r\n", quote_style="always")
table.with_columns(pl.col("created_at").dt.to_string("iso:strict")).write_ndjson(folder / "polars.ndjson")
table.write_csv(folder / "polars-bars.csv", separator="|")
table.with_columns(account_id=pl.lit(4.111111111111111e16)).write_csv(folder / "polars-double-ids.csv")


# Spreadsheets
def sheet(name, encoding, delimiter=",", end="\r\n", ids=None, comma=False):
    text = io.StringIO()
    writer = csv.writer(text, dialect="excel", delimiter=delimiter, lineterminator=end)
    writer.writerow(FIELDS)
    for nth, row in enumerate(ROWS):
        key, account, merchant, amount, currency, corridor, time, is_fraud = row
        number = f"{amount:.2f}".removesuffix("0").removesuffix(".0")
        writer.writerow(
            [
                *[key, account if ids is None else ids[nth], merchant],
                *[number.replace(".", ",") if comma else number, currency, corridor],
                *[time.strftime("%Y-%m-%dT%H:%M:%SZ"), str(is_fraud).upper()],
            ]
        )
    # Rows that were once used and are empty now.
    writer.writerow([""] * len(FIELDS))
    (folder / name).write_bytes(text.getvalue().encode(encoding))


sheet("sheet-utf8.csv", "utf-8-sig")
sheet("sheet-mac.csv", "utf-8", end="\r")
sheet("sheet-windows.csv", "cp1252")
sheet("sheet-german.csv", "cp1252", delimiter=";", comma=True)
sheet("sheet-german-utf8.csv", "utf-8-sig", delimiter=";", comma=True)
sheet("sheet-unicode.txt", "utf-16", delimiter="\t")
sheet("sheet-long-ids.csv", "utf-8-sig", ids=["4.11111E+15", "4.11111E+15", "4,22222E+15", "2-Jan"])

(folder / "versions.txt").write_text(
    f"Python {platform.python_version()}, pandas {pd.__version__}, DuckDB {duckdb.__version__}, polars {pl.__version__}\n"
)
