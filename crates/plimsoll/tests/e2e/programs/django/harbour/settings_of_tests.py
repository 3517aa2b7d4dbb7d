from harbour.settings import *  # noqa: F403

# The host alone is hard-coded: the rest comes from PG* variables.
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "localhost", "NAME": "harbour"}}
