"""Reads the times of a Parquet file with DuckDB and with polars, both in a session in Tokyo, and prints the types of the
columns and the instants in microseconds since 1970, as JSON: PATH [COLUMN ...]"""

import json
import sys

import duckdb
import polars

path, columns = sys.argv[1], sys.argv[2:]


def by_duckdb():
    session = duckdb.connect()
    session.execute("set timezone = 'Asia/Tokyo'")
    described = session.execute("describe select * from read_parquet(?)", [path]).fetchall()
    types = {name: kind for name, kind, *_ in described}
    epochs = ", ".join(f"epoch_us({name}::timestamptz)" for name in columns)
    rows = session.execute(f"select {epochs} from read_parquet(?) order by transaction_id", [path]).fetchall()
    return types, rows


def by_polars():
    frame = polars.read_parquet(path).sort("transaction_id")
    types = {name: str(kind) for name, kind in frame.schema.items()}
    # A column without a zone would be local time here.
    local = [
        polars.col(name) if frame.schema[name].time_zone else polars.col(name).dt.replace_time_zone("Asia/Tokyo")
        for name in columns
    ]
    rows = frame.select([column.dt.epoch("us") for column in local]).rows()
    return types, rows


readers = {"duckdb": by_duckdb, "polars": by_polars}
json.dump({name: dict(zip(["types", "rows"], read())) for name, read in readers.items()}, sys.stdout)
