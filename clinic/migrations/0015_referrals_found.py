from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the clinic goes on writing.
    atomic = False

    dependencies = [("clinic", "0014_referring_doctors")]

    operations = [
        AddIndexConcurrently(
            model_name='appointment',
            index=models.Index(condition=models.Q(('referral_source', ''), _negated=True), fields=['referral_source', 'start_at', 'id'], name='appointment_referral_source'),
        ),
        AddIndexConcurrently(
            model_name='appointment',
            index=models.Index(condition=models.Q(('referrer__isnull', False)), fields=['referrer', 'start_at', 'id'], name='appointment_referrer'),
        ),
    ]
