SELECT id, number, family_name, given_name, birth_on, mobile, email
FROM clinic_patient
WHERE search LIKE '%%' || f_norm(%(term)s) || '%%'
ORDER BY family_name, given_name, id
LIMIT 50
