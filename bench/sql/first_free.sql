-- The first free half hour among forty practitioners: one range scan over all of them, opening hours minus what is
-- taken, the first piece that is long enough. Everybody works weekdays 09:00 to 17:00.
WITH hours AS (
    SELECT range_agg(tstzrange(
        (day + time '09:00') AT TIME ZONE 'Europe/Rome', (day + time '17:00') AT TIME ZONE 'Europe/Rome'
    )) AS open
    FROM unnest(%(days)s::date[]) AS d(day)
), taken AS (
    SELECT practitioner_id, range_agg(tstzrange(busy_from, busy_until)) AS busy
    FROM clinic_appointment
    WHERE practitioner_id = ANY (%(practitioners)s::bigint[])
        AND busy_from >= %(opens)s AND busy_from <= %(last)s AND holds
    GROUP BY practitioner_id
)
SELECT lower(free), who.id
FROM unnest(%(practitioners)s::bigint[]) AS who(id)
CROSS JOIN hours
LEFT JOIN taken ON taken.practitioner_id = who.id
CROSS JOIN LATERAL unnest(hours.open - coalesce(taken.busy, '{}')) AS free
WHERE upper(free) - lower(free) >= interval '30 minutes'
ORDER BY 1, 2
LIMIT 1
