"""The statement that reads hours alone, without a service."""

import json

from django.db import connection

from clinic.database.scheduling import HOURS

_HOURS = f"""
WITH place AS (
  SELECT * FROM clinic_location WHERE active AND id = ANY (%(locations)s::bigint[])
), offer AS (
  SELECT id FROM clinic_practitioner WHERE id = ANY (%(practitioners)s::bigint[])
)
SELECT json_build_object({HOURS})
"""


def read_hours(*, since, until, **asked) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, {**asked, "from": since, "until": until})
        (document,) = cursor.fetchone()
    return json.loads(document) if isinstance(document, str) else document
