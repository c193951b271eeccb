-- The oldest 100, read from the far end.
SELECT a.id, a.start_at, a.end_at, a.status, p.family_name, p.given_name, s.name, t.given_name, t.family_name, l.name
FROM (SELECT * FROM clinic_appointment ORDER BY start_at, id LIMIT 100) a
JOIN clinic_patient p ON p.id = a.patient_id
JOIN clinic_service s ON s.id = a.service_id
JOIN clinic_practitioner t ON t.id = a.practitioner_id
JOIN clinic_location l ON l.id = a.location_id
ORDER BY a.start_at DESC, a.id DESC
