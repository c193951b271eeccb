SELECT a.*, p.family_name, p.given_name, s.name, t.given_name, t.family_name, l.name
FROM clinic_appointment a
JOIN clinic_patient p ON p.id = a.patient_id
JOIN clinic_service s ON s.id = a.service_id
JOIN clinic_practitioner t ON t.id = a.practitioner_id
JOIN clinic_location l ON l.id = a.location_id
WHERE a.id = %(id)s
