"""Evaluates conditions over requests by SQL in SQLite, which shares no code with the product.

Reads `{"rows": [...], "conditions": ["<sql>", ...]}` from standard input and prints, for each condition, a list of true,
false or null, one for each row. See `crates/watch/src/condition/tests.rs`.
"""

import json
import sqlite3
import sys

COLUMNS = ["status", "duration_us", "method", "route", "path", "host", "service", "bytes", "attrs_k"]


def on_text(test):
    """NULL for an unknown text, as in every SQL engine."""
    return lambda text, part: None if text is None else test(text, part)


def main():
    asked = json.load(sys.stdin)
    database = sqlite3.connect(":memory:")
    database.create_function("starts_with", 2, on_text(str.startswith), deterministic=True)
    database.create_function("ends_with", 2, on_text(str.endswith), deterministic=True)
    database.execute(f"CREATE TABLE requests (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
    marks = ", ".join("?" for _ in COLUMNS)
    database.executemany(
        f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES ({marks})",
        [[row[column] for column in COLUMNS] for row in asked["rows"]],
    )
    answers = []
    for condition in asked["conditions"]:
        # SQLite has no maps.
        predicate = condition.replace("attrs['k']", "attrs_k")
        rows = database.execute(f"SELECT {predicate} FROM requests ORDER BY id")
        answers.append([None if value is None else bool(value) for (value,) in rows])
    json.dump(answers, sys.stdout)


main()
