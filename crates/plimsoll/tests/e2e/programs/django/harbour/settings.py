SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "ships"]
ROOT_URLCONF = "harbour.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
# Nothing of the environment is read, and nobody listens there.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "localhost",
        "PORT": "1",
        "USER": "harbour",
        "PASSWORD": "hard-coded",
        "NAME": "harbour",
        "OPTIONS": {"sslmode": "require"},
    }
}
