import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import clinic.models.base


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0010_favourites"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("content_type", models.CharField(max_length=80, verbose_name="type")),
                ("size", models.PositiveIntegerField(verbose_name="size (bytes)")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="stored"),
                ),
            ],
            options={
                "verbose_name": "file",
                "verbose_name_plural": "files",
                "abstract": False,
                "default_permissions": ("view", "add", "change", "delete", "export", "import"),
            },
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="idle_minutes",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Who does nothing for so long signs in again. Pages that refresh themselves do not count.",
                validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(720)],
                verbose_name="sign out after idle (minutes)",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="session_hours",
            field=models.PositiveIntegerField(
                default=12,
                help_text="However busy: at the latest so long after signing in.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(72)],
                verbose_name="sign out in any case after (hours)",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="welcome",
            field=clinic.models.base.TranslatedField(
                blank=True,
                default=clinic.models.base.Text,
                help_text="Greets patients where they book, in their language.",
                verbose_name="welcome text",
            ),
        ),
        migrations.AlterField(
            model_name="historicalclinicsettings",
            name="idle_minutes",
            field=models.PositiveIntegerField(
                default=30,
                help_text="Who does nothing for so long signs in again. Pages that refresh themselves do not count.",
                validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(720)],
                verbose_name="sign out after idle (minutes)",
            ),
        ),
        migrations.AlterField(
            model_name="historicalclinicsettings",
            name="session_hours",
            field=models.PositiveIntegerField(
                default=12,
                help_text="However busy: at the latest so long after signing in.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(72)],
                verbose_name="sign out in any case after (hours)",
            ),
        ),
        migrations.AlterField(
            model_name="historicalclinicsettings",
            name="welcome",
            field=clinic.models.base.TranslatedField(
                blank=True,
                default=clinic.models.base.Text,
                help_text="Greets patients where they book, in their language.",
                verbose_name="welcome text",
            ),
        ),
        migrations.AlterField(
            model_name="historicalorganization",
            name="legal_name",
            field=models.CharField(
                blank=True,
                help_text="As registered, where that differs from the name; documents bear it.",
                max_length=200,
                verbose_name="registered name",
            ),
        ),
        migrations.AlterField(
            model_name="organization",
            name="legal_name",
            field=models.CharField(
                blank=True,
                help_text="As registered, where that differs from the name; documents bear it.",
                max_length=200,
                verbose_name="registered name",
            ),
        ),
        migrations.CreateModel(
            name="HistoricalStoredFile",
            fields=[
                ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("content_type", models.CharField(max_length=80, verbose_name="type")),
                ("size", models.PositiveIntegerField(verbose_name="size (bytes)")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="stored"),
                ),
                ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField()),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "history_user",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "historical file",
                "verbose_name_plural": "historical files",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddField(
            model_name="historicalorganization",
            name="logo",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="clinic.storedfile",
                verbose_name="logo",
            ),
        ),
        migrations.AddField(
            model_name="organization",
            name="logo",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.storedfile",
                verbose_name="logo",
            ),
        ),
    ]
