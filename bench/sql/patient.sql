SELECT * FROM clinic_patient WHERE id = %(id)s
