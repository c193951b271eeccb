-- Free half hours of one practitioner on one day: one range scan, minus what it finds.
SELECT slot
FROM generate_series(%(opens)s, %(last)s, interval '30 minutes') AS slot
WHERE slot NOT IN (
    SELECT busy_from FROM clinic_appointment
    WHERE practitioner_id = %(practitioner)s AND busy_from >= %(opens)s AND busy_from <= %(last)s AND holds
)
ORDER BY slot
