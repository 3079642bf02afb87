"""Counts rows of a table of the lake with other people's engines: deltalake, and DuckDB on the files it names."""

import json
import sys

import deltalake
import duckdb


def main(path, group):
    table = deltalake.DeltaTable(path)
    by_delta = (
        deltalake.QueryBuilder()
        .register("t", table)
        .execute(f"SELECT CAST({group} AS VARCHAR) AS g, count(*) AS n FROM t GROUP BY 1")
        .read_all()
    )
    deltas = dict(zip(by_delta["g"].to_pylist(), by_delta["n"].to_pylist()))
    files = table.file_uris()
    ducks = duckdb.sql(
        f"SELECT CAST({group} AS VARCHAR), count(*) FROM read_parquet({files!r}) GROUP BY 1"
    ).fetchall()
    print(json.dumps({"deltalake": deltas, "duckdb": dict(ducks), "files": len(files)}))


main(sys.argv[1], sys.argv[2])
