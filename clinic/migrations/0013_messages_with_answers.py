from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("clinic", "0012_rooms_in_order")]

    operations = [
        migrations.AddField(
            model_name="statuschange",
            name="message",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=1000, verbose_name="message to the patient"
            ),
        ),
    ]
