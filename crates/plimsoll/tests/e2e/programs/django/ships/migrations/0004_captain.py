from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("ships", "0003_name")]
    operations = [
        migrations.CreateModel(
            "Captain", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=100))]
        ),
        migrations.AddField(
            "Ship", "captain", models.ForeignKey("ships.captain", null=True, on_delete=models.SET_NULL)
        ),
    ]
