"""Labelled samples from S3: every `*.jsonl` and `*.jsonl.gz` under a prefix, one JSON object per line, fields as in training/schema.sql."""

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from training.exits import Exit, Failure
from training.samples.table import Table

# boto3's own retries: away, throttled, broken off. What an S3-compatible store does not know is not asked of it.
CONFIG = Config(retries={"mode": "standard", "max_attempts": 8}, connect_timeout=10, read_timeout=60,
                request_checksum_calculation="when_required", response_checksum_validation="when_required")


def add_objects(table: Table, bucket: str, prefix: str) -> int:
    """How many objects were read, in the order of their keys. Raises Failure."""
    client = boto3.client("s3", config=CONFIG)
    keys = 0
    try:
        for key in _keys(client, bucket, prefix):
            keys += 1
            body = io.BytesIO(client.get_object(Bucket=bucket, Key=key)["Body"].read())
            _add_lines(table, gzip.open(body) if key.endswith(".gz") else body, f"s3://{bucket}/{key}")
    except (BotoCoreError, ClientError) as error:
        raise Failure(Exit.DATA, "S3_UNREADABLE", f"s3://{bucket}/{prefix} cannot be read: {error}.",
                      "Look at TRAINING_S3, AWS_ENDPOINT_URL_S3 and the credentials that boto3 finds.") from None
    return keys


def _keys(client: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            if found["Key"].endswith((".jsonl", ".jsonl.gz")):
                yield found["Key"]


def _add_lines(table: Table, lines: io.BufferedIOBase, where: str) -> None:
    try:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except ValueError:
                fields = None
            if isinstance(fields, dict):
                table.add(fields, f"{where} line {number}")
            else:
                table.seen += 1
                table.refuse("not a JSON object", f"{where} line {number}")
    except (OSError, EOFError):
        raise Failure(Exit.DATA, "S3_OBJECT_DAMAGED", f"{where} is not whole: gzip cannot unpack it.",
                      "Write it again, or remove it.") from None
