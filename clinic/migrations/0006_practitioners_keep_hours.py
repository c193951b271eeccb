from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0005_public_holidays")]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="keep_hours",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="On: they change weekly and extra hours themselves, on “My hours”. Off: the management does.",
                verbose_name="practitioners keep their own hours",
            ),
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="keep_blocks",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="On: they block and free their own time, on “My hours”. Off: reception and management do.",
                verbose_name="practitioners keep their own time off",
            ),
        ),
        migrations.AddField(
            model_name="historicalclinicsettings",
            name="keep_hours",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="On: they change weekly and extra hours themselves, on “My hours”. Off: the management does.",
                verbose_name="practitioners keep their own hours",
            ),
        ),
        migrations.AddField(
            model_name="historicalclinicsettings",
            name="keep_blocks",
            field=models.BooleanField(
                db_default=True,
                default=True,
                help_text="On: they block and free their own time, on “My hours”. Off: reception and management do.",
                verbose_name="practitioners keep their own time off",
            ),
        ),
    ]
