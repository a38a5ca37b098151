"""A maltego-trx server that answers the entities in the file named by ROWS: transform n12 answers 12 of them."""

import json
import os

from maltego_trx.maltego import MaltegoTransform
from maltego_trx.registry import register_transform_function
from maltego_trx.server import app  # noqa: F401  (gunicorn is told project:app)


def transform(name, rows):
    def run(_request):
        response = MaltegoTransform()
        for kind, value, fields in rows:
            entity = response.addEntity(kind, value)
            for field, label, rule, text in fields:
                entity.addProperty(field, label, rule, text)
        return response.returnOutput()

    run.__name__ = name
    return run


with open(os.environ["ROWS"], encoding="utf-8") as file:
    for count, rows in json.load(file).items():
        register_transform_function(transform(f"n{count}", rows))
