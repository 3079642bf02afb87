"""The requests table of `koshu access`, asked of DuckDB and chdb: `peers.py WAY FILE`. Prints it as JSON rows.

Each engine is asked in two ways. `regex` takes a line apart with one regular expression, as any log of this format
must be when a quote may be escaped. `split` cuts at spaces or quotes: less work, but it only fits this very file.
Route patterns, errors and approximate percentiles are the same everywhere.
"""

import json
import sys

LINE = r'^(\S+) \S+ \S+ \[([^\]]+)\] "(\S+) ([^ ?"]+)[^"]*" (\d{3}) (\d+|-) "[^"]*" "[^"]*" ([0-9.]+)'

DUCKDB_REGEX = f"""
with parts as (
  select regexp_extract(line, '{LINE}', ['ip', 'at', 'method', 'path', 'status', 'bytes', 'took']) as part
  from read_csv($file, columns = {{'line': 'VARCHAR'}}, delim = chr(1), quote = '', escape = '', header = false,
                auto_detect = false)
), rows as (
  select part.method || ' ' || part.path as request, part.status::smallint as status, part.took::double as took
  from parts where part.status <> ''
)"""

DUCKDB_SPLIT = """
with rows as (
  select regexp_extract(request, '^(\\S+ [^ ?]+)', 1) as request, status, took
  from read_csv($file, delim = ' ', quote = '"', escape = '"', header = false, auto_detect = false,
                ignore_errors = true, columns = {
    'ip': 'VARCHAR', 'ident': 'VARCHAR', 'user': 'VARCHAR', 'at': 'VARCHAR', 'zone': 'VARCHAR', 'request': 'VARCHAR',
    'status': 'SMALLINT', 'bytes': 'VARCHAR', 'referer': 'VARCHAR', 'agent': 'VARCHAR', 'took': 'DOUBLE'})
)"""

DUCKDB_REPORT = """
select regexp_replace(regexp_replace(request, '/[0-9]+', '/:id', 'g'), '[0-9a-f]{8,}', ':hex', 'g') as route,
       count(*) as calls, count(*) filter (where status >= 500) as errors, sum(took) as total,
       approx_quantile(took, [0.5, 0.95, 0.99]) as quantiles
from rows group by route order by total desc"""

CHDB_REGEX = f"""
with rows as (
  select extractGroups(line, '{LINE.replace(chr(92), chr(92) * 2)}') as part, concat(part[3], ' ', part[4]) as request,
         toUInt16(part[5]) as status, toFloat64(part[7]) as took
  from file('@file', LineAsString, 'line String') where notEmpty(part)
)"""

CHDB_SPLIT = """
with rows as (
  select splitByChar('"', line) as part, splitByChar(' ', part[2]) as words,
         concat(words[1], ' ', cutQueryString(words[2])) as request,
         toUInt16OrZero(substring(part[3], 2, 3)) as status, toFloat64OrZero(substring(part[7], 2)) as took
  from file('@file', LineAsString, 'line String')
)"""

CHDB_REPORT = """
select replaceRegexpAll(replaceRegexpAll(request, '/[0-9]+', '/:id'), '[0-9a-f]{8,}', ':hex') as route,
       count() as calls, countIf(status >= 500) as errors, sum(took) as total,
       quantilesDD(0.01, 0.5, 0.95, 0.99)(took) as quantiles
from rows group by route order by total desc"""


def duckdb_rows(rows: str, file: str) -> list:
    import duckdb

    return duckdb.connect().execute(rows + DUCKDB_REPORT, {"file": file}).fetchall()


def chdb_rows(rows: str, file: str) -> list:
    import chdb

    answer = str(chdb.query(rows.replace("@file", file) + CHDB_REPORT, "JSONCompactEachRow"))
    return [json.loads(line) for line in answer.splitlines()]


WAYS = {
    "duckdb-regex": lambda file: duckdb_rows(DUCKDB_REGEX, file),
    "duckdb-split": lambda file: duckdb_rows(DUCKDB_SPLIT, file),
    "chdb-regex": lambda file: chdb_rows(CHDB_REGEX, file),
    "chdb-split": lambda file: chdb_rows(CHDB_SPLIT, file),
}

if __name__ == "__main__":
    print(json.dumps(WAYS[sys.argv[1]](sys.argv[2])))
