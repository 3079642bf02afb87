"""Stores documents with the elasticsearch client that is installed; prints what it was answered.

Usage: send_elasticsearch.py URL [TOKEN]
"""

import datetime
import decimal
import json
import sys

import elasticsearch
from elasticsearch import Elasticsearch, helpers

INDEX = "logs-shop-2026.02.03"
STACK = """Traceback (most recent call last):
  File "/srv/app/cart.py", line 12, in add
    price = prices[sku]
KeyError: 'sku'
"""
DOCUMENTS = [
    {
        "@timestamp": "2026-02-03T04:05:06.789012Z",
        "message": "checkout – 決済 \"ok\"\n\tdone",
        "log": {"level": "warn"},
        "host": {"name": "web-1"},
        "trace": {"id": "0AF7651916CD43DD8448EB211C80319C"},
        "labels": {"team": "web", "deep": {"er": 1}},
        "count": 3,
        "large": 9007199254740993,
        "ratio": 0.25,
        "ok": True,
        "none": None,
        "empty": "",
        "tags": ["a", "b"],
    },
    {
        # What the client's own serializer makes of Python's types.
        "@timestamp": datetime.datetime(2026, 2, 3, 4, 5, 7, tzinfo=datetime.timezone.utc),
        "message": "types",
        "price": decimal.Decimal("12.50"),
        "day": datetime.date(2026, 2, 3),
    },
    {
        "@timestamp": "2026-02-03T04:05:08Z",
        "message": "a request",
        "service": {"name": "web"},
        "http": {"request": {"method": "POST"}, "response": {"status_code": 201, "body": {"bytes": 512}}},
        "url": {"path": "/cart/42"},
        "event": {"duration": 12500000},
        "client": {"ip": "192.0.2.7"},
    },
    {
        "@timestamp": "2026-02-03T04:05:09Z",
        "message": "an error",
        "service": {"name": "web", "version": "7.1", "environment": "production"},
        "error": {"type": "KeyError", "message": "'sku'", "stack_trace": STACK},
    },
]


def main(url, token=None):
    is_new = elasticsearch.__version__[0] >= 9
    options = {"basic_auth": ("shop", token)} if token else {}
    client = Elasticsearch(url, request_timeout=20, max_retries=0, http_compress=is_new, **options)
    said = {"version": client.info()["version"]["number"]}
    said["bulk"] = helpers.bulk(client, ({"_index": INDEX, "_source": document} for document in DOCUMENTS))
    mixed = [
        {"_index": INDEX, "_op_type": "create", "_id": "one", "@timestamp": "2026-02-03T05:00:00Z", "message": "first"},
        {"_index": INDEX, "_op_type": "delete", "_id": "two"},
        {"_index": INDEX, "_id": "three", "@timestamp": "no time", "message": "never"},
        {"_index": INDEX, "_id": "four", "@timestamp": "2026-02-03T05:00:01Z", "message": "last"},
    ]
    answers = helpers.streaming_bulk(client, mixed, raise_on_error=False)
    said["mixed"] = [(ok, *next(iter(item.items()))) for ok, item in answers]
    single = {"@timestamp": "2026-02-03T06:00:00Z", "message": "single"}
    said["index"] = client.index(index=INDEX, document=single).body
    said["create"] = client.create(index=INDEX, id="named", document={**single, "message": "created"}).body
    try:
        client.index(index=INDEX, document={"@timestamp": "no time", "message": "never"})
    except elasticsearch.BadRequestError as error:
        said["refused"] = {"status": error.status_code, "error": error.error}
    print(json.dumps(said))


main(*sys.argv[1:])
