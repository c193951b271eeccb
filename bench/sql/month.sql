-- The same for the weekdays among thirty days.
SELECT slot
FROM unnest(%(days)s::date[]) AS d(day),
    generate_series(
        (day + time '09:00') AT TIME ZONE 'Europe/Rome', (day + time '16:30') AT TIME ZONE 'Europe/Rome',
        interval '30 minutes'
    ) AS slot
WHERE slot NOT IN (
    SELECT busy_from FROM clinic_appointment
    WHERE practitioner_id = %(practitioner)s AND busy_from >= %(opens)s AND busy_from <= %(last)s AND holds
)
ORDER BY slot
