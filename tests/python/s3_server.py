"""A local S3 with one bucket, `logs`. Prints its address; then each line `KEY PATH` that it reads becomes an object.

Ends when its standard input does.
"""

import sys

import boto3
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
client = boto3.client(
    "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="secret"
)
client.create_bucket(Bucket="logs")
print(url, flush=True)
for line in sys.stdin:
    key, path = line.split()
    with open(path, "rb") as body:
        client.put_object(Bucket="logs", Key=key, Body=body.read())
    print("put", key, flush=True)
server.stop()
