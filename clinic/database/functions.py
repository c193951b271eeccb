"""SQL functions and sequences that the schema is written with. Run by migrations, as the owner."""

# unaccent() is only STABLE, since its dictionary could be edited; ours never is. Schema-qualified, because a restore
# runs with an empty search path.
F_NORM = """
CREATE FUNCTION f_norm(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, $1)) $$;
"""

F_NORM_UNDO = "DROP FUNCTION f_norm(text);"

PATIENT_NUMBER = "CREATE SEQUENCE clinic_patient_number START 1000;"

PATIENT_NUMBER_UNDO = "DROP SEQUENCE clinic_patient_number;"

# A move or a cancellation carries the equipment along, whoever writes: the use has no times of its own.
EQUIPMENT_FOLLOWS = """
ALTER TABLE clinic_equipmentuse ADD CONSTRAINT equipment_follows_appointment
FOREIGN KEY (appointment_id, busy_from, busy_until, holds)
REFERENCES clinic_appointment (id, busy_from, busy_until, holds)
ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE;
"""

EQUIPMENT_FOLLOWS_UNDO = "ALTER TABLE clinic_equipmentuse DROP CONSTRAINT equipment_follows_appointment;"
